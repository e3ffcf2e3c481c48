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
    ("containerGroupProfiles/read", "Container Group Profile", "Get Profiles", "Get all container group profiles."),
    ("containerGroupProfiles/write", "Container Group Profile", "Create Profiles", "Create or revise a profile."),
    ("containerGroupProfiles/delete", "Container Group Profile", "Delete Profiles", "Delete a profile."),
    ("containerGroupProfiles/revisions/read", "Container Group Profile", "Get Revisions", "Get a profile's revisions."),
    ("ngroups/read", "NGroups", "Get NGroups", "Get all sets of container groups."),
    ("ngroups/write", "NGroups", "Create NGroups", "Create or update a set of container groups."),
    ("ngroups/delete", "NGroups", "Delete NGroups", "Delete a set and its container groups."),
    ("ngroups/start/action", "NGroups", "Start NGroups", "Start the container groups of a set."),
    ("ngroups/stop/action", "NGroups", "Stop NGroups", "Stop the container groups of a set."),
    ("ngroups/restart/action", "NGroups", "Restart NGroups", "Restart the container groups of a set."),
    ("sandboxGroups/read", "Sandbox Group", "Get Sandbox Groups", "Get all sandbox groups."),
    ("sandboxGroups/write", "Sandbox Group", "Create Sandbox Groups", "Create or update a sandbox group."),
    ("sandboxGroups/delete", "Sandbox Group", "Delete Sandbox Groups", "Delete a sandbox group."),
    ("sandboxGroups/connect/action", "Sandbox Group", "Connect to Sandbox Groups", "Make and use sandboxes."),
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
