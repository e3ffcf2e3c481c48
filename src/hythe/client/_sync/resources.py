# Generated from src/hythe/client/_async/resources.py by tools/generate_sync.py: change that file, not this one.
"""Offers the client of Microsoft.Resources: resource groups and what is in them."""

from __future__ import annotations

from collections.abc import Mapping

from hythe.client.documents import Body, decode, encode
from hythe.models import GenericResourceExpanded, ResourceGroup, ResourceGroupListResult, ResourceListResult

from .client import Client
from .pager import Page, Pager
from .poller import AzureOperationPoller, nothing
from .session import Session

_NOT_FOUND = 404


class ResourceGroupsOperations:
    """Is ``client.resource_groups``.  A resource group may be given as a model or as plain dicts in wire form."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create_or_update(
        self, resource_group_name: str, parameters: ResourceGroup | Mapping[str, object]
    ) -> ResourceGroup:
        """Create a resource group, or change it."""
        doing = f"create resource group {resource_group_name!r}"
        url = self._url(resource_group_name)
        response = self._session.send("PUT", url, doing=doing, body=encode(parameters))
        return decode(ResourceGroup, response.body, doing)

    def get(self, resource_group_name: str) -> ResourceGroup:
        """Return a resource group."""
        doing = f"get resource group {resource_group_name!r}"
        response = self._session.send("GET", self._url(resource_group_name), doing=doing)
        return decode(ResourceGroup, response.body, doing)

    def list(self) -> Pager[ResourceGroup]:
        """Iterate over the resource groups of the subscription."""
        doing = "list the resource groups of the subscription"

        def read(body: bytes) -> Page[ResourceGroup]:
            page = decode(ResourceGroupListResult, body, doing)
            return page.value, page.next_link

        return Pager(self._session, self._session.url("resourceGroups"), read, doing)

    def check_existence(self, resource_group_name: str) -> bool:
        """Tell whether a resource group exists."""
        doing = f"look for resource group {resource_group_name!r}"
        response = self._session.send("HEAD", self._url(resource_group_name), doing=doing, allow={_NOT_FOUND})
        return response.status != _NOT_FOUND

    def update(
        self,
        resource_group_name: str,
        parameters: Body | None = None,
        *,
        tags: Mapping[str, str] | None = None,
    ) -> ResourceGroup:
        """Change the tags of a resource group, given as ``tags`` or as a `ResourceGroup`."""
        if parameters is None:
            parameters = ResourceGroup(tags=dict(tags or {}))
        doing = f"update resource group {resource_group_name!r}"
        url = self._url(resource_group_name)
        response = self._session.send("PATCH", url, doing=doing, body=encode(parameters))
        return decode(ResourceGroup, response.body, doing)

    def begin_delete(
        self, resource_group_name: str, *, polling_interval: float | None = None
    ) -> AzureOperationPoller[None]:
        """Delete a resource group with everything in it and return a poller."""
        return AzureOperationPoller.start(
            self._session,
            "DELETE",
            self._url(resource_group_name),
            nothing,
            doing=f"delete resource group {resource_group_name!r}",
            polling_interval=polling_interval,
        )

    delete = begin_delete

    def _url(self, resource_group_name: str) -> str:
        return self._session.url("resourceGroups", resource_group_name)


class ResourcesOperations:
    """Is ``client.resources``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list_by_resource_group(self, resource_group_name: str) -> Pager[GenericResourceExpanded]:
        """Iterate over the resources in a resource group, of any type, without their properties."""
        doing = f"list the resources of resource group {resource_group_name!r}"

        def read(body: bytes) -> Page[GenericResourceExpanded]:
            page = decode(ResourceListResult, body, doing)
            return page.value, page.next_link

        url = self._session.url("resourceGroups", resource_group_name, "resources")
        return Pager(self._session, url, read, doing)


class ResourceManagementClient(Client):
    """Looks after resource groups, on Hythe or on Azure."""

    DEFAULT_API_VERSION = "2021-04-01"

    def _add_operations(self, session: Session) -> None:
        self.resource_groups = ResourceGroupsOperations(session)
        self.resources = ResourcesOperations(session)
