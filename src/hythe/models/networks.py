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


class ServiceEndpoint(Model, kw_only=True):
    """A service of Azure that a subnet reaches by a way of its own; kept for reading back."""

    service: str | None = None
    locations: list[str] | None = None
    provisioning_state: str | None = None
    """Read-only."""


class DhcpOptions(Model, kw_only=True):
    """Name servers of a virtual network, which container groups don't take; kept for reading back."""

    dns_servers: list[str] | None = None


class Subnet(Model, kw_only=True):
    """A range within a virtual network."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    address_prefix: str | None = None
    address_prefixes: list[str] | None = None
    delegations: list[Delegation] | None = None
    service_endpoints: list[ServiceEndpoint] | None = None
    default_outbound_access: bool | None = None
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
    dhcp_options: DhcpOptions | None = None
    enable_ddos_protection: bool | None = None
    enable_vm_protection: bool | None = None
    flow_timeout_in_minutes: int | None = None
    private_endpoint_v_net_policies: str | None = None
    provisioning_state: str | None = None
    """Read-only."""
