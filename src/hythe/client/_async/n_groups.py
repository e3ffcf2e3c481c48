"""Keeps sets of container groups made from profiles."""

from __future__ import annotations

from typing import Unpack

from hythe.client.documents import encode
from hythe.client.options import BeginOptions, CallOptions
from hythe.models import NGroup, NGroupPatch
from hythe.wire.ids import PROVIDER

from .operation_group import Given, OperationGroup, reader
from .pager import Pager
from .poller import AzureOperationPoller, nothing

_KIND = "ngroups"


class NGroupsOperations(OperationGroup):
    """Is ``client.ngroups``."""

    async def get(self, resource_group_name: str, ngroups_name: str, **options: Unpack[CallOptions]) -> NGroup:
        """Return a set.

        Operation ``NGroups_Get``.
        """
        path = self._path(resource_group_name, _KIND, ngroups_name)
        return await self._read(NGroup, path, f"get NGroup {ngroups_name!r}", options)

    async def begin_create_or_update(
        self, resource_group_name: str, ngroups_name: str, n_group: Given, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[NGroup]:
        """Create a set, or replace it, and return a poller whose result is the set.

        Operation ``NGroups_CreateOrUpdate``.
        """
        doing = f"create NGroup {ngroups_name!r}"
        path = self._path(resource_group_name, _KIND, ngroups_name)
        return await self._begin("PUT", path, reader(NGroup, doing), doing, options, encode(n_group, NGroup))

    async def begin_update(
        self, resource_group_name: str, ngroups_name: str, n_group: Given, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[NGroup]:
        """Change what an `NGroupPatch` names of a set and return a poller whose result is the set.

        Operation ``NGroups_Update``.
        """
        doing = f"update NGroup {ngroups_name!r}"
        path = self._path(resource_group_name, _KIND, ngroups_name)
        return await self._begin("PATCH", path, reader(NGroup, doing), doing, options, encode(n_group, NGroupPatch))

    async def begin_delete(
        self, resource_group_name: str, ngroups_name: str, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[None]:
        """Delete a set with its groups and return a poller.

        Operation ``NGroups_Delete``.
        """
        path = self._path(resource_group_name, _KIND, ngroups_name)
        return await self._begin("DELETE", path, nothing, f"delete NGroup {ngroups_name!r}", options)

    def list(self, **options: Unpack[CallOptions]) -> Pager[NGroup]:
        """Iterate over the sets of the subscription.

        Operation ``NGroups_List``.
        """
        doing = "list the NGroups of the subscription"
        return self._list(NGroup, ("providers", PROVIDER, _KIND), doing, options)

    def list_by_resource_group(self, resource_group_name: str, **options: Unpack[CallOptions]) -> Pager[NGroup]:
        """Iterate over the sets of a resource group.

        Operation ``NGroups_ListByResourceGroup``.
        """
        doing = f"list the NGroups of resource group {resource_group_name!r}"
        return self._list(NGroup, self._path(resource_group_name, _KIND), doing, options)

    async def begin_start(
        self, resource_group_name: str, ngroups_name: str, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[None]:
        """Start all groups of a set and return a poller.

        Operation ``NGroups_Start``.
        """
        path = self._path(resource_group_name, _KIND, ngroups_name, "start")
        return await self._begin("POST", path, nothing, f"start NGroup {ngroups_name!r}", options)

    async def begin_restart(
        self, resource_group_name: str, ngroups_name: str, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[None]:
        """Restart all groups of a set and return a poller.

        Operation ``NGroups_Restart``.
        """
        path = self._path(resource_group_name, _KIND, ngroups_name, "restart")
        return await self._begin("POST", path, nothing, f"restart NGroup {ngroups_name!r}", options)

    async def stop(self, resource_group_name: str, ngroups_name: str, **options: Unpack[CallOptions]) -> None:
        """Stop all groups of a set; they stay, and can be started again.

        Operation ``NGroups_Stop``.
        """
        path = self._path(resource_group_name, _KIND, ngroups_name, "stop")
        await self._do("POST", path, f"stop NGroup {ngroups_name!r}", options)
