"""What is above resource groups: subscriptions, tenants, the endpoints of this cloud."""

from __future__ import annotations

import msgspec

from ...wire.faults import Fault, subscription_not_found
from ..answers import Answer, plain
from ..call import Call
from ..providers import PROVIDERS, REGIONS, Provider, provider
from ..store import Subscription
from .api import Api

_ENDPOINTS_BY_CLOUD, _ENDPOINTS_OF_ONE = "2018-05-01", "2022-09-01"
"""Since when metadata tells all clouds in a list, and since when only the one that was asked."""


def subscriptions(api: Api, call: Call) -> Answer:
    """List the subscriptions in which the caller has a role."""
    shown = [each for each in api.store.subscriptions() if api.shows(call.caller, f"/subscriptions/{each.id}")]
    count = {"type": "Total", "value": len(shown)}
    return plain({"value": [_subscription(api, each) for each in shown], "count": count})


def subscription(api: Api, call: Call) -> Answer:
    """Show a subscription."""
    held = api.store.subscription(call.subscription)
    if held is None or not api.shows(call.caller, f"/subscriptions/{held.id}"):
        raise subscription_not_found(call.subscription)
    return plain(_subscription(api, held))


def locations(api: Api, call: Call) -> Answer:
    """List the regions: labels, for everything runs on this machine."""
    api.resources.subscription(call)
    return plain(
        {
            "value": [
                {
                    "id": f"/subscriptions/{call.subscription}/locations/{name}",
                    "name": name,
                    "type": "Region",
                    "displayName": display,
                    "regionalDisplayName": display,
                    "metadata": {"regionType": "Physical", "regionCategory": "Recommended", "pairedRegion": []},
                }
                for name, display in REGIONS.items()
            ]
        }
    )


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


# --- providers ---


def list_providers(api: Api, call: Call) -> Answer:
    """List the resource providers."""
    api.resources.subscription(call)
    return plain({"value": [_provider(each, call) for each in PROVIDERS]})


def get_provider(api: Api, call: Call) -> Answer:
    """Show a resource provider, with the api-versions of its types."""
    api.resources.subscription(call)
    return plain(_provider(_known(call), call))


def register(api: Api, call: Call) -> Answer:
    """Answer that a provider is registered: all of them always are."""
    return get_provider(api, call)


def unregister(api: Api, call: Call) -> Answer:
    """Refuse to take a provider away."""
    found = _known(call)
    raise Fault(
        409,
        "CannotUnregister",
        f"cannot unregister '{found.namespace}': the providers of this service are registered in every subscription.",
    )


def _known(call: Call) -> Provider:
    found = provider(call.params["resourceProviderNamespace"])
    if found is None:
        raise Fault(
            404,
            "InvalidResourceNamespace",
            f"The resource namespace '{call.params['resourceProviderNamespace']}' is invalid.",
        )
    return found


def _provider(each: Provider, call: Call) -> dict[str, object]:
    return {
        "id": f"/subscriptions/{call.subscription}/providers/{each.namespace}",
        "namespace": each.namespace,
        "resourceTypes": [
            {
                "resourceType": name,
                "locations": list(REGIONS.values()),
                "apiVersions": [*reversed(of_type)],
                "defaultApiVersion": [one for one in of_type if not one.endswith("preview")][-1],
                "capabilities": "SupportsTags, SupportsLocation" if "/" not in name else "None",
            }
            for name, of_type in each.types.items()
        ],
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
    }


def metadata(api: Api, call: Call) -> Answer:
    """Name the endpoints of this cloud, in the shape of the api-version: `az cloud register` asks for the newest."""
    authentication: dict[str, object] = {"loginEndpoint": f"{call.base_url}/adfs", "audiences": [call.base_url]}
    if call.api_version < _ENDPOINTS_BY_CLOUD:
        names = ("galleryEndpoint", "graphEndpoint", "portalEndpoint")
        return plain(dict.fromkeys(names, f"{call.base_url}/") | {"authentication": authentication})
    cloud = {
        "name": "Hythe",
        "authentication": authentication | {"tenant": "common", "identityProvider": "ADFS"},
        "resourceManager": call.base_url,
        "microsoftGraphResourceId": call.base_url,
        "suffixes": {},
    }
    return plain(cloud if call.api_version >= _ENDPOINTS_OF_ONE else [cloud])


def _subscription(api: Api, held: Subscription) -> dict[str, object]:
    row = api.store.get(f"/subscriptions/{held.id}/providers/microsoft.resources/tags/default")
    tags = msgspec.json.decode(row.spec)["properties"].get("tags") if row else None
    return {
        "id": f"/subscriptions/{held.id}",
        "subscriptionId": held.id,
        "displayName": held.name,
        "state": "Enabled",
        "tenantId": held.tenant,
        "subscriptionPolicies": {"spendingLimit": "Off"},
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        **({"tags": tags} if tags else {}),
    }
