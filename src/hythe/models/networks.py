"""Virtual networks and their subnets: the part of Microsoft.Network that container groups touch."""

from __future__ import annotations

from typing import ClassVar

from ._base import Model


class AddressSpace(Model, kw_only=True):
    """The ranges of a virtual network."""

    address_prefixes: list[str] | None = None


class Delegation(Model, kw_only=True):
    """Says which service may put resources into a subnet."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    service_name: str | None = None
    actions: list[str] | None = None
    provisioning_state: str | None = None
    """Read-only."""


class Subnet(Model, kw_only=True):
    """A range within a virtual network."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    address_prefix: str | None = None
    address_prefixes: list[str] | None = None
    delegations: list[Delegation] | None = None
    private_endpoint_network_policies: str | None = None
    private_link_service_network_policies: str | None = None
    provisioning_state: str | None = None
    """Read-only."""


class VirtualNetwork(Model, kw_only=True):
    """Private ranges, divided into subnets."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type", "location", "tags")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    address_space: AddressSpace | None = None
    subnets: list[Subnet] | None = None
    provisioning_state: str | None = None
    """Read-only."""
