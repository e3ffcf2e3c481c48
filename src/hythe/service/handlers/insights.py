"""Metrics: what groups use and used."""

from __future__ import annotations

import msgspec

from ..answers import Answer
from ..call import Call
from ..kinds import CONTAINER_GROUPS
from ..store import Row
from .api import Api

READ_METRICS = "Microsoft.Insights/metrics/read"


class _Located(msgspec.Struct):
    location: str = ""


def _row(api: Api, call: Call) -> Row:
    return api.resources.row(CONTAINER_GROUPS, call.container_group, call)


async def metrics(api: Api, call: Call) -> Answer:
    """Show what a group used, as Azure's metrics API does."""
    row = _row(api, call)
    return await api.metrics.insights(row, msgspec.json.decode(row.spec, type=_Located).location, call)


def definitions(api: Api, call: Call) -> Answer:
    """List what is measured of a group."""
    return api.metrics.definitions(_row(api, call))


def stats(api: Api, call: Call) -> Answer:
    """Show what a group uses now, and in each of its newest seconds."""
    return api.metrics.stats(_row(api, call), call)


def prometheus(api: Api, call: Call) -> Answer:
    """Show what groups use now in Prometheus' text format: those whose metrics the caller may read."""
    caller = call.caller
    return api.metrics.prometheus(lambda key: caller is not None and api.rights.may(caller, READ_METRICS, key))
