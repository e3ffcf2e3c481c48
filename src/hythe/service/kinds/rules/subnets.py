"""What the subnets of a group must be.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ....models import ContainerGroup
from ....wire.faults import Detail
from ....wire.ids import parse
from ....wire.tags import NETWORK

_TYPE = "microsoft.network/virtualnetworks/subnets"


def id_problems(ids: Iterable[str | None], where: str) -> Iterator[Detail]:
    """Check that what should be ids of subnets are such; ``where`` is the JSON path of their list."""
    for index, each in enumerate(ids):
        if "/networkprofiles/" in (each or "").lower():
            continue  # said elsewhere
        identity = parse(each or "")
        if identity is None or identity.type.lower() != _TYPE or not identity.resource_group:
            yield Detail(
                code="LinkedInvalidPropertyId",
                message=f"Property id '{each or ''}' at path '{where}[{index}].id' is invalid. Expect the fully "
                "qualified id of a subnet: /subscriptions/{subscriptionId}/resourceGroups/{resourceGroup}/providers/"
                "Microsoft.Network/virtualNetworks/{virtualNetwork}/subnets/{subnet}.",
                target=f"{where}[{index}].id",
            )


def subnet_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check that a group asks for one subnet at most, by its id."""
    asked = group.subnet_ids or []
    yield from id_problems((each.id for each in asked), "properties.subnetIds")
    if len(asked) > 1:
        yield Detail(
            code="TooManySubnets",
            message=f"The container group '{name}' asks for {len(asked)} subnets. It can be in one at most.",
            target="properties.subnetIds",
        )
    if asked and (group.tags or {}).get(NETWORK) == "none":
        yield Detail(
            code="InvalidTag",
            message=f"The container group '{name}' has no network, as its tag '{NETWORK}' says: it can't be in a "
            "subnet.",
            target="properties.subnetIds",
        )
