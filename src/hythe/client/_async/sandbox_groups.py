"""Keeps sandbox groups."""

from __future__ import annotations

from typing import Unpack

from hythe.client.documents import encode
from hythe.client.options import BeginOptions, CallOptions
from hythe.models import SandboxGroup, SandboxGroupAccessToken, SandboxGroupTagsUpdate
from hythe.wire.ids import PROVIDER

from .operation_group import Given, OperationGroup, reader
from .pager import Pager
from .poller import AzureOperationPoller, nothing

_KIND = "sandboxGroups"


class SandboxGroupsOperations(OperationGroup):
    """Is ``client.sandbox_groups``."""

    def list_by_subscription(self, **options: Unpack[CallOptions]) -> Pager[SandboxGroup]:
        """Iterate over the sandbox groups of the subscription.

        Operation ``SandboxGroups_ListBySubscription``.
        """
        doing = "list the sandbox groups of the subscription"
        return self._list(SandboxGroup, ("providers", PROVIDER, _KIND), doing, options)

    def list_by_resource_group(self, resource_group_name: str, **options: Unpack[CallOptions]) -> Pager[SandboxGroup]:
        """Iterate over the sandbox groups of a resource group.

        Operation ``SandboxGroups_ListByResourceGroup``.
        """
        doing = f"list the sandbox groups of resource group {resource_group_name!r}"
        return self._list(SandboxGroup, self._path(resource_group_name, _KIND), doing, options)

    async def get(
        self, resource_group_name: str, sandbox_group_name: str, **options: Unpack[CallOptions]
    ) -> SandboxGroup:
        """Return a sandbox group.

        Operation ``SandboxGroups_Get``.
        """
        path = self._path(resource_group_name, _KIND, sandbox_group_name)
        return await self._read(SandboxGroup, path, f"get sandbox group {sandbox_group_name!r}", options)

    async def begin_create_or_update(
        self, resource_group_name: str, sandbox_group_name: str, resource: Given, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[SandboxGroup]:
        """Create a sandbox group, or replace it, and return a poller whose result is the sandbox group.

        Operation ``SandboxGroups_CreateOrUpdate``.
        """
        doing = f"create sandbox group {sandbox_group_name!r}"
        path = self._path(resource_group_name, _KIND, sandbox_group_name)
        body = encode(resource, SandboxGroup)
        return await self._begin("PUT", path, reader(SandboxGroup, doing), doing, options, body)

    async def begin_update(
        self, resource_group_name: str, sandbox_group_name: str, properties: Given, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[SandboxGroup]:
        """Change the tags or the identity of a sandbox group and return a poller whose result is the sandbox group.

        Operation ``SandboxGroups_Update``.
        """
        doing = f"update sandbox group {sandbox_group_name!r}"
        path = self._path(resource_group_name, _KIND, sandbox_group_name)
        body = encode(properties, SandboxGroupTagsUpdate)
        return await self._begin("PATCH", path, reader(SandboxGroup, doing), doing, options, body)

    async def begin_delete(
        self, resource_group_name: str, sandbox_group_name: str, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[None]:
        """Delete a sandbox group and return a poller.

        Operation ``SandboxGroups_Delete``.
        """
        path = self._path(resource_group_name, _KIND, sandbox_group_name)
        return await self._begin("DELETE", path, nothing, f"delete sandbox group {sandbox_group_name!r}", options)

    async def connect(
        self, resource_group_name: str, sandbox_group_name: str, **options: Unpack[CallOptions]
    ) -> SandboxGroupAccessToken:
        """Return where the sandboxes of a group are made, and the token for that.

        Operation ``SandboxGroups_Connect``.
        """
        path = self._path(resource_group_name, _KIND, sandbox_group_name, "connect")
        doing = f"connect to sandbox group {sandbox_group_name!r}"
        return await self._ask("POST", SandboxGroupAccessToken, path, doing, options)
