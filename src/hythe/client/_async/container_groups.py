"""Creates, reads, changes, runs and deletes container groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from hythe.client.documents import decode_plain, encode
from hythe.client.options import BeginOptions, CallOptions, Expand, call_of
from hythe.models import ContainerGroup, Resource
from hythe.wire.ids import PROVIDER

from .operation_group import Given, OperationGroup, Path, optional_reader, reader
from .pager import Pager
from .poller import AzureOperationPoller, nothing

Strings = list[str]
"""Named out here, because inside the class ``list`` is an operation."""
_KIND = "containerGroups"


class ContainerGroupsOperations(OperationGroup):
    """Is ``client.container_groups``.  A group may be given as a model, as dicts and lists, or as JSON."""

    async def begin_create_or_update(
        self,
        resource_group_name: str,
        container_group_name: str,
        container_group: Given,
        **options: Unpack[BeginOptions],
    ) -> AzureOperationPoller[ContainerGroup]:
        """Create a group, or replace it, and return a poller whose result is the group.

        Operation ``ContainerGroups_CreateOrUpdate``.
        """
        doing = f"create container group {container_group_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_name)
        body = encode(container_group, ContainerGroup)
        return await self._begin("PUT", path, reader(ContainerGroup, doing), doing, options, body)

    create_or_update = begin_create_or_update

    async def get(
        self, resource_group_name: str, container_group_name: str, **options: Unpack[CallOptions]
    ) -> ContainerGroup:
        """Return a group with its instance view.

        Operation ``ContainerGroups_Get``.
        """
        path = self._path(resource_group_name, _KIND, container_group_name)
        return await self._read(ContainerGroup, path, f"get container group {container_group_name!r}", options)

    def list(self, *, expand: Expand | None = None, **options: Unpack[CallOptions]) -> Pager[ContainerGroup]:
        """Iterate over the groups of the subscription, with instance views if ``expand`` asks for them.

        Azure's lists have none, whatever is asked: get each group there.

        Operation ``ContainerGroups_List``.
        """
        doing = "list the container groups of the subscription"
        return self._list(ContainerGroup, ("providers", PROVIDER, _KIND), doing, options, query=_asking_for(expand))

    def list_by_resource_group(
        self, resource_group_name: str, *, expand: Expand | None = None, **options: Unpack[CallOptions]
    ) -> Pager[ContainerGroup]:
        """Iterate over the groups of a resource group, with instance views if ``expand`` asks for them.

        Azure's lists have none, whatever is asked: get each group there.

        Operation ``ContainerGroups_ListByResourceGroup``.
        """
        doing = f"list the container groups of resource group {resource_group_name!r}"
        path = self._path(resource_group_name, _KIND)
        return self._list(ContainerGroup, path, doing, options, query=_asking_for(expand))

    async def update(
        self,
        resource_group_name: str,
        container_group_name: str,
        resource: Given | None = None,
        *,
        location: str | None = None,
        tags: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> ContainerGroup:
        """Replace the tags of a group, given as a `Resource`, or as ``tags`` (the form of 1.x).

        Operation ``ContainerGroups_Update``.
        """
        if resource is None:
            resource = Resource(location=location, tags=dict(tags or {}))
        doing = f"update container group {container_group_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_name)
        return await self._write("PATCH", ContainerGroup, path, resource, doing, options, accepts=Resource)

    async def begin_delete(
        self, resource_group_name: str, container_group_name: str, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[ContainerGroup | None]:
        """Delete a group and return a poller whose result is its last state, or None if there was none.

        Operation ``ContainerGroups_Delete``.
        """
        doing = f"delete container group {container_group_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_name)
        return await self._begin("DELETE", path, optional_reader(ContainerGroup, doing), doing, options)

    async def delete(
        self, resource_group_name: str, container_group_name: str, **options: Unpack[BeginOptions]
    ) -> ContainerGroup | None:
        """Delete a group, wait for the end, and return its last state, or None if there was none.

        Operation ``ContainerGroups_Delete``.
        """
        poller = await self.begin_delete(resource_group_name, container_group_name, **options)
        return await poller.result()

    async def begin_start(
        self, resource_group_name: str, container_group_name: str, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[None]:
        """Start the containers of a stopped group and return a poller.

        Operation ``ContainerGroups_Start``.
        """
        doing = f"start container group {container_group_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_name, "start")
        return await self._begin("POST", path, nothing, doing, options)

    start = begin_start

    async def begin_restart(
        self, resource_group_name: str, container_group_name: str, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[None]:
        """Restart all containers of a group in place and return a poller.

        Operation ``ContainerGroups_Restart``.
        """
        doing = f"restart container group {container_group_name!r}"
        path = self._path(resource_group_name, _KIND, container_group_name, "restart")
        return await self._begin("POST", path, nothing, doing, options)

    restart = begin_restart

    async def stop(self, resource_group_name: str, container_group_name: str, **options: Unpack[CallOptions]) -> None:
        """Stop the containers of a group; the group stays, and can be started again.

        Operation ``ContainerGroups_Stop``.
        """
        path = self._path(resource_group_name, _KIND, container_group_name, "stop")
        await self._do("POST", path, f"stop container group {container_group_name!r}", options)

    async def get_outbound_network_dependencies_endpoints(
        self, resource_group_name: str, container_group_name: str, **options: Unpack[CallOptions]
    ) -> Strings:
        """Return the addresses that the group must be able to reach.

        Operation ``ContainerGroups_GetOutboundNetworkDependenciesEndpoints``.
        """
        doing = f"get the network dependencies of container group {container_group_name!r}"
        path: Path = self._path(
            resource_group_name, _KIND, container_group_name, "outboundNetworkDependenciesEndpoints"
        )
        response = await self._send("GET", path, doing, call_of(options, doing))
        return decode_plain(Strings, response.body, doing)


def _asking_for(expand: Expand | None) -> dict[str, str]:
    return {"$expand": expand} if expand else {}
