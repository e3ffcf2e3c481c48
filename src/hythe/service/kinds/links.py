"""What a definition makes use of besides itself: its caller needs a right over each."""

from __future__ import annotations

from collections.abc import Iterator

from ...models import ContainerGroup, SandboxGroup
from .sandbox_groups import subnets_of

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"


def links(wanted: object) -> Iterator[tuple[str, str]]:
    """Give an action and an id for each identity and each subnet that a group is to have."""
    if isinstance(wanted, SandboxGroup):
        yield from ((JOIN, subnet) for subnet in subnets_of(wanted))
    if not isinstance(wanted, ContainerGroup):
        return
    for identity in (wanted.identity.user_assigned_identities if wanted.identity else None) or ():
        yield ASSIGN, identity
    for subnet in wanted.subnet_ids or ():
        yield JOIN, subnet.id or ""
