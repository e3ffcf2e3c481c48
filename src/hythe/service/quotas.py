"""How much a subscription may have in a location, how much it has, and what it is told about it."""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec
from msgspec import Struct

from ..models import ContainerGroup, Usage, UsageName
from ..wire import faults
from ..wire.ids import PROVIDER, ResourceId
from .settings import QuotaSettings
from .store import SqlStore

_GROUPS, _CORES, _SPOT = "ContainerGroups", "StandardCores", "StandardSpotCores"
_NAMES = {
    _GROUPS: "Container Groups",
    _CORES: "Standard Cores",
    _SPOT: "Standard Spot Cores",
    "StandardK80Cores": "Standard K80 Cores",
    "StandardP100Cores": "Standard P100 Cores",
    "StandardV100Cores": "Standard V100 Cores",
    "DedicatedContainerGroups": "Dedicated Container Groups",
    "DedicatedCores": "Dedicated Cores",
    "ConfidentialContainerGroups": "Confidential Container Groups",
    "ConfidentialCores": "Confidential Cores",
}
"""Every quota that Azure names; those of what this service does not offer are 0."""


_LARGEST_REMEMBERED = 16 << 10


class _Requests(Struct, frozen=True):
    cpu: float | None = None


class _Resources(Struct, frozen=True):
    requests: _Requests | None = None


class _Inside(Struct, frozen=True):
    resources: _Resources | None = None


class _Container(Struct, frozen=True):
    properties: _Inside = _Inside()


class _Properties(Struct, frozen=True):
    containers: list[_Container] = []
    priority: str | None = None


class _Definition(Struct, frozen=True):
    """The members of a stored group that count."""

    location: str | None = None
    properties: _Properties = _Properties()


class Used(Struct, kw_only=True):
    """What a subscription has in a location."""

    groups: int = 0
    cores: float = 0.0
    spot_cores: float = 0.0


@lru_cache(maxsize=2048)
def _remembered(spec: bytes) -> tuple[str | None, float, bool]:
    return _counted(spec)


def _counted(spec: bytes) -> tuple[str | None, float, bool]:
    """Give location, cores and whether they are Spot of a stored definition."""
    held = msgspec.json.decode(spec, type=_Definition)
    requests = [one.properties.resources and one.properties.resources.requests for one in held.properties.containers]
    cores = sum((each.cpu or 0.0) for each in requests if each)
    return held.location, cores, held.properties.priority == "Spot"


class Quotas:
    """Counts what is stored: a group that is still being deleted counts until it is gone."""

    def __init__(self, store: SqlStore, settings: QuotaSettings) -> None:
        self._store = store
        self._settings = settings

    def used(self, subscription: str, location: str, *, apart_from: str = "") -> Used:
        """Count the groups of a subscription in a location, all or all but one."""
        used = Used()
        for key, spec in self._store.specs("containerGroups", subscription):
            there, cores, spot = (_remembered if len(spec) <= _LARGEST_REMEMBERED else _counted)(spec)
            if there != location or key == apart_from:
                continue
            used.groups += 1
            if spot:
                used.spot_cores += cores
            else:
                used.cores += cores
        return used

    def refuse_beyond(self, wanted: ContainerGroup, identity: ResourceId) -> None:
        """Refuse a group with which a quota would be exceeded (409)."""
        location = wanted.location or ""
        used = self.used(identity.subscription.lower(), location, apart_from=identity.key)
        requests = [one.resources.requests for one in wanted.containers or () if one.resources]
        cores = sum((each.cpu or 0.0) for each in requests if each)
        spot = wanted.priority == "Spot"
        for quota, limit, usage, requested in (
            (_GROUPS, self._settings.groups, used.groups, 1),
            (_SPOT, self._settings.cores, used.spot_cores, cores if spot else 0),
            (_CORES, self._settings.cores, used.cores, 0 if spot else cores),
        ):
            # Sums of decimal fractions are a little off.
            if requested and usage + requested > limit + 1e-9:
                raise faults.quota_exceeded(quota, location, limit=limit, usage=usage, requested=requested)

    def usages(self, subscription: str, location: str, *, with_ids: bool) -> list[Usage]:
        """Tell what is used of each quota; parts of a core count as one."""
        used = self.used(subscription.lower(), location)
        figures = {
            _GROUPS: (used.groups, self._settings.groups),
            _CORES: (math.ceil(used.cores - 1e-9), self._settings.cores),
            _SPOT: (math.ceil(used.spot_cores - 1e-9), self._settings.cores),
        }
        where = f"/subscriptions/{subscription}/providers/{PROVIDER}/locations/{location}/usages"
        return [
            Usage(
                id=f"{where}/{name[0].lower()}{name[1:]}" if with_ids else None,
                unit="Count",
                current_value=figures.get(name, (0, 0))[0],
                limit=figures.get(name, (0, 0))[1],
                name=UsageName(value=name, localized_value=words),
            )
            for name, words in _NAMES.items()
        ]
