"""Network profiles of Microsoft.Network, which groups of api-versions before 2021-07-01 name; not part of the package.

`hythe.models.NetworkProfile` is something else: what a set of groups says of load balancers.
"""

from __future__ import annotations

from typing import ClassVar

from ._base import Model


class InSubnet(Model, kw_only=True):
    """Names a subnet."""

    id: str | None = None


class ContainerIpConfiguration(Model, kw_only=True):
    """Says in which subnet a container group gets an address."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    subnet: InSubnet | None = None


class ContainerNetworkInterfaceConfiguration(Model, kw_only=True):
    """Says how a container group is connected."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    ip_configurations: list[ContainerIpConfiguration] | None = None


class NetworkProfileResource(Model, kw_only=True):
    """Leads container groups of api-versions before 2021-07-01 to their subnet."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type", "location", "tags")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    container_network_interface_configurations: list[ContainerNetworkInterfaceConfiguration] | None = None
    provisioning_state: str | None = None
    """Read-only."""
