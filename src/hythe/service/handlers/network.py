"""Virtual networks and their subnets."""

from __future__ import annotations

from msgspec.structs import replace

from ...models import Subnet, VirtualNetwork, from_json, to_json
from ...wire import faults, lenient
from ...wire.ids import ResourceId
from ..answers import Answer, empty, listed, shown
from ..call import Call
from ..kinds import NETWORKS
from ..kinds.network_members import check_network, check_subnet
from ..kinds.networks import show_subnet, subnet_of
from ..store import Row
from .api import Api


def _identity(call: Call) -> ResourceId:
    return ResourceId(
        subscription=call.subscription,
        resource_group=call.params["resourceGroupName"],
        type=NETWORKS.type,
        name=call.params["virtualNetworkName"],
    )


def list_all(api: Api, call: Call) -> Answer:
    """List the networks of a subscription."""
    return api.resources.list_(NETWORKS, call)


def list_in(api: Api, call: Call) -> Answer:
    """List the networks of a resource group."""
    return api.resources.list_(NETWORKS, call, api.resources.folder(call).resource_group)


def get(api: Api, call: Call) -> Answer:
    """Show a network."""
    return api.resources.get(NETWORKS, _identity(call), call)


async def put(api: Api, call: Call) -> Answer:
    """Create or update a network.  A body without subnets leaves them as they are."""
    asked = lenient.read(VirtualNetwork, call.body)
    check_network(call.body)
    held = api.store.get(_identity(call).key)
    if held is not None and asked.subnets is None:
        asked = replace(asked, subnets=from_json(VirtualNetwork, held.spec).subnets)
        call = replace(call, body=to_json(asked))
    return await api.resources.put(NETWORKS, _identity(call), call)


async def patch(api: Api, call: Call) -> Answer:
    """Replace a network's tags."""
    return await api.resources.patch(NETWORKS, _identity(call), call)


async def delete(api: Api, call: Call) -> Answer:
    """Delete a network and its subnets."""
    return await api.resources.delete(NETWORKS, _identity(call), call)


# --- subnets ---


def _held(api: Api, call: Call) -> tuple[Row, VirtualNetwork]:
    row = api.resources.row(NETWORKS, _identity(call), call)
    return row, from_json(VirtualNetwork, row.spec)


def list_subnets(api: Api, call: Call) -> Answer:
    """List the subnets of a network."""
    row, network = _held(api, call)
    return listed(show_subnet(row, each) for each in network.subnets or ())


def get_subnet(api: Api, call: Call) -> Answer:
    """Show a subnet."""
    row, network = _held(api, call)
    found = subnet_of(network, call.params["subnetName"])
    if found is None:
        raise faults.resource_not_found(
            f"{NETWORKS.type}/subnets", f"{row.name}/{call.params['subnetName']}", call.params["resourceGroupName"]
        )
    return shown(show_subnet(row, found))


async def put_subnet(api: Api, call: Call) -> Answer:
    """Create or update a subnet."""
    _, network = _held(api, call)
    name = call.params["subnetName"]
    before = subnet_of(network, name)
    asked = lenient.read(Subnet, call.body)
    check_subnet(call.body)
    asked = replace(asked, name=before.name if before else name)
    subnets = [each for each in network.subnets or () if each is not before]
    await _write(api, call, network, [*subnets, asked])
    return replace(get_subnet(api, call), status=200 if before else 201)


async def delete_subnet(api: Api, call: Call) -> Answer:
    """Delete a subnet; 204 if there is none."""
    _, network = _held(api, call)
    before = subnet_of(network, call.params["subnetName"])
    if before is None:
        return empty(204)
    await _write(api, call, network, [each for each in network.subnets or () if each is not before])
    return empty(200)


async def _write(api: Api, call: Call, network: VirtualNetwork, subnets: list[Subnet]) -> None:
    body = to_json(replace(network, subnets=subnets))
    await api.resources.put(NETWORKS, _identity(call), replace(call, body=body))
