"""Sandbox groups, and the sandboxes in them: throw-away container groups that no list of container groups shows."""

from __future__ import annotations

import re

from msgspec.structs import replace

from ...models import (
    ContainerGroup,
    Model,
    SandboxGroup,
    SandboxGroupProperties,
    SandboxGroupTagsUpdate,
    from_json,
    to_json,
)
from ...wire import lenient
from ...wire.faults import Detail, Fault, bad_request, invalid_content
from ...wire.ids import PROVIDER, ResourceId
from ..store import Row
from .base import Admission, Defaults, Shown, location, refuse_move
from .container_groups import ContainerGroups
from .rules import problems
from .rules.subnets import id_problems
from .subnets import check_subnet

_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
AI_AGENTS_GROUPS = "2026-08-01-preview"
"""The api-version in which sandbox groups are called aiAgentsGroups."""
_STATES = {"Pending": "Accepted", "Creating": "Accepted"}
"""The contract has neither for sandbox groups."""


class SandboxGroups(Defaults):
    """The kind of sandbox groups."""

    name = "sandboxGroups"
    type = f"{PROVIDER}/sandboxGroups"
    noun = "sandbox group"
    busy_code = "SandboxGroupTransitioning"

    def read(self, body: bytes, identity: ResourceId) -> SandboxGroup:
        """Read a definition; what only the service writes is dropped."""
        wanted = lenient.read(SandboxGroup, body)
        if wanted.name is not None and wanted.name.lower() != identity.name.lower():
            raise invalid_content(f"The name '{wanted.name}' is not the one in the URL, '{identity.name}'")
        network = wanted.properties.network_profile if wanted.properties else None
        return replace(
            wanted, id=None, name=None, type=None, properties=SandboxGroupProperties(network_profile=network)
        )

    def read_again(self, spec: bytes) -> SandboxGroup:
        """Read a stored definition."""
        return from_json(SandboxGroup, spec)

    def patched(self, held: SandboxGroup, body: bytes) -> SandboxGroup:
        """Replace tags and identity."""
        asked = lenient.read(SandboxGroupTagsUpdate, body)
        return replace(
            held,
            tags=held.tags if asked.tags is None else asked.tags,
            identity=held.identity if asked.identity is None else asked.identity,
        )

    def validate(self, wanted: SandboxGroup, identity: ResourceId) -> None:
        """Check the name, and refuse what this service can't give."""
        name = identity.name
        found = []
        if not _NAME.fullmatch(name):
            message = (
                f"The sandbox group name '{name}' is invalid. It can hold letters, digits and inner '-', and can't be "
                "longer than 63 characters."
            )
            found.append(Detail(code="InvalidResourceName", message=message, target="name"))
        subnets = subnets_of(wanted)
        found += id_problems(subnets, "properties.networkProfile.subnets")
        if len(subnets) > 1:
            message = f"The sandbox group '{name}' asks for {len(subnets)} subnets. It can have one at most."
            found.append(Detail(code="TooManySubnets", message=message, target="properties.networkProfile.subnets"))
        if wanted.identity and wanted.identity.type not in (None, "None"):
            message = f"The sandbox group '{name}' asks for a managed identity, which this service does not offer."
            found.append(Detail(code="FeatureNotSupported", message=message, target="identity"))
        if found:
            raise bad_request(found)

    async def admit(
        self, wanted: SandboxGroup, held: Row | None, identity: ResourceId, admission: Admission
    ) -> SandboxGroup:
        """Fill in the location."""
        where = location(wanted.location, identity, admission)
        if held is not None:
            before = self.read_again(held.spec)
            refuse_move(before.location, where, identity)
            if [each.lower() for each in subnets_of(before)] != [each.lower() for each in subnets_of(wanted)]:
                raise Fault(
                    400, "PropertyChangeNotAllowed", "Changing property 'properties.networkProfile' is not allowed."
                )
        for subnet in subnets_of(wanted):
            check_subnet(admission.store, subnet, where, identity, admission.kept_ranges)
        return replace(wanted, location=where)

    def public(self, wanted: SandboxGroup) -> bytes:
        """Give the definition; it has no secrets."""
        return to_json(wanted)

    def show(self, row: Row, shown: Shown) -> Model:
        """Give a sandbox group as it is answered, under the name that it has in the caller's api-version."""
        held = self.read_again(row.spec)
        renamed = shown.api_version == AI_AGENTS_GROUPS
        state = "Deleting" if row.desired == "gone" else _STATES.get(row.provisioning_state, row.provisioning_state)
        return replace(
            held,
            id=_as_agents(row.id) if renamed else row.id,
            name=row.name,
            type=_as_agents(self.type) if renamed else self.type,
            properties=replace(
                held.properties or SandboxGroupProperties(),
                provisioning_state=state,
                management_resource_group_id=f"{row.id.partition('/providers/')[0].rpartition('/')[0]}/{row.name}-mrg",
            ),
        )


def subnets_of(group: SandboxGroup) -> list[str]:
    """Give the ids of the subnets that the sandboxes of a group can be in."""
    network = group.properties.network_profile if group.properties else None
    return [each.id or "" for each in (network.subnets if network else None) or ()]


def _as_agents(text: str) -> str:
    head, _, tail = text.partition("/sandboxGroups")
    return f"{head}/aiAgentsGroups{tail}"


class Sandboxes(ContainerGroups):
    """The kind of sandboxes: container groups in all but the lists that show them."""

    name = "sandboxes"
    type = f"{PROVIDER}/sandboxGroups/sandboxes"
    noun = "sandbox"
    busy_code = "SandboxTransitioning"

    def validate(self, wanted: ContainerGroup, identity: ResourceId) -> None:
        """Check a definition by the rules of groups."""
        found = problems(replace(wanted, tags=None), identity.name.rpartition("/")[2])  # the tags are our own
        if found:
            raise bad_request(found)
