"""What the address of a group must be.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ....models import ContainerGroup
from ....wire.faults import Detail
from ....wire.tags import NETWORK
from .names import labelled

_MOST_ADDRESS_PORTS = 5


def address_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check the address: its ports, type and label."""
    address = group.ip_address
    if address is None:
        return
    where = "properties.ipAddress"
    if (group.tags or {}).get(NETWORK) == "none":
        yield Detail(
            code="InvalidIpAddressType",
            message=f"The container group '{name}' has no network, as its tag '{NETWORK}' says: it can't have an "
            "address.",
            target=where,
        )
    if not address.ports:
        yield Detail(
            code="MissingIpAddressPorts",
            message=f"The ports in the 'ipAddress' of container group '{name}' cannot be empty.",
            target=f"{where}.ports",
        )
    elif len(address.ports) > _MOST_ADDRESS_PORTS:
        yield Detail(
            code="TooManyIpAddressPorts",
            message=f"The 'ipAddress' of container group '{name}' has {len(address.ports)} ports. "
            f"It can have at most {_MOST_ADDRESS_PORTS}.",
            target=f"{where}.ports",
        )
    used = {(each.port, each.protocol or "TCP") for one in group.containers or () for each in one.ports or ()}
    loose = [each.port for each in address.ports or () if (each.port, each.protocol or "TCP") not in used]
    if loose:
        yield Detail(
            code="UnreferencedIpAddressPorts",
            message=f"Following ports '{','.join(map(str, loose))}' in the 'ipAddress' are not used by any container "
            f"in container group '{name}'.",
            target=f"{where}.ports",
        )
    if address.type not in ("Public", "Private"):
        yield Detail(
            code="InvalidIpAddressType",
            message=f"The 'type' '{address.type or '<null>'}' of the 'ipAddress' of container group '{name}' is "
            "invalid. The value must be one of 'Public,Private'.",
            target=f"{where}.type",
        )
    label = address.dns_name_label
    if label is not None and not labelled(label):
        yield Detail(
            code="InvalidDnsNameLabel",
            message=f"The DNS name label '{label}' in container group '{name}' is invalid. It can contain only "
            "lowercase letters, numbers and hyphens. The first character must be a letter. The last character must "
            "be a letter or number. The value must be between 5 and 63 characters long.",
            target=f"{where}.dnsNameLabel",
        )
