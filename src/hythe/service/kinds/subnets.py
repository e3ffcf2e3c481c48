"""Subnets that groups are in: which one a group may ask for, and which address it gets there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from msgspec import Struct
from msgspec.structs import replace

from ...models import ContainerGroup, Subnet, VirtualNetwork
from ...wire.faults import Fault
from ...wire.ids import ResourceId, parse
from ..store import Row, SqlStore
from .networks import TYPE, VirtualNetworks, delegated, ranges, subnet_of

_KEPT_BACK = 4
"""The first addresses of each range, which Azure keeps for itself; and the last one."""


class Place(Struct, frozen=True, kw_only=True):
    """Where a group is in a virtual network."""

    network: str
    """Uid of the network."""
    address: str
    ranges: tuple[str, ...]
    """What the network reaches: its whole address space."""


def network_of(store: SqlStore, subnet: str) -> tuple[Row, str] | None:
    """Find the network that a subnet's ARM id names, and give it with the subnet's name."""
    identity = parse(subnet)
    if identity is None or identity.type.lower() != f"{TYPE}/subnets".lower():
        return None
    network, _, name = identity.name.partition("/")
    row = store.get(replace(identity, type=TYPE, name=network).key)
    return (row, name) if row is not None and row.desired != "gone" else None


def place(store: SqlStore, row: Row) -> Place | None:
    """Tell where the group of a row is; None if it is in no subnet."""
    found = network_of(store, row.subnet) if row.subnet else None
    if found is None:
        return None
    held: VirtualNetwork = VirtualNetworks().read_again(found[0].spec)
    return Place(network=found[0].uid, address=row.address, ranges=tuple(map(str, _ipv4(_space(held)))))


def check(
    store: SqlStore, wanted: ContainerGroup, identity: ResourceId, kept: Iterable[str] = ()
) -> tuple[str, Subnet] | None:
    """Check the subnet that a group asks for, and give it with its ARM id in lower case.  Raises `Fault`."""
    if not wanted.subnet_ids:
        return None
    return check_subnet(store, wanted.subnet_ids[0].id or "", wanted.location, identity, kept)


def check_subnet(
    store: SqlStore, text: str, location: str | None, identity: ResourceId, kept: Iterable[str] = ()
) -> tuple[str, Subnet]:
    """Check that a resource of a location can use a subnet, and give it with its ARM id in lower case.

    ``kept`` are the ranges of which the engine gives groups their addresses on this machine.  Raises `Fault`.
    """
    found = network_of(store, text)
    network: VirtualNetwork | None = VirtualNetworks().read_again(found[0].spec) if found else None
    subnet = subnet_of(network, found[1]) if found and network else None
    near = network is not None and network.location == location
    if found is None or subnet is None or not near or found[0].subscription != identity.subscription.lower():
        raise Fault(
            400,
            "InvalidResourceReference",
            f"Resource {text} referenced by resource {identity.text} was not found. Please make sure that the "
            "referenced resource exists, and that both resources are in the same subscription and region.",
        )
    if not delegated(subnet):
        raise Fault(
            400,
            "SubnetMissingRequiredDelegation",
            f"Subnet missing required delegation 'Microsoft.ContainerInstance' for container group '{identity.name}'.",
        )
    for theirs in _ipv4(ranges(subnet)):
        for ours in _ipv4(kept):
            if theirs.overlaps(ours):
                raise Fault(
                    400,
                    "SubnetRangeNotAvailable",
                    f"'{identity.name}' cannot be in subnet '{subnet.name}': its range {theirs} overlaps {ours}, from "
                    "which this service gives every group an address. Take another range.",
                )
    return f"{found[0].key}/subnets/{(subnet.name or '').lower()}", subnet


def free_address(store: SqlStore, key: str, subnet: Subnet) -> str:
    """Give the lowest address of a subnet that nothing has.  Raises `Fault`."""
    taken = {row.address for row in store.in_subnet(key)}
    for address in _usable(ranges(subnet)):
        if str(address) not in taken:
            return str(address)
    raise Fault(
        400,
        "SubnetIsFull",
        f"Subnet {subnet.name} with address prefix {', '.join(ranges(subnet))} does not have enough capacity for 1 IP "
        "addresses.",
    )


def _space(network: VirtualNetwork) -> list[str]:
    return (network.address_space.address_prefixes if network.address_space else None) or []


def _ipv4(texts: Iterable[str]) -> list[IPv4Network]:
    return [IPv4Network(text) for text in texts if ":" not in text]


def _usable(texts: Iterable[str]) -> Iterator[IPv4Address]:
    for each in _ipv4(texts):
        for number in range(_KEPT_BACK, each.num_addresses - 1):
            yield each[number]
