"""The handlers behind the table of routes: each is one call of a verb, a stream or an owner's port."""

from __future__ import annotations

from typing import Any

import msgspec

from ..models import GenericResourceExpanded
from ..wire.faults import resource_group_not_found, subscription_not_found
from ..wire.ids import PROVIDER
from .admin import Admin
from .answers import Answer, empty, listed, plain
from .call import Call
from .resource import Resources
from .store import SqlStore
from .streams import Streams

_OPERATIONS = (
    ("containerGroups/read", "Container Group", "Get Container Groups", "Get all container groups."),
    ("containerGroups/write", "Container Group", "Create Container Groups", "Create or update a container group."),
    ("containerGroups/delete", "Container Group", "Delete Container Groups", "Delete a container group."),
    ("containerGroups/start/action", "Container Group", "Start Container Groups", "Start a container group."),
    ("containerGroups/stop/action", "Container Group", "Stop Container Groups", "Stop a container group."),
    ("containerGroups/restart/action", "Container Group", "Restart Container Groups", "Restart a container group."),
    ("containerGroups/containers/logs/read", "Container", "Get Container Logs", "Get the log of a container."),
)


class Handlers:
    """Everything that a route can lead to."""

    def __init__(
        self, store: SqlStore, resources: Resources, streams: Streams, admin: Admin, health: dict[str, Any]
    ) -> None:
        self._store = store
        self._resources = resources
        self._streams = streams
        self._admin = admin
        self._health = health

    # --- container groups ---

    def list_groups(self, call: Call) -> Answer:
        """List the groups of a subscription."""
        return self._resources.list_(self._resources.container_groups, call)

    def list_groups_in(self, call: Call) -> Answer:
        """List the groups of a resource group."""
        folder = self._resources.folder(call).resource_group
        return self._resources.list_(self._resources.container_groups, call, folder)

    def get_group(self, call: Call) -> Answer:
        """Show a group."""
        return self._resources.get(self._resources.container_groups, call.container_group, call)

    async def put_group(self, call: Call) -> Answer:
        """Create or update a group."""
        return await self._resources.put(self._resources.container_groups, call.container_group, call)

    def patch_group(self, call: Call) -> Answer:
        """Replace a group's tags."""
        return self._resources.patch(self._resources.container_groups, call.container_group, call)

    async def delete_group(self, call: Call) -> Answer:
        """Delete a group."""
        return await self._resources.delete(self._resources.container_groups, call.container_group, call)

    async def start_group(self, call: Call) -> Answer:
        """Start a group."""
        return await self._resources.act("start", call)

    async def stop_group(self, call: Call) -> Answer:
        """Stop a group."""
        return await self._resources.act("stop", call)

    async def restart_group(self, call: Call) -> Answer:
        """Restart a group."""
        return await self._resources.act("restart", call)

    def outbound(self, call: Call) -> Answer:
        """Name what a group needs to reach: nothing."""
        self._resources.row(self._resources.container_groups, call.container_group, call)
        return plain([])

    async def logs(self, call: Call) -> Answer:
        """Show what a container wrote."""
        row = self._resources.row(self._resources.container_groups, call.container_group, call)
        return await self._streams.logs(row, call)

    def operations(self, call: Call) -> Answer:
        """List what the provider can do."""
        return plain(
            {
                "value": [
                    {
                        "name": f"{PROVIDER}/{name}",
                        "display": {
                            "provider": "Microsoft Container Instance",
                            "resource": resource,
                            "operation": operation,
                            "description": description,
                        },
                        "origin": "User",
                    }
                    for name, resource, operation, description in _OPERATIONS
                ]
            }
        )

    async def operation(self, call: Call) -> Answer:
        """Show how an operation stands."""
        return await self._resources.operation(call)

    # --- resource groups and what is above them ---

    def list_folders(self, call: Call) -> Answer:
        """List the resource groups of a subscription."""
        return self._resources.list_(self._resources.resource_groups, call)

    def check_folder(self, call: Call) -> Answer:
        """Tell whether a resource group is there."""
        self._resources.subscription(call)
        if self._store.get(call.resource_group.key) is None:
            raise resource_group_not_found(call.params["resourceGroupName"])
        return empty(204)

    def get_folder(self, call: Call) -> Answer:
        """Show a resource group."""
        self._resources.folder(call)
        return self._resources.get(self._resources.resource_groups, call.resource_group, call)

    async def put_folder(self, call: Call) -> Answer:
        """Create or update a resource group."""
        return await self._resources.put(self._resources.resource_groups, call.resource_group, call)

    def patch_folder(self, call: Call) -> Answer:
        """Replace a resource group's tags."""
        self._resources.folder(call)
        return self._resources.patch(self._resources.resource_groups, call.resource_group, call)

    def delete_folder(self, call: Call) -> Answer:
        """Delete a resource group and what is in it."""
        return self._resources.delete_folder(call)

    async def operation_result(self, call: Call) -> Answer:
        """Show whether a deletion has ended."""
        return await self._resources.operation_result(call)

    def list_resources(self, call: Call) -> Answer:
        """List what is in a resource group."""
        folder = self._resources.folder(call)
        kinds = {self._resources.container_groups.name: self._resources.container_groups.type}
        shown = []
        for row in self._store.listed(None, folder.subscription, folder.resource_group):
            if row.kind in kinds:
                held = msgspec.json.decode(row.spec)
                shown.append(
                    GenericResourceExpanded(
                        id=row.id,
                        name=row.name,
                        type=kinds[row.kind],
                        location=held.get("location"),
                        tags=held.get("tags"),
                    )
                )
        return listed(shown)

    def subscriptions(self, call: Call) -> Answer:
        """List the subscriptions."""
        return plain({"value": [_subscription(each.id, each.name, each.tenant)
                                for each in self._store.subscriptions()]})  # fmt: skip

    def subscription(self, call: Call) -> Answer:
        """Show a subscription."""
        held = self._store.subscription(call.subscription)
        if held is None:
            raise subscription_not_found(call.subscription)
        return plain(_subscription(held.id, held.name, held.tenant))

    def tenants(self, call: Call) -> Answer:
        """List the tenants."""
        tenants = dict.fromkeys(each.tenant for each in self._store.subscriptions())
        return plain(
            {
                "value": [
                    {"id": f"/tenants/{each}", "tenantId": each, "displayName": "Hythe", "tenantCategory": "Home"}
                    for each in tenants
                ]
            }
        )

    def metadata(self, call: Call) -> Answer:
        """Name the endpoints of this cloud, as `az cloud register` asks."""
        return plain(
            {
                "name": "Hythe",
                "authentication": {
                    "loginEndpoint": f"{call.base_url}/adfs",
                    "audiences": [call.base_url],
                    "tenant": "common",
                    "identityProvider": "ADFS",
                },
                "resourceManager": call.base_url,
                "suffixes": {},
            }
        )

    # --- our own ---

    def health(self, call: Call) -> Answer:
        """Tell that the service answers, and with which engine."""
        return plain(self._health)

    def create_principal(self, call: Call) -> Answer:
        """Make a service principal."""
        return self._admin.create_principal(call)

    def intercept(self, call: Call) -> Answer:
        """Give a certificate for Azure's names that lasts for one run."""
        return self._admin.intercept()

    async def list_images(self, call: Call) -> Answer:
        """List the images."""
        return await self._admin.list_images()

    async def import_image(self, call: Call) -> Answer:
        """Import an archive that lies on this machine."""
        return await self._admin.import_image(call)

    async def remove_image(self, call: Call) -> Answer:
        """Remove an image."""
        return await self._admin.remove_image(call)

    def alias_image(self, call: Call) -> Answer:
        """Let an image stand for another name."""
        return self._admin.alias_image(call)


def _subscription(identity: str, name: str, tenant: str) -> dict[str, object]:
    return {
        "id": f"/subscriptions/{identity}",
        "subscriptionId": identity,
        "displayName": name,
        "state": "Enabled",
        "tenantId": tenant,
        "subscriptionPolicies": {"spendingLimit": "Off"},
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    }
