"""Offers the client of Microsoft.Resources: resource groups and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Unpack

from hythe.client.options import BeginOptions, CallOptions, call_of
from hythe.models import GenericResourceExpanded, ResourceGroup

from .client import Client
from .operation_group import Given, OperationGroup
from .pager import Pager
from .poller import AzureOperationPoller, nothing
from .session import Session

_NOT_FOUND = 404


class ResourceGroupsOperations(OperationGroup):
    """Is ``client.resource_groups``.  A resource group may be given as a model, as dicts, or as JSON."""

    async def create_or_update(
        self, resource_group_name: str, parameters: Given, **options: Unpack[CallOptions]
    ) -> ResourceGroup:
        """Create a resource group, or change it.

        Operation ``ResourceGroups_CreateOrUpdate``.
        """
        path = ("resourceGroups", resource_group_name)
        doing = f"create resource group {resource_group_name!r}"
        return await self._write("PUT", ResourceGroup, path, parameters, doing, options)

    async def get(self, resource_group_name: str, **options: Unpack[CallOptions]) -> ResourceGroup:
        """Return a resource group.

        Operation ``ResourceGroups_Get``.
        """
        path = ("resourceGroups", resource_group_name)
        return await self._read(ResourceGroup, path, f"get resource group {resource_group_name!r}", options)

    def list(
        self, filter: str | None = None, top: int | None = None, **options: Unpack[CallOptions]
    ) -> Pager[ResourceGroup]:
        """Iterate over the resource groups of the subscription.

        ``filter``: only those, as in ``tagName eq 'team' and tagValue eq 'a'``.  ``top``: so many at most.

        Operation ``ResourceGroups_List``.
        """
        doing = "list the resource groups of the subscription"
        return self._list(ResourceGroup, ("resourceGroups",), doing, options, query=_narrowing(filter, top))

    async def check_existence(self, resource_group_name: str, **options: Unpack[CallOptions]) -> bool:
        """Tell whether a resource group exists.

        Operation ``ResourceGroups_CheckExistence``.
        """
        doing = f"look for resource group {resource_group_name!r}"
        call = call_of(options, doing)
        url = self._url(("resourceGroups", resource_group_name), call)
        response = await self._session.send("HEAD", url, doing=doing, allow={_NOT_FOUND}, call=call)
        return response.status != _NOT_FOUND

    async def update(
        self,
        resource_group_name: str,
        parameters: Given | None = None,
        *,
        tags: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> ResourceGroup:
        """Change the tags of a resource group, given as ``tags`` or as a `ResourceGroup`.

        Operation ``ResourceGroups_Update``.
        """
        if parameters is None:
            parameters = ResourceGroup(tags=dict(tags or {}))
        path = ("resourceGroups", resource_group_name)
        doing = f"update resource group {resource_group_name!r}"
        return await self._write("PATCH", ResourceGroup, path, parameters, doing, options)

    async def begin_delete(
        self, resource_group_name: str, **options: Unpack[BeginOptions]
    ) -> AzureOperationPoller[None]:
        """Delete a resource group with everything in it and return a poller.

        Operation ``ResourceGroups_Delete``.
        """
        path = ("resourceGroups", resource_group_name)
        return await self._begin("DELETE", path, nothing, f"delete resource group {resource_group_name!r}", options)

    delete = begin_delete


class ResourcesOperations(OperationGroup):
    """Is ``client.resources``."""

    def list_by_resource_group(
        self,
        resource_group_name: str,
        filter: str | None = None,
        expand: str | None = None,
        top: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Pager[GenericResourceExpanded]:
        """Iterate over the resources in a resource group, of any type, without their properties.

        ``filter``: only those, as in ``resourceType eq 'Microsoft.ContainerInstance/containerGroups'``.  ``expand``:
        tell more of each, of ``changedTime`` and ``provisioningState``, separated by commas.  ``top``: so many at most.

        Operation ``Resources_ListByResourceGroup``.
        """
        doing = f"list the resources of resource group {resource_group_name!r}"
        path = ("resourceGroups", resource_group_name, "resources")
        return self._list(GenericResourceExpanded, path, doing, options, query=_narrowing(filter, top, expand))


def _narrowing(filter: str | None, top: int | None, expand: str | None = None) -> dict[str, str]:
    """Write the query that narrows a list."""
    asked = {"$filter": filter, "$expand": expand, "$top": top}
    return {name: str(value) for name, value in asked.items() if value is not None}


class ResourceManagementClient(Client):
    """Looks after resource groups, on Hythe or on Azure."""

    DEFAULT_API_VERSION: ClassVar[str] = "2021-04-01"

    def _add_operations(self, session: Session) -> None:
        self.resource_groups: ResourceGroupsOperations = ResourceGroupsOperations(session)
        self.resources: ResourcesOperations = ResourcesOperations(session)
