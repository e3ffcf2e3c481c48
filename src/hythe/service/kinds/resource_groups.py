"""Resource groups: folders whose deletion deletes what is in them."""

from __future__ import annotations

import re

from ...models import Model, ResourceGroup, ResourceGroupProperties, from_json, to_json
from ...wire import lenient
from ...wire.faults import Fault
from ...wire.ids import ResourceId
from ..store import Row
from .base import Admission, Defaults, Shown, region

_NAME = re.compile(r"[-\w._()]{1,90}")


class ResourceGroups(Defaults):
    """The kind of resource groups."""

    name = "resourceGroups"
    type = "Microsoft.Resources/resourceGroups"
    noun = "resource group"

    def read(self, body: bytes, identity: ResourceId) -> ResourceGroup:
        """Read a definition."""
        return lenient.read(ResourceGroup, body)

    def read_again(self, spec: bytes) -> ResourceGroup:
        """Read a stored definition."""
        return from_json(ResourceGroup, spec)

    def validate(self, wanted: ResourceGroup, identity: ResourceId) -> None:
        """Check name and location."""
        name = identity.resource_group
        if not _NAME.fullmatch(name) or name.endswith("."):
            raise Fault(
                400,
                "InvalidResourceGroup",
                f"The provided resource group name '{name}' has these invalid characters or is longer than 90. "
                "It can hold letters, digits, '-', '_', '.', '(' and ')', and can't end with '.'.",
            )
        if not wanted.location:
            raise Fault(400, "LocationRequired", "The location property is required for this definition.")

    async def admit(
        self, wanted: ResourceGroup, held: Row | None, identity: ResourceId, admission: Admission
    ) -> ResourceGroup:
        """Refuse another location than the one it has."""
        location = region(wanted.location or "")
        if held is not None:
            before = self.read_again(held.spec).location
            if before and before != location:
                raise Fault(
                    409,
                    "InvalidResourceGroupLocation",
                    f"Invalid resource group location '{location}'. The Resource group already exists in location "
                    f"'{before}'.",
                )
        return ResourceGroup(location=location, tags=wanted.tags, managed_by=wanted.managed_by)

    def public(self, wanted: ResourceGroup) -> bytes:
        """Give the definition; it has no secrets."""
        return to_json(wanted)

    def show(self, row: Row, shown: Shown) -> Model:
        """Give a resource group as it is answered."""
        held = self.read_again(row.spec)
        return ResourceGroup(
            id=row.id,
            name=row.name,
            type=self.type,
            location=held.location,
            tags=held.tags,
            managed_by=held.managed_by,
            properties=ResourceGroupProperties(provisioning_state="Deleting" if row.desired == "gone" else "Succeeded"),
        )
