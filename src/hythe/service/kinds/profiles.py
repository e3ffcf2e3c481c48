"""Container group profiles: definitions of groups in numbered revisions, and the groups that are made from them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import fields, replace

from ...models import (
    Container,
    ContainerGroup,
    ContainerGroupProfile,
    EnvironmentVariable,
    Model,
    from_json,
    to_json,
)
from ...wire import lenient
from ...wire.faults import Detail, Fault, bad_request, invalid_content
from ...wire.ids import PROVIDER, ResourceId, of_type
from ...wire.tags import GRACE, TTL
from ..call import Caller
from ..duration import seconds
from ..store import Row
from .base import Admission, Defaults, Shown, location, refuse_move
from .rules import problems
from .secrets import without_secrets

NAME = re.compile(r"[a-zA-Z0-9]|[a-zA-Z0-9][-_a-zA-Z0-9]{0,61}[a-zA-Z0-9]")
"""What profiles and sets may be called, from the contract."""

_OWN = ("id", "name", "type", "location", "tags", "zones")
_SHARED = tuple(
    name
    for name in (field.name for field in fields(ContainerGroupProfile))
    if name not in _OWN and name in ContainerGroup.__struct_fields__
)
"""What a group takes from its profile."""


_OF_GROUPS_ALONE = ("InvalidContainerGroupName", "InvalidIpAddressTypeForNetworkProfile")
"""A profile's name may be another's than a group's, and its subnet comes with the group."""


class Profiles(Defaults):
    """The kind of container group profiles.  A revision is a generation of the row."""

    name = "containerGroupProfiles"
    type = f"{PROVIDER}/containerGroupProfiles"
    noun = "container group profile"
    busy_code = "ContainerGroupProfileTransitioning"
    keeps_revisions = True

    def read(self, body: bytes, identity: ResourceId) -> ContainerGroupProfile:
        """Read a definition; what only the service writes is dropped."""
        profile = lenient.read(ContainerGroupProfile, body)
        if profile.name is not None and profile.name.lower() != identity.name.lower():
            raise invalid_content(f"The name '{profile.name}' is not the one in the URL, '{identity.name}'")
        return replace(
            profile,
            id=None,
            name=None,
            type=None,
            revision=None,
            registered_revisions=None,
            containers=[replace(one, instance_view=None) for one in profile.containers or ()],
            init_containers=[replace(one, instance_view=None) for one in profile.init_containers or ()],
            ip_address=replace(profile.ip_address, ip=None, fqdn=None) if profile.ip_address else None,
        )

    def read_again(self, spec: bytes) -> ContainerGroupProfile:
        """Read a stored definition."""
        return from_json(ContainerGroupProfile, spec)

    def validate(self, wanted: ContainerGroupProfile, identity: ResourceId) -> None:
        """Check a definition as that of a group, and what only profiles have."""
        name = identity.name
        found = [] if NAME.fullmatch(name) else [bad_name("container group profile", name)]
        found += [each for each in problems(as_group(wanted), name) if each.code not in _OF_GROUPS_ALONE]
        for member, text in (
            ("shutdownGracePeriod", wanted.shutdown_grace_period),
            ("timeToLive", wanted.time_to_live),
        ):
            if text is not None and _length(text) is None:
                found.append(
                    Detail(
                        code="InvalidDuration",
                        message=f"The '{member}' '{text}' of container group profile '{name}' is invalid. It must be "
                        "a duration such as 'PT30S', or a time that lies as far after 1970-01-01T00:00:00Z.",
                        target=f"properties.{member}",
                    )
                )
        for asked, what, target in (
            (wanted.security_context, "a security context of the whole group", "securityContext"),
            (wanted.use_krypton, "Krypton", "useKrypton"),
        ):
            if asked:
                found.append(
                    Detail(
                        code="FeatureNotSupported",
                        message=f"The container group profile '{name}' asks for {what}, which this service does not "
                        "offer.",
                        target=f"properties.{target}",
                    )
                )
        if found:
            raise bad_request(found)

    async def admit(
        self, wanted: ContainerGroupProfile, held: Row | None, identity: ResourceId, admission: Admission
    ) -> ContainerGroupProfile:
        """Fill in the location and what every profile shows."""
        where = location(wanted.location, identity, admission)
        if held is not None:
            refuse_move(self.read_again(held.spec).location, where, identity)
        return replace(wanted, location=where, sku=wanted.sku or "Standard")

    def public(self, wanted: ContainerGroupProfile) -> bytes:
        """Give the definition without secrets."""
        return to_json(without_secrets(wanted))

    def whole(self, wanted: ContainerGroupProfile) -> bytes | None:
        """Give the definition with its secrets, or None if it has none."""
        whole = to_json(wanted)
        return whole if whole != self.public(wanted) else None

    def show(self, row: Row, shown: Shown) -> Model:
        """Give a revision as it is answered."""
        return replace(self.read_again(row.spec), id=row.id, name=row.name, type=self.type, revision=row.generation)


def bad_name(what: str, name: str) -> Detail:
    """Report a name that the contract does not allow."""
    return Detail(
        code="InvalidResourceName",
        message=f"The {what} name '{name}' is invalid. It can hold letters, digits, '-' and '_', must begin and end "
        "with a letter or a digit, and can't be longer than 63 characters.",
        target="name",
    )


def _length(text: str) -> float | None:
    """Read a duration, or a time that counts by how far it lies after 1970 (as the contract has it), in seconds."""
    try:
        when = datetime.fromisoformat(text) if text[:4].isdecimal() and "-" in text else None
    except ValueError:
        return None
    if when is None:
        return seconds(text)
    since = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return since if since >= 0 else None


