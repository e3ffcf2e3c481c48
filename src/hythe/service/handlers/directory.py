"""What is above resource groups: subscriptions, tenants, the endpoints of this cloud, what the provider can do."""

from __future__ import annotations

from ...wire.faults import subscription_not_found
from ...wire.ids import PROVIDER
from ..answers import Answer, plain
from ..call import Call
from .api import Api

_OPERATIONS = (
    ("containerGroups/read", "Container Group", "Get Container Groups", "Get all container groups."),
    ("containerGroups/write", "Container Group", "Create Container Groups", "Create or update a container group."),
    ("containerGroups/delete", "Container Group", "Delete Container Groups", "Delete a container group."),
    ("containerGroups/start/action", "Container Group", "Start Container Groups", "Start a container group."),
    ("containerGroups/stop/action", "Container Group", "Stop Container Groups", "Stop a container group."),
    ("containerGroups/restart/action", "Container Group", "Restart Container Groups", "Restart a container group."),
    ("containerGroups/containers/logs/read", "Container", "Get Container Logs", "Get the log of a container."),
)


def operations(api: Api, call: Call) -> Answer:
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


def subscriptions(api: Api, call: Call) -> Answer:
    """List the subscriptions."""
    return plain({"value": [_subscription(each.id, each.name, each.tenant)
                            for each in api.store.subscriptions()]})  # fmt: skip


def subscription(api: Api, call: Call) -> Answer:
    """Show a subscription."""
    held = api.store.subscription(call.subscription)
    if held is None:
        raise subscription_not_found(call.subscription)
    return plain(_subscription(held.id, held.name, held.tenant))


def tenants(api: Api, call: Call) -> Answer:
    """List the tenants."""
    tenants = dict.fromkeys(each.tenant for each in api.store.subscriptions())
    return plain(
        {
            "value": [
                {"id": f"/tenants/{each}", "tenantId": each, "displayName": "Hythe", "tenantCategory": "Home"}
                for each in tenants
            ]
        }
    )


def metadata(api: Api, call: Call) -> Answer:
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
