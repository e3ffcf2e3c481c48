"""NGroups: sets of container groups made from profiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from ...models import (
    ContainerGroup,
    ContainerGroupIdentity,
    ContainerGroupProfileReferenceDefinition,
    ContainerGroupProfileStub,
    ElasticProfile,
    Model,
    NGroup,
    NGroupPatch,
    from_builtins,
    from_json,
    to_builtins,
    to_json,
)
from ...wire import lenient
from ...wire.faults import Detail, bad_request, invalid_content, link_forbidden
from ...wire.ids import PROVIDER, ResourceId
from ..call import Caller
from ..duration import seconds
from ..store import Row
from .base import Admission, Defaults, Shown, location, refuse_move
from .links import links
from .profiles import NAME, as_group, bad_name, find, told
from .rules import problems
from .rules.names import LONGEST_NAME, named

_MOST_MEMBERS = 1000
_GUID = 36
_PERCENT = 100


class NGroups(Defaults):
    """The kind of sets."""

    name = "ngroups"
    type = f"{PROVIDER}/ngroups"
    noun = "NGroups"
    busy_code = "NGroupsTransitioning"

    def read(self, body: bytes, identity: ResourceId) -> NGroup:
        """Read a definition; what only the service writes is dropped."""
        wanted = lenient.read(NGroup, body)
        if wanted.name is not None and wanted.name.lower() != identity.name.lower():
            raise invalid_content(f"The name '{wanted.name}' is not the one in the URL, '{identity.name}'")
        return _only_theirs(wanted)

    def read_again(self, spec: bytes) -> NGroup:
        """Read a stored definition."""
        return from_json(NGroup, spec)

    def patched(self, held: NGroup, body: bytes) -> NGroup:
        """Lay a PATCH over the definition: members of objects one by one, tags and lists as a whole."""
        asked = to_builtins(lenient.read(NGroupPatch, body))
        return _only_theirs(from_builtins(NGroup, _laid(to_builtins(held), asked)))

    def idle(self, row: Row) -> bool:
        """Tell whether it was stopped."""
        return row.desired == "stop"

    def one_less(self, spec: bytes) -> bytes:
        """Give a definition after one of its groups was deleted by somebody: one less, unless it is maintained."""
        wanted = self.read_again(spec)
        elastic = wanted.elastic_profile or ElasticProfile()
        if elastic.maintain_desired_count:
            return spec
        count = max(0, (elastic.desired_count or 0) - 1)
        return to_json(replace(wanted, elastic_profile=replace(elastic, desired_count=count)))

    def validate(self, wanted: NGroup, identity: ResourceId) -> None:
        """Check a definition by itself."""
        found = [*_problems(wanted, identity.name)]
        if found:
            raise bad_request(found)

    def resolve(self, wanted: NGroup, identity: ResourceId, admission: Admission, caller: Caller | None) -> NGroup:
        """Name the revision of each profile, the newest unless one is named, and check the groups to be made."""
        stubs, found = [], []
        for at, stub in enumerate(wanted.container_group_profiles or ()):
            named_id = stub.resource.id if stub.resource else None
            profile = find(named_id, stub.revision, f"NGroups '{identity.name}'", admission, caller)
            stubs.append(replace(stub, revision=profile.revision))
            group = replace(
                as_group(profile), subnet_ids=_subnets(stub), identity=_identity(wanted), location=wanted.location
            )
            for action, link in links(group):
                if caller is not None and not admission.may(caller, action, link.lower()):
                    raise link_forbidden(caller.app_id, caller.object_id, action, link)
            found += [
                replace(each, target=f"properties.containerGroupProfiles[{at}]: {each.target}")
                for each in problems(group, identity.name)
                if each.code != "InvalidContainerGroupName"
            ]
        if found:
            raise bad_request(found)
        return replace(wanted, container_group_profiles=stubs if wanted.container_group_profiles is not None else None)

    async def admit(self, wanted: NGroup, held: Row | None, identity: ResourceId, admission: Admission) -> NGroup:
        """Fill in the location; what a PUT omits of the count stays as it was; zones can be added only."""
        where = location(wanted.location, identity, admission)
        elastic = wanted.elastic_profile or ElasticProfile()
        if held is not None:
            before = self.read_again(held.spec)
            refuse_move(before.location, where, identity)
            gone = [zone for zone in before.zones or () if zone not in (wanted.zones or ())]
            if gone:
                message = f"The zones '{','.join(gone)}' of NGroups '{identity.name}' can't be removed, only added to."
                raise bad_request([Detail(code="InvalidNGroupsUpdate", message=message, target="zones")])
            was = before.elastic_profile or ElasticProfile()
            elastic = replace(
                elastic,
                desired_count=was.desired_count if elastic.desired_count is None else elastic.desired_count,
                maintain_desired_count=was.maintain_desired_count
                if elastic.maintain_desired_count is None
                else elastic.maintain_desired_count,
            )
        if elastic.desired_count is None:
            elastic = replace(elastic, desired_count=0)
        return replace(wanted, location=where, elastic_profile=elastic)

    def public(self, wanted: NGroup) -> bytes:
        """Give the definition; it has no secrets."""
        return to_json(wanted)

    def show(self, row: Row, shown: Shown) -> Model:
        """Give a set as it is answered."""
        state = {"gone": "Deleting"}.get(row.desired, _STATES.get(row.provisioning_state, row.provisioning_state))
        return replace(self.read_again(row.spec), id=row.id, name=row.name, type=self.type, provisioning_state=state)


_STATES = {"Pending": "Creating"}
"""The contract has no Pending for sets."""


def member(wanted: NGroup, stub: ContainerGroupProfileStub, zone: str, parent: str) -> ContainerGroup:
    """Define a group of a set: a reference to the profile, and what the set adds."""
    return ContainerGroup(
        location=wanted.location,
        zones=[zone] if zone else None,
        tags=told(wanted.tags) or None,
        identity=_identity(wanted),
        subnet_ids=_subnets(stub),
        container_group_profile=ContainerGroupProfileReferenceDefinition(
            id=stub.resource.id if stub.resource else None, revision=stub.revision
        ),
        orchestrator_id=parent,
    )


def prefix(wanted: NGroup) -> str:
    """Give what the names of a set's groups begin with; a GUID follows."""
    policy = wanted.elastic_profile.container_group_naming_policy if wanted.elastic_profile else None
    return (policy.guid_naming_policy.prefix if policy and policy.guid_naming_policy else None) or ""


