"""What is above resource groups: subscriptions, tenants, the endpoints of this cloud."""

from __future__ import annotations

from ...wire.faults import subscription_not_found
from ..answers import Answer, plain
from ..call import Call
from .api import Api


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
