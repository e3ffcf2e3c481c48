"""Virtual networks.  Their subnets are part of them: one row, so that ranges are checked against each other."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from msgspec.structs import replace

from ...models import Delegation, Model, Subnet, VirtualNetwork
from ...wire.faults import Detail, Fault, bad_request
from ...wire.ids import ResourceId, parse
from ..store import Row, SqlStore
from .base import Admission, Shown, refuse_move
from .network_members import check_network
from .records import Record, check_name, location_of

_MOST_SUBNETS = 3000
TYPE = "Microsoft.Network/virtualNetworks"
DELEGATE = "Microsoft.ContainerInstance/containerGroups"
Range = IPv4Network | IPv6Network
_NOT_FOR_NETWORKS = [
    ip_network(each)
    for each in ("0.0.0.0/8", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32")
]
"""What means something else everywhere; and an address that Azure keeps for itself."""


class VirtualNetworks(Record[VirtualNetwork]):
    """The kind of virtual networks."""

    name = "virtualNetworks"
    type = TYPE
    noun = "virtual network"
    model = VirtualNetwork

    def read(self, body: bytes, identity: ResourceId) -> VirtualNetwork:
        """Read a definition; what can't be kept is refused."""
        wanted = super().read(body, identity)
        check_network(body)
        return wanted

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
        """Fill in the location, and what subnets need not say; refuse to take from groups what they have."""
        where = location_of(wanted.location, identity, admission)
        if held is not None:
            refuse_move(self.read_again(held.spec).location, where, identity)
            refuse_changes(admission.store, held, wanted)
        return replace(
            wanted,
            location=where,
            tags=wanted.tags if wanted.tags is not None else {},
            subnets=[_stored(each) for each in wanted.subnets or ()],
        )

    def refuse_removal(self, row: Row, store: SqlStore) -> None:
        """Refuse to delete a network while a group is in it."""
        refuse_changes(store, row, None)

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


def delegated(subnet: Subnet) -> bool:
    """Tell whether container groups may be put into a subnet."""
    return any((each.service_name or "").lower() == DELEGATE.lower() for each in subnet.delegations or ())


def ranges(subnet: Subnet) -> list[str]:
    """Give the ranges of a subnet."""
    return [*(subnet.address_prefixes or ())] or ([subnet.address_prefix] if subnet.address_prefix else [])


def refuse_changes(store: SqlStore, row: Row, wanted: VirtualNetwork | None) -> None:
    """Refuse to take from a network what groups in it have, or with None to take it away.  Raises `Fault`."""
    for user in store.in_subnet(row.key):
        name = user.subnet.rpartition("/")[2]
        after = subnet_of(wanted, name) if wanted else None
        if after is None:
            raise Fault(
                400,
                "InUseSubnetCannotBeDeleted",
                f"Subnet {name} is in use by {user.id} and cannot be deleted. In order to delete the subnet, delete "
                "all the resources within the subnet. See aka.ms/deletesubnet.",
            )
        if not any(ip_address(user.address) in ip_network(each) for each in ranges(after)):
            raise Fault(
                400,
                "InUsePrefixCannotBeDeleted",
                f"The address prefixes of subnet {name} cannot be changed to {', '.join(ranges(after))}: {user.id} "
                f"has the address {user.address} there. Delete it first.",
            )
        if not delegated(after):
            raise Fault(
                400,
                "SubnetDelegationsCannotChangeWhenSubnetUsedByResource",
                f"Delegations of subnet {row.id}/subnets/{after.name} cannot be changed from [{DELEGATE}] to "
                f"[{', '.join(each.service_name or '' for each in after.delegations or ())}] because it is being used "
                f"by the resource {user.id}.",
            )


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


def _space(network: VirtualNetwork, name: str, problems: list[Detail]) -> list[Range]:
    """Read the ranges of a network; adds what is wrong with them."""
    where = "properties.addressSpace.addressPrefixes"
    space: list[Range] = []
    for text in (network.address_space.address_prefixes if network.address_space else None) or ():
        found = _range(text)
        if found is None:
            problems.append(_bad_range(text, name, where))
            continue
        space.append(found)
        problems += [
            Detail(
                code="AddressPrefixNotAllowed",
                message=f"The address prefix '{text}' of virtual network '{name}' overlaps '{kept}', which no network "
                "can have.",
                target=where,
            )
            for kept in _NOT_FOR_NETWORKS
            if found.overlaps(kept)
        ]
    return space


def _problems(network: VirtualNetwork, name: str) -> Iterator[Detail]:
    problems: list[Detail] = []
    space = _space(network, name, problems)
    yield from problems
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
