"""Locations, what the provider can do at all, and the links of subnets."""

from __future__ import annotations

from ...models import Operation as OperationModel
from ...models import OperationDisplay
from ...wire.faults import Fault
from ...wire.ids import PROVIDER
from ..answers import Answer, empty, listed
from ..call import Call
from .api import Api

_WORDS = {
    "containerGroups": "Container Group",
    "containers": "Container",
    "logs": "Container Log",
    "outboundNetworkDependenciesEndpoints": "Outbound Network Dependency",
    "containerGroupProfiles": "Container Group Profile",
    "revisions": "Container Group Profile Revision",
    "ngroups": "NGroup",
    "sandboxGroups": "Sandbox Group",
    "aiAgentsGroups": "AI Agents Group",
    "locations": "Location",
    "usages": "Usage",
    "capabilities": "Capability",
    "cachedImages": "Cached Image",
    "operations": "Operation",
    "serviceAssociationLinks": "Service Association Link",
}
_VERBS = {"read": "Get", "write": "Create or Update", "delete": "Delete"}


def usages(api: Api, call: Call) -> Answer:
    """List the quotas of a location and what is used of them."""
    api.resources.subscription(call)
    return listed(api.locations.usages(call))


def capabilities(api: Api, call: Call) -> Answer:
    """List what a group can be in a location."""
    api.resources.subscription(call)
    return listed(api.locations.capabilities(call))


async def cached_images(api: Api, call: Call) -> Answer:
    """List the images that are there already."""
    api.resources.subscription(call)
    return listed(await api.locations.cached_images(call))


def operations(api: Api, call: Call) -> Answer:
    """List what the provider can do: every right that a route of it asks for."""
    from ..routes import ROUTES  # it imports this module

    actions = {route.action for route in ROUTES if route.action.lower().startswith(f"{PROVIDER.lower()}/")}
    return listed(_operation(action) for action in sorted(actions))


def _operation(action: str) -> OperationModel:
    """Describe a right such as ``Microsoft.ContainerInstance/containerGroups/start/action``."""
    *path, last = action.split("/")[1:]
    verb = _VERBS.get(last) or path.pop().capitalize()
    resource = _WORDS.get(path[-1], path[-1]) if path else "Provider"
    return OperationModel(
        name=action,
        display=OperationDisplay(
            provider="Microsoft Container Instance",
            resource=resource,
            operation=f"{verb} {resource}",
            description=f"{verb} a {resource.lower()}.",
        ),
        origin="User",
    )


def unlink_subnet(api: Api, call: Call) -> Answer:
    """Remove the link that keeps a subnet from being deleted.

    Here the groups in a subnet are that link: while there is one it can't be removed, afterwards there is none left.
    """
    folder = api.resources.folder(call)
    names = (call.params["virtualNetworkName"], call.params["subnetName"])
    subnet = f"{folder.key}/providers/microsoft.network/virtualnetworks/{names[0]}/subnets/{names[1]}".lower()
    for row in api.store.in_subnet(subnet)[:1]:
        raise Fault(
            409,
            "SubnetInUse",
            f"The service association link of subnet '{names[1]}' cannot be deleted: the container group '{row.id}' "
            "is in that subnet. Delete it first.",
        )
    return empty(204)
