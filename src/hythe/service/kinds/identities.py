"""User-assigned identities: each is a principal of its own, without a secret that anybody knows."""

from __future__ import annotations

import uuid

from msgspec import Struct
from msgspec.structs import replace

from ...models import ManagedIdentity
from ...wire.ids import ResourceId, parse
from ..store import Row, SqlStore
from .base import Admission
from .records import Record, location_of


class UserAssignedIdentities(Record[ManagedIdentity]):
    """The kind of identities that groups are given."""

    name = "userAssignedIdentities"
    type = "Microsoft.ManagedIdentity/userAssignedIdentities"
    noun = "managed identity"
    model = ManagedIdentity
    read_only = ("id", "name", "type", "tenant_id", "principal_id", "client_id")

    async def admit(
        self, wanted: ManagedIdentity, held: Row | None, identity: ResourceId, admission: Admission
    ) -> ManagedIdentity:
        """Make the ids of a new identity; one that is there keeps them."""
        before = self.read_again(held.spec) if held else ManagedIdentity()
        return replace(
            wanted,
            location=before.location or location_of(wanted.location, identity, admission),
            tags=wanted.tags if wanted.tags is not None else {},
            tenant_id=admission.tenant,
            principal_id=before.principal_id or str(uuid.uuid4()),
            client_id=before.client_id or str(uuid.uuid4()),
        )


class Assigned(Struct, frozen=True, kw_only=True):
    """What a resource needs to know of an identity that it was given."""

    id: str
    principal_id: str
    client_id: str
    tenant: str


def assigned(store: SqlStore, arm_id: str) -> Assigned | None:
    """Find a user-assigned identity by its ARM id, in any case; None if there is none."""
    identity = parse(arm_id)
    row = store.get(identity.key) if identity else None
    if row is None or row.kind != UserAssignedIdentities.name or row.desired == "gone":
        return None
    return _assigned(row)


def by_client_id(store: SqlStore, client_id: str) -> Assigned | None:
    """Find a user-assigned identity by its client id."""
    rows = store.every(UserAssignedIdentities.name)
    return next((each for each in map(_assigned, rows) if each.client_id == client_id.lower()), None)


def _assigned(row: Row) -> Assigned:
    held = UserAssignedIdentities().read_again(row.spec)
    return Assigned(
        id=row.id,
        principal_id=held.principal_id or "",
        client_id=held.client_id or "",
        tenant=held.tenant_id or "",
    )
