"""The resource providers of this service: their types, and the api-versions that each is asked with."""

from __future__ import annotations

from msgspec import Struct

from ..wire import versions

_RESOURCES = ("2019-10-01", "2020-06-01", "2021-04-01", "2022-09-01", "2024-03-01", "2024-11-01", "2025-04-01")
_NETWORK = ("2018-08-01", "2020-11-01", "2022-01-01", "2023-11-01", "2024-05-01")
_INSIGHTS = ("2018-01-01", "2019-07-01", "2021-05-01", "2023-10-01", "2024-02-01")
_IDENTITY = ("2018-11-30", "2023-01-31", "2024-11-30")
_INSIGHT_LOGS = ("2015-11-01-preview", "2020-08-01", "2021-12-01-preview", "2022-10-01", "2023-09-01")
_AUTHORIZATION = ("2015-07-01", "2018-01-01-preview", "2020-04-01-preview", "2022-04-01")


class Provider(Struct, frozen=True, kw_only=True):
    """A namespace and its types with their api-versions, oldest first."""

    namespace: str
    types: dict[str, tuple[str, ...]]


PROVIDERS: tuple[Provider, ...] = (
    Provider(
        namespace="Microsoft.ContainerInstance",
        types=dict.fromkeys(
            (
                "containerGroups", "containerGroupProfiles", "ngroups", "sandboxGroups", "serviceAssociationLinks",
                "locations", "locations/capabilities", "locations/usages", "locations/operations",
                "locations/operationresults", "locations/cachedImages", "operations",
            ),
            versions.CONTAINER_INSTANCE,
        ),
    ),
    Provider(
        namespace="Microsoft.Resources",
        types=dict.fromkeys(
            ("resourceGroups", "subscriptions", "subscriptions/resourceGroups", "deployments", "tags", "providers"),
            _RESOURCES,
        ),
    ),
    Provider(
        namespace="Microsoft.Authorization",
        types=dict.fromkeys(("roleAssignments", "roleDefinitions"), _AUTHORIZATION),
    ),
    Provider(namespace="Microsoft.Insights", types=dict.fromkeys(("metrics", "metricDefinitions"), _INSIGHTS)),
    Provider(namespace="Microsoft.ManagedIdentity", types={"userAssignedIdentities": _IDENTITY}),
    Provider(namespace="Microsoft.OperationalInsights", types={"workspaces": _INSIGHT_LOGS}),
    Provider(
        namespace="Microsoft.Network",
        types=dict.fromkeys(("virtualNetworks", "virtualNetworks/subnets", "networkProfiles"), _NETWORK),
    ),
)  # fmt: skip

REGIONS: dict[str, str] = {
    name.replace(" ", "").lower(): name
    for name in (
        "Australia East", "Australia Southeast", "Brazil South", "Canada Central", "Canada East", "Central India",
        "Central US", "East Asia", "East US", "East US 2", "France Central", "Germany West Central", "Italy North",
        "Japan East", "Japan West", "Korea Central", "North Central US", "North Europe", "Norway East",
        "South Africa North", "South Central US", "South India", "Southeast Asia", "Spain Central", "Sweden Central",
        "Switzerland North", "UAE North", "UK South", "UK West", "West Central US", "West Europe", "West India",
        "West US", "West US 2", "West US 3",
    )
}  # fmt: skip
"""Regions by their short name.  They are labels: everything runs on this machine, and other names are taken too."""


def provider(namespace: str) -> Provider | None:
    """Find a provider, in any case."""
    return next((each for each in PROVIDERS if each.namespace.lower() == namespace.lower()), None)
