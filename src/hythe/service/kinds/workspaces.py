"""Log workspaces, as far as clients look them up: this service posts logs (`service.postings`), and keeps none."""

from __future__ import annotations

import uuid

from msgspec.structs import replace

from ...models.workspaces import Workspace, WorkspaceSku
from ...wire.ids import ResourceId
from ..store import Row
from .base import Admission
from .records import Record, location_of

_SKU, _RETENTION = "PerGB2018", 30
"""What Azure fills in."""


class Workspaces(Record[Workspace]):
    """The kind of log workspaces."""

    name = "workspaces"
    type = "Microsoft.OperationalInsights/workspaces"
    noun = "log workspace"
    model = Workspace
    read_only = ("id", "name", "type", "customer_id", "provisioning_state")

    async def admit(self, wanted: Workspace, held: Row | None, identity: ResourceId, admission: Admission) -> Workspace:
        """Make the customer id of a new workspace; one that is there keeps it."""
        before = self.read_again(held.spec) if held else Workspace()
        return replace(
            wanted,
            location=before.location or location_of(wanted.location, identity, admission),
            tags=wanted.tags if wanted.tags is not None else {},
            customer_id=before.customer_id or str(uuid.uuid4()),
            sku=wanted.sku or before.sku or WorkspaceSku(name=_SKU),
            retention_in_days=wanted.retention_in_days or before.retention_in_days or _RETENTION,
        )
