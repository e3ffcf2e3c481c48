"""Network profiles: what stood between a group and its subnet before 2021-07-01.  Each leads to one subnet."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ...models import ContainerGroup, ContainerGroupSubnetId
from ...models.network_profiles import NetworkProfileResource
from ...wire.faults import Detail, bad_request
from ...wire.ids import ResourceId, parse
from ..store import Row, SqlStore
from .base import Admission
from .records import Record, check_name, location_of

TYPE = "Microsoft.Network/networkProfiles"


class NetworkProfiles(Record[NetworkProfileResource]):
    """The kind of network profiles."""

    name = "networkProfiles"
    type = TYPE
    noun = "network profile"
    model = NetworkProfileResource

    def validate(self, wanted: NetworkProfileResource, identity: ResourceId) -> None:
        """Check that it leads to one subnet."""
        check_name(self.type, identity.name)
        if len([*_subnets(wanted)]) != 1:
            message = (
                f"The network profile '{identity.name}' must have one container network interface configuration, with "
                "one IP configuration in one subnet."
            )
            where = "properties.containerNetworkInterfaceConfigurations"
            raise bad_request([Detail(code="InvalidNetworkProfile", message=message, target=where)])

    async def admit(
        self, wanted: NetworkProfileResource, held: Row | None, identity: ResourceId, admission: Admission
    ) -> NetworkProfileResource:
        """Fill in the location.  Whether its subnet is there is asked when a group uses it."""
        return replace(
            wanted,
            location=location_of(wanted.location, identity, admission),
            tags=wanted.tags if wanted.tags is not None else {},
        )


def _subnets(profile: NetworkProfileResource) -> Iterator[str]:
    for interface in profile.container_network_interface_configurations or ():
        for each in interface.ip_configurations or ():
            if each.subnet is not None and each.subnet.id:
                yield each.subnet.id


def led_to_subnet(store: SqlStore, wanted: ContainerGroup) -> ContainerGroup:
    """Put the subnet of a network profile in its place; as it is if it names none that is there."""
    for each in wanted.subnet_ids or ():
        identity = parse(each.id or "")
        if identity is None or identity.type.lower() != TYPE.lower():
            continue
        row = store.get(identity.key)
        if row is not None and row.kind == NetworkProfiles.name and row.desired != "gone":
            subnet = next(_subnets(NetworkProfiles().read_again(row.spec)))
            return replace(wanted, subnet_ids=[ContainerGroupSubnetId(id=subnet)])
    return wanted
