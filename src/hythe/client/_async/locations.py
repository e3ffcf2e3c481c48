"""Tells what a location offers and the provider can do, and frees subnets."""

from __future__ import annotations

from typing import Unpack

from hythe.client.options import BeginOptions, CallOptions
from hythe.models import (
    CachedImages,
    Capabilities,
    Operation,
    Usage,
    UsageListResult,
)
from hythe.wire.ids import PROVIDER

from .operation_group import OperationGroup, Path
from .pager import Pager
from .poller import AzureOperationPoller, nothing


def _location(location: str, what: str) -> Path:
    return ("providers", PROVIDER, "locations", location, what)


class LocationOperations(OperationGroup):
    """Is ``client.location``."""

    def list_usage(self, location: str, **options: Unpack[CallOptions]) -> Pager[Usage]:
        """Iterate over the quotas of a location and how much of them is used.

        Operation ``Location_ListUsage``.
        """
        doing = f"list the usage of location {location!r}"
        return self._list(Usage, _location(location, "usages"), doing, options)

    def list_cached_images(self, location: str, **options: Unpack[CallOptions]) -> Pager[CachedImages]:
        """Iterate over the images that a location has at hand, with which groups start sooner.

        Operation ``Location_ListCachedImages``.
        """
        doing = f"list the cached images of location {location!r}"
        return self._list(CachedImages, _location(location, "cachedImages"), doing, options)

    def list_capabilities(self, location: str, **options: Unpack[CallOptions]) -> Pager[Capabilities]:
        """Iterate over what groups can be in a location: CPU, memory, GPU, addresses.

        Operation ``Location_ListCapabilities``.
        """
        doing = f"list the capabilities of location {location!r}"
        return self._list(Capabilities, _location(location, "capabilities"), doing, options)


class ContainerGroupUsageOperations(OperationGroup):
    """Is ``client.container_group_usage``, the older form of ``client.location``."""

    async def list(self, location: str, **options: Unpack[CallOptions]) -> UsageListResult:
        """Return the quotas of a location in one object.

        Operation ``Location_ListUsage``.
        """
        doing = f"list the usage of location {location!r}"
        return await self._read(UsageListResult, _location(location, "usages"), doing, options)


class Operations(OperationGroup):
    """Is ``client.operations``."""

    def list(self, **options: Unpack[CallOptions]) -> Pager[Operation]:
        """Iterate over the operations that the provider offers.

        Operation ``Operations_List``.
        """
        path = ("providers", PROVIDER, "operations")
        return self._list(Operation, path, "list the operations of the provider", options, root=True)


class SubnetServiceAssociationLinkOperations(OperationGroup):
    """Is ``client.subnet_service_association_link``, and by its older name ``client.service_association_link``."""

    async def begin_delete(
        self, resource_group_name: str, virtual_network_name: str, subnet_name: str, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[None]:
        """Free a subnet from container groups, so that it can be deleted, and return a poller.

        Operation ``SubnetServiceAssociationLink_Delete``.
        """
        path = (
            "resourceGroups", resource_group_name, "providers", "Microsoft.Network",
            "virtualNetworks", virtual_network_name, "subnets", subnet_name,
            "providers", PROVIDER, "serviceAssociationLinks", "default",
        )  # fmt: skip
        return await self._begin("DELETE", path, nothing, f"free subnet {subnet_name!r}", options)

    async def delete(
        self, resource_group_name: str, virtual_network_name: str, subnet_name: str, **options: Unpack[BeginOptions]
    ) -> None:
        """Free a subnet from container groups and wait for the end.

        Operation ``SubnetServiceAssociationLink_Delete``.
        """
        poller = await self.begin_delete(resource_group_name, virtual_network_name, subnet_name, **options)
        await poller.result()
