"""The shapes of older api-versions: small named transforms between them and the newest one.  Pure.

Most differences need none: a body may have members that its reader does not know.  What is here, some client needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from .faults import Fault, invalid_content

_SUBNETS_SINCE = "2021-07-01"
_SKU_SINCE = "2019-12-01"
_PENDING_SINCE = "2018-04-01"
_INSTANCE_VIEW_SINCE = "2017-10-01-preview"

Body = dict[str, Any]


def request(body: bytes, api_version: str, name: str) -> bytes:
    """Give the definition of a container group in the newest shape.  Raises `Fault` for what is not JSON."""
    low = body.lower()
    if api_version >= _SUBNETS_SINCE or (b"networkprofile" not in low and b"imageregistrycredentials" not in low):
        return body
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid_content(str(error)) from None
    for properties in _members(value, "properties"):
        if isinstance(properties, dict):
            no_registry_identity(properties, name)
            subnet_of_network_profile(properties)
    return msgspec.json.encode(value)


def _members(value: object, name: str) -> list[Any]:
    """Give a member of an object, whatever the case of its name."""
    return [each for key, each in value.items() if key.lower() == name] if isinstance(value, dict) else []


def no_registry_identity(properties: Body, name: str) -> None:
    """Refuse an identity for a registry, which came with 2021-07-01.  Raises `Fault`."""
    for credentials in _members(properties, "imageregistrycredentials"):
        for each in credentials if isinstance(credentials, list) else ():
            if any(_members(each, "identity")):
                raise Fault(
                    400,
                    "InvalidImageRegistryCredentialType",
                    f"Identity in 'imageRegistryCredentials' of container group '{name}' is not supported.",
                )


def subnet_of_network_profile(properties: Body) -> None:
    """Read ``networkProfile: {id}`` as ``subnetIds: [{id}]``, which took its place in 2021-07-01."""
    for name in [name for name in properties if name.lower() == "networkprofile"]:
        profile = properties.pop(name)
        if profile is not None:
            properties["subnetIds"] = [profile]


def network_profile_of_subnet(properties: Body) -> None:
    """Show the subnet of a group as ``networkProfile: {id}``, as before 2021-07-01."""
    subnets = properties.pop("subnetIds", None)
    if subnets:
        properties["networkProfile"] = {"id": subnets[0]["id"]}


def without_sku(properties: Body) -> None:
    """Leave out ``sku`` and ``initContainers``, which came with 2019-12-01: old exports are sent back as they are."""
    properties.pop("sku", None)
    if not properties.get("initContainers"):
        properties.pop("initContainers", None)


def creating_for_pending(properties: Body) -> None:
    """Say ``Creating`` where later versions say ``Pending``, as the versions before 2018-04-01 did."""
    if properties.get("provisioningState") == "Pending":
        properties["provisioningState"] = "Creating"


def state_of_group(properties: Body) -> None:
    """Show the state of a group as ``state`` too, where 2017-08-01-preview has it."""
    view = properties.get("instanceView")
    if view:
        properties["state"] = view["state"]


_ANSWERS: tuple[tuple[str, Callable[[Body], None]], ...] = (
    (_SUBNETS_SINCE, network_profile_of_subnet),
    (_SKU_SINCE, without_sku),
    (_PENDING_SINCE, creating_for_pending),
    (_INSTANCE_VIEW_SINCE, state_of_group),
)
"""Each for the api-versions before one."""


def answer(body: bytes, api_version: str) -> bytes:
    """Give a container group as an api-version shows it."""
    if api_version >= _SUBNETS_SINCE:
        return body
    value: Body = msgspec.json.decode(body)
    for before, transform in _ANSWERS:
        if api_version < before:
            transform(value["properties"])
    return msgspec.json.encode(value)
