# Generated from src/hythe/client/_async/container_groups.py by tools/generate_sync.py: change that file, not this one.
"""Creates, reads, changes, runs and deletes container groups."""

from __future__ import annotations

from collections.abc import Mapping

from hythe.client.documents import Body, decode, decode_plain, encode
from hythe.models import ContainerGroup, ContainerGroupListResult, Resource
from hythe.wire.ids import PROVIDER

from .pager import Page, Pager
from .poller import AzureOperationPoller, nothing
from .session import Session

Strings = list[str]
"""Named out here, because inside the class ``list`` is an operation."""


class ContainerGroupsOperations:
    """Is ``client.container_groups``.  A group may be given as a model or as plain dicts in wire form."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin_create_or_update(
        self,
        resource_group_name: str,
        container_group_name: str,
        container_group: ContainerGroup | Mapping[str, object],
        *,
        polling_interval: float | None = None,
    ) -> AzureOperationPoller[ContainerGroup]:
        """Create a group, or replace it, and return a poller whose result is the group."""
        doing = f"create container group {container_group_name!r}"
        return AzureOperationPoller.start(
            self._session,
            "PUT",
            self._url(resource_group_name, container_group_name),
            lambda body: decode(ContainerGroup, body, doing),
            doing=doing,
            body=encode(container_group),
            polling_interval=polling_interval,
        )

    create_or_update = begin_create_or_update

    def get(self, resource_group_name: str, container_group_name: str) -> ContainerGroup:
        """Return a group with its instance view."""
        doing = f"get container group {container_group_name!r}"
        url = self._url(resource_group_name, container_group_name)
        response = self._session.send("GET", url, doing=doing)
        return decode(ContainerGroup, response.body, doing)

    def list(self) -> Pager[ContainerGroup]:
        """Iterate over the groups of the subscription, without instance views."""
        url = self._session.url("providers", PROVIDER, "containerGroups")
        return self._pager(url, "list the container groups of the subscription")

    def list_by_resource_group(self, resource_group_name: str) -> Pager[ContainerGroup]:
        """Iterate over the groups of a resource group, without instance views."""
        url = self._session.url("resourceGroups", resource_group_name, "providers", PROVIDER, "containerGroups")
        return self._pager(url, f"list the container groups of resource group {resource_group_name!r}")

    def update(
        self,
        resource_group_name: str,
        container_group_name: str,
        resource: Body | None = None,
        *,
        tags: Mapping[str, str] | None = None,
    ) -> ContainerGroup:
        """Replace the tags of a group, given as ``tags`` or as a `Resource`."""
        if resource is None:
            resource = Resource(tags=dict(tags or {}))
        doing = f"update container group {container_group_name!r}"
        url = self._url(resource_group_name, container_group_name)
        response = self._session.send("PATCH", url, doing=doing, body=encode(resource))
        return decode(ContainerGroup, response.body, doing)

    def begin_delete(
        self, resource_group_name: str, container_group_name: str, *, polling_interval: float | None = None
    ) -> AzureOperationPoller[ContainerGroup | None]:
        """Delete a group and return a poller whose result is its last state, or None if there was none."""
        doing = f"delete container group {container_group_name!r}"

        def read(body: bytes) -> ContainerGroup | None:
            return decode(ContainerGroup, body, doing) if body.strip() else None

        return AzureOperationPoller.start(
            self._session,
            "DELETE",
            self._url(resource_group_name, container_group_name),
            read,
            doing=doing,
            polling_interval=polling_interval,
        )

    def delete(self, resource_group_name: str, container_group_name: str) -> ContainerGroup | None:
        """Delete a group, wait for the end, and return its last state, or None if there was none."""
        poller = self.begin_delete(resource_group_name, container_group_name)
        return poller.result()

    def begin_start(
        self, resource_group_name: str, container_group_name: str, *, polling_interval: float | None = None
    ) -> AzureOperationPoller[None]:
        """Start the containers of a stopped group and return a poller."""
        return self._act("start", resource_group_name, container_group_name, polling_interval)

    start = begin_start

    def begin_restart(
        self, resource_group_name: str, container_group_name: str, *, polling_interval: float | None = None
    ) -> AzureOperationPoller[None]:
        """Restart all containers of a group in place and return a poller."""
        return self._act("restart", resource_group_name, container_group_name, polling_interval)

    restart = begin_restart

    def stop(self, resource_group_name: str, container_group_name: str) -> None:
        """Stop the containers of a group; the group stays, and can be started again."""
        url = self._url(resource_group_name, container_group_name, "stop")
        self._session.send("POST", url, doing=f"stop container group {container_group_name!r}")

    def get_outbound_network_dependencies_endpoints(
        self, resource_group_name: str, container_group_name: str
    ) -> Strings:
        """Return the addresses that the group must be able to reach."""
        doing = f"get the network dependencies of container group {container_group_name!r}"
        url = self._url(resource_group_name, container_group_name, "outboundNetworkDependenciesEndpoints")
        response = self._session.send("GET", url, doing=doing)
        return decode_plain(Strings, response.body, doing)

    def _act(
        self, verb: str, resource_group_name: str, container_group_name: str, polling_interval: float | None
    ) -> AzureOperationPoller[None]:
        return AzureOperationPoller.start(
            self._session,
            "POST",
            self._url(resource_group_name, container_group_name, verb),
            nothing,
            doing=f"{verb} container group {container_group_name!r}",
            polling_interval=polling_interval,
        )

    def _url(self, resource_group_name: str, container_group_name: str, *more: str) -> str:
        return self._session.url(
            "resourceGroups", resource_group_name, "providers", PROVIDER, "containerGroups", container_group_name, *more
        )

    def _pager(self, url: str, doing: str) -> Pager[ContainerGroup]:
        def read(body: bytes) -> Page[ContainerGroup]:
            page = decode(ContainerGroupListResult, body, doing)
            return page.value, page.next_link

        return Pager(self._session, url, read, doing)