def as_group(profile: ContainerGroupProfile) -> ContainerGroup:
    """Give the group that a profile describes: a time to live and a grace period become tags of the group."""
    tags = {}
    for tag, text in ((TTL, profile.time_to_live), (GRACE, profile.shutdown_grace_period)):
        length = _length(text) if text else None
        if length is not None:
            tags[tag] = str(round(length))
    return ContainerGroup(tags=tags or None, **{name: getattr(profile, name) for name in _SHARED})


# --- groups made from profiles ----------------------------------------------------------------------------------


def find(reference: str | None, revision: int | None, what: str, admission: Admission, caller: Caller | None) -> Any:
    """Give a profile that a definition names, with its secrets.  Raises `Fault` if it is not there or not for them."""
    identity = of_type(reference or "", Profiles.type)
    if identity is None:
        raise Fault(
            400, "LinkedInvalidPropertyId", f"Property id '{reference or ''}' at path "
            f"'properties.containerGroupProfile.id' is invalid. Expect the id of a {Profiles.type}.",
        )  # fmt: skip
    action = f"{Profiles.type}/read"
    if caller is not None and not admission.may(caller, action, identity.text):
        raise Fault(
            403,
            "LinkedAuthorizationFailed",
            f"The client '{caller.app_id}' with object id '{caller.object_id}' has permission to perform the action "
            f"on {what}; however, it does not have permission to perform action '{action}' on the linked scope "
            f"'{identity.text}' or the linked scope is invalid.",
        )
    found = admission.profile(identity, revision)
    if found is None:
        number = "" if revision is None else f" revision '{revision}'"
        raise Fault(
            400,
            "ContainerGroupProfileNotFound",
            f"Container group profile '{identity.text}'{number} is not found for {what}.",
        )
    return found


def made_from(
    group: ContainerGroup, identity: ResourceId, admission: Admission, caller: Caller | None
) -> ContainerGroup:
    """Give a group with what its profile says; its containers may carry names and config maps, nothing else."""
    reference = group.container_group_profile
    assert reference is not None  # noqa: S101 - the caller looked
    profile = find(reference.id, reference.revision, f"container group '{identity.name}'", admission, caller)
    template = as_group(profile)
    held = admission.store.get(identity.key)
    parent = group.orchestrator_id or (held.parent if held else "")
    if parent:
        template = _told(template, group.tags or {}, {"containerGroupName": identity.name, "orchestratorId": parent})
    taken = {name: getattr(group, name) or getattr(template, name) for name in _SHARED if name != "containers"}
    return replace(
        group,
        **taken,
        tags={**(template.tags or {}), **(group.tags or {})} or None,
        container_group_profile=replace(reference, revision=profile.revision),
        containers=_containers(group, template, identity.name),
        orchestrator_id=None,
    )


NAMES_TAG = "metadata.container.environmentVariable."
"""Begins the tags by which a set says that its groups are told about themselves in variables."""


def told(tags: dict[str, str] | None) -> dict[str, str]:
    """Give the tags of a set by which its groups are told their name and the id of the set."""
    return {
        name: value
        for name, value in (tags or {}).items()
        if name.lower().startswith(NAMES_TAG.lower()) and value.lower() == "true"
    }


def _told(template: ContainerGroup, tags: dict[str, str], facts: dict[str, str]) -> ContainerGroup:
    """Put what a group of a set is told into the variables of its containers, where they have no such variable."""
    asked = {name.lower() for name in told(tags)}
    variables = [
        EnvironmentVariable(name=name[0].upper() + name[1:], value=value)
        for name, value in facts.items()
        if (NAMES_TAG + name).lower() in asked
    ]

    def with_them(one: Container) -> Container:
        have = one.environment_variables or []
        names = {each.name for each in have}
        return replace(one, environment_variables=[*have, *(each for each in variables if each.name not in names)])

    return replace(template, containers=[with_them(one) for one in template.containers or ()])


def _containers(group: ContainerGroup, template: ContainerGroup, name: str) -> list[Container]:
    """Lay the names and config maps of a group's containers into the containers of its profile.

    Which is which is told by their names; but where there is but one, it may have another name in the group: `az
    container create` always calls it what the group is called.
    """
    if len(group.containers or ()) == 1 and len(template.containers or ()) == 1:
        pairs = zip(group.containers or (), template.containers or (), strict=True)
        template = replace(template, containers=[replace(one, name=asked.name or one.name) for asked, one in pairs])
    readable = {one.name: one for one in without_secrets(template).containers or ()}
    given = {one.name: one for one in group.containers or ()}
    found = []
    for at, one in enumerate(group.containers or ()):
        of_profile = readable.get(one.name)
        where = f"properties.containers[{at}]"
        if of_profile is None:
            found.append(_contradicts(f"has no container '{one.name}'", name, f"{where}.name"))
            continue
        for member in Container.__struct_fields__:
            said, there = getattr(one, member), getattr(of_profile, member)
            if member not in ("name", "config_map") and said and said != there:
                what = f"says otherwise about '{member}' of container '{one.name}'"
                found.append(_contradicts(what, name, f"{where}.properties"))
    if found:
        raise bad_request(found)
    return [
        replace(one, config_map=given[one.name].config_map or one.config_map) if one.name in given else one
        for one in template.containers or ()
    ]


def _contradicts(what: str, name: str, target: str) -> Detail:
    return Detail(
        code="InvalidContainerGroupProfileOverride",
        message=f"The container group profile of container group '{name}' {what}. Containers of a group that is made "
        "from a profile can carry only their name and a config map.",
        target=target,
    )
