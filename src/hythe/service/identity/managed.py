"""The managed identities of a container group: who they are.  Pure.

The identity that a group has of its own follows from its uid: it is there from the PUT on, stays over every update,
and a group made again under the same name is somebody else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from ...models import ContainerGroupIdentity, UserAssignedIdentities
from ...wire.faults import Detail, bad_request

_SPACE = uuid.UUID("6f2b4f0e-5c5b-4c0f-9d0a-6a1f4c1d9b6e")
SYSTEM, USER = "SystemAssigned", "UserAssigned"


class Known(Protocol):
    """A user-assigned identity, as far as a group is told of it."""

    @property
    def principal_id(self) -> str | None:
        """Its object id."""

    @property
    def client_id(self) -> str | None:
        """The id that programs name."""


UserIdentity = Callable[[str], Known | None]
"""Port: the user-assigned identity with this ARM id, or None if there is none."""


class Managed(Struct, frozen=True, kw_only=True):
    """One identity that a group can have tokens of."""

    client_id: str
    object_id: str
    resource_id: str = ""
    """Of a user-assigned identity; empty for the group's own."""


def own(uid: str) -> Managed:
    """Give the identity that is a group's own."""
    return Managed(
        client_id=str(uuid.uuid5(_SPACE, f"client {uid}")), object_id=str(uuid.uuid5(_SPACE, f"object {uid}"))
    )


def has(identity: ContainerGroupIdentity | None, kind: str) -> bool:
    """Tell whether identities are of a kind: the type names one or both."""
    return identity is not None and kind in (identity.type or "").replace(" ", "").split(",")


def of_group(identity: ContainerGroupIdentity | None, uid: str) -> list[Managed]:
    """Give every identity of a group, its own first."""
    found = [own(uid)] if has(identity, SYSTEM) else []
    if identity is not None and has(identity, USER):
        for resource_id, one in (identity.user_assigned_identities or {}).items():
            if one.client_id and one.principal_id:
                found.append(Managed(client_id=one.client_id, object_id=one.principal_id, resource_id=resource_id))
    return found


def admitted(
    asked: ContainerGroupIdentity | None,
    name: str,
    tenant: str,
    find: UserIdentity,
) -> ContainerGroupIdentity | None:
    """Check the identities that a group asks for, and fill in who they are.  Raises `Fault`."""
    if asked is None or asked.type in (None, "None"):
        return None
    if not has(asked, SYSTEM) and not has(asked, USER):
        raise _invalid(name, f"The type '{asked.type}' must be one of '{SYSTEM},{USER}' or both.", "type")
    users: dict[str, UserAssignedIdentities] = {}
    if has(asked, USER):
        if not asked.user_assigned_identities:
            raise _invalid(name, f"The type '{asked.type}' needs 'userAssignedIdentities'.", "userAssignedIdentities")
        for resource_id in asked.user_assigned_identities:
            found = find(resource_id)
            if found is None:
                raise _invalid(name, f"There is no user-assigned identity '{resource_id}'.", "userAssignedIdentities")
            users[resource_id] = UserAssignedIdentities(principal_id=found.principal_id, client_id=found.client_id)
    return ContainerGroupIdentity(tenant_id=tenant, type=asked.type, user_assigned_identities=users or None)


def shown_identity(identity: ContainerGroupIdentity | None, uid: str) -> ContainerGroupIdentity | None:
    """Give identities as they are answered: with the principal of the group's own."""
    if identity is None or not has(identity, SYSTEM):
        return identity
    return replace(identity, principal_id=own(uid).object_id)


def _invalid(name: str, why: str, member: str) -> Exception:
    return bad_request(
        [
            Detail(
                code="InvalidIdentity",
                message=f"The identity of container group '{name}' is invalid. {why}",
                target=f"identity.{member}",
            )
        ]
    )