def _identity(wanted: NGroup) -> ContainerGroupIdentity | None:
    held = wanted.identity
    if held is None:
        return None
    return ContainerGroupIdentity(type=held.type, user_assigned_identities=held.user_assigned_identities)


def _subnets(stub: ContainerGroupProfileStub) -> Any:
    return stub.container_group_properties.subnet_ids if stub.container_group_properties else None


def _only_theirs(wanted: NGroup) -> NGroup:
    return replace(wanted, id=None, name=None, type=None, provisioning_state=None)


def _laid(held: Any, asked: dict[str, Any]) -> dict[str, Any]:
    out = dict(held)
    for name, value in asked.items():
        nested = isinstance(value, dict) and isinstance(held.get(name), dict) and name != "tags"
        out[name] = _laid(held[name], value) if nested else value
    return out


def _problems(wanted: NGroup, name: str) -> Iterator[Detail]:
    if not NAME.fullmatch(name):
        yield bad_name("NGroups", name)

    def wrong(member: str, what: str, target: str) -> Detail:
        message = f"The '{member}' of NGroups '{name}' is invalid: {what}."
        return Detail(code="InvalidNGroupsProperty", message=message, target=f"properties.{target}")

    elastic = wanted.elastic_profile or ElasticProfile()
    count = elastic.desired_count
    if count is not None and not 0 <= count <= _MOST_MEMBERS:
        yield wrong("desiredCount", f"{count} is not between 0 and {_MOST_MEMBERS}", "elasticProfile.desiredCount")
    begin = prefix(wanted)
    if begin and (not named(begin + "0") or "--" in begin or len(begin) > LONGEST_NAME - _GUID):
        yield wrong(
            "prefix", f"'{begin}' must be lower-case letters, digits and single hyphens, at most "
            f"{LONGEST_NAME - _GUID} of them, and begin with a letter or a digit",
            "elasticProfile.containerGroupNamingPolicy.guidNamingPolicy.prefix",
        )  # fmt: skip
    yield from _update_problems(wanted, wrong)
    yield from _refused(wanted, name)


def _update_problems(wanted: NGroup, wrong: Any) -> Iterator[Detail]:
    update = wanted.update_profile
    if update is None:
        return
    if update.update_mode not in (None, "Manual", "Rolling"):
        yield wrong("updateMode", f"'{update.update_mode}' is neither Manual nor Rolling", "updateProfile.updateMode")
    rolling = update.rolling_update_profile
    if rolling is None:
        return
    where = "updateProfile.rollingUpdateProfile"
    for member, percent, least in (
        ("maxBatchPercent", rolling.max_batch_percent, 1),
        ("maxUnhealthyPercent", rolling.max_unhealthy_percent, 0),
    ):
        if percent is not None and not least <= percent <= _PERCENT:
            yield wrong(member, f"{percent} is not between {least} and {_PERCENT}", f"{where}.{member}")
    pause = rolling.pause_time_between_batches
    if pause is not None and seconds(pause) is None:
        yield wrong("pauseTimeBetweenBatches", f"'{pause}' is no duration such as 'PT30S'",
                    f"{where}.pauseTimeBetweenBatches")  # fmt: skip


def _refused(wanted: NGroup, name: str) -> Iterator[Detail]:
    """Refuse what this service can't give."""

    def no(what: str, target: str) -> Detail:
        message = f"The NGroups '{name}' asks for {what}, which this service does not offer."
        return Detail(code="FeatureNotSupported", message=message, target=f"properties.{target}")

    placement = wanted.placement_profile
    if placement and placement.fault_domain_count not in (None, 1):
        yield no("more than one fault domain", "placementProfile.faultDomainCount")
    for at, stub in enumerate(wanted.container_group_profiles or ()):
        where = f"containerGroupProfiles[{at}]"
        added = stub.container_group_properties
        for asked, what, target in (
            (stub.network_profile, "load balancers", "networkProfile"),
            (stub.storage_profile, "file shares of the set", "storageProfile"),
            (added and added.volumes, "volumes that the profile does not have", "containerGroupProperties.volumes"),
            (added and added.containers, "mounts that the profile does not have",
             "containerGroupProperties.containers"),
        ):  # fmt: skip
            if asked:
                yield no(what, f"{where}.{target}")
