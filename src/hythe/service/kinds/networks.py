"""Virtual networks.  Their subnets are part of them: one row, so that ranges are checked against each other."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from msgspec.structs import replace

from ...models import Delegation, Model, Subnet, VirtualNetwork
from ...wire.faults import Detail, bad_request
from ...wire.ids import ResourceId, parse
from ..store import Row, SqlStore
from .base import Admission, Shown
from .records import Record, check_name, location_of

_MOST_SUBNETS = 3000
TYPE = "Microsoft.Network/virtualNetworks"
Range = IPv4Network | IPv6Network


class VirtualNetworks(Record[VirtualNetwork]):
    """The kind of virtual networks."""

    name = "virtualNetworks"
    type = TYPE
    model = VirtualNetwork

    def validate(self, wanted: VirtualNetwork, identity: ResourceId) -> None:
        """Check names and ranges: subnets lie in the network, and none in another."""
        check_name(self.type, identity.name)
        for subnet in wanted.subnets or ():
            check_name(f"{TYPE}/subnets", subnet.name or "")
        problems = [*_problems(wanted, identity.name)]
        if problems:
            raise bad_request(problems)

    async def admit(
        self, wanted: VirtualNetwork, held: Row | None, identity: ResourceId, admission: Admission
    ) -> VirtualNetwork:
        """Fill in the location, and what subnets need not say."""
        return replace(
            wanted,
            location=location_of(wanted.location, identity, admission),
            tags=wanted.tags if wanted.tags is not None else {},
            subnets=[_stored(each) for each in wanted.subnets or ()],
        )

    def show(self, row: Row, shown: Shown) -> Model:
        """Give the network with its subnets."""
        held = self.read_again(row.spec)
        return replace(
            held,
            id=row.id,
            name=row.name,
            type=self.type,
            provisioning_state="Deleting" if row.desired == "gone" else "Succeeded",
            subnets=[show_subnet(row, each) for each in held.subnets or ()],
        )


def show_subnet(row: Row, subnet: Subnet) -> Subnet:
    """Give a subnet of a network's row as it is answered."""
    where = f"{row.id}/subnets/{subnet.name}"
    return replace(
        subnet,
        id=where,
        type=f"{TYPE}/subnets",
        provisioning_state="Succeeded",
        delegations=[
            replace(each, id=f"{where}/delegations/{each.name}", type=f"{TYPE}/subnets/delegations",
                    provisioning_state="Succeeded")
            for each in subnet.delegations or ()
        ],
    )  # fmt: skip


def subnet_of(network: VirtualNetwork, name: str) -> Subnet | None:
    """Find a subnet by its name, in any case."""
    return next((each for each in network.subnets or () if (each.name or "").lower() == name.lower()), None)


def subnet(store: SqlStore, arm_id: str) -> Subnet | None:
    """Find a subnet by its ARM id, in any case; None if there is none."""
    identity = parse(arm_id)
    if identity is None or identity.type.lower() != f"{TYPE}/subnets".lower():
        return None
    network, _, name = identity.name.partition("/")
    row = store.get(replace(identity, type=TYPE, name=network).key)
    if row is None or row.desired == "gone":
        return None
    found = subnet_of(VirtualNetworks().read_again(row.spec), name)
    return show_subnet(row, found) if found else None


def ranges(subnet: Subnet) -> list[str]:
    """Give the ranges of a subnet."""
    return [*(subnet.address_prefixes or ())] or ([subnet.address_prefix] if subnet.address_prefix else [])


def _stored(subnet: Subnet) -> Subnet:
    return replace(
        subnet,
        id=None,
        type=None,
        provisioning_state=None,
        delegations=[
            Delegation(name=each.name or each.service_name, service_name=each.service_name)
            for each in subnet.delegations or ()
        ],
        private_endpoint_network_policies=subnet.private_endpoint_network_policies or "Disabled",
        private_link_service_network_policies=subnet.private_link_service_network_policies or "Enabled",
    )


def _problems(network: VirtualNetwork, name: str) -> Iterator[Detail]:
    space: list[Range] = []
    for text in (network.address_space.address_prefixes if network.address_space else None) or ():
        found = _range(text)
        if found is None:
            yield _bad_range(text, name, "properties.addressSpace.addressPrefixes")
        else:
            space.append(found)
    if not space:
        yield Detail(
            code="InvalidAddressPrefixFormat",
            message=f"The address space of virtual network '{name}' is empty. Give at least one range.",
            target="properties.addressSpace",
        )
        return
    subnets = network.subnets or []
    if len(subnets) > _MOST_SUBNETS:
        yield Detail(
            code="TooManySubnets", message=f"The virtual network '{name}' has more than {_MOST_SUBNETS} subnets."
        )
        return
    taken: list[tuple[str, Range]] = []
    for index, one in enumerate(subnets):
        where = f"properties.subnets[{index}]"
        if not ranges(one):
            yield _bad_range("", name, where)
        for text in ranges(one):
            found = _range(text)
            if found is None:
                yield _bad_range(text, name, where)
                continue
            if not any(_within(found, each) for each in space):
                yield Detail(
                    code="NetcfgInvalidSubnet",
                    message=f"Subnet '{one.name}' is not valid in virtual network '{name}'.",
                    target=where,
                )
            for other, range_ in taken:
                if found.overlaps(range_):
                    yield Detail(
                        code="NetcfgSubnetRangesOverlap",
                        message=f"Subnet '{one.name}' is not valid because its IP address range overlaps with that of "
                        f"an existing subnet in virtual network '{name}': '{other}'.",
                        target=where,
                    )
            taken.append((one.name or "", found))


def _range(text: str) -> Range | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


def _within(inner: Range, outer: Range) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _bad_range(text: str, name: str, target: str) -> Detail:
    return Detail(
        code="InvalidCIDRNotation",
        message=f"The address prefix '{text}' in virtual network '{name}' has an invalid CIDR notation.",
        target=target,
    )
