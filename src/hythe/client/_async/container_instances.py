"""Offers the client of Microsoft.ContainerInstance: container groups and what belongs to them."""

from __future__ import annotations

from hythe.client.documents import decode
from hythe.models import Operation, OperationListResult, Usage, UsageListResult
from hythe.wire.ids import PROVIDER

from .client import Client
from .container_groups import ContainerGroupsOperations
from .containers import ContainersOperations
from .pager import Page, Pager
from .session import Session


class LocationOperations:
    """Is ``client.location``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list_usage(self, location: str) -> Pager[Usage]:
        """Iterate over the quotas of a location and how much of them is used."""
        doing = f"list the usage of location {location!r}"

        def read(body: bytes) -> Page[Usage]:
            page = decode(UsageListResult, body, doing)
            return page.value, page.next_link

        url = self._session.url("providers", PROVIDER, "locations", location, "usages")
        return Pager(self._session, url, read, doing)


class ContainerGroupUsageOperations:
    """Is ``client.container_group_usage``, the older form of ``client.location``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, location: str) -> UsageListResult:
        """Return the quotas of a location in one object."""
        doing = f"list the usage of location {location!r}"
        url = self._session.url("providers", PROVIDER, "locations", location, "usages")
        response = await self._session.send("GET", url, doing=doing)
        return decode(UsageListResult, response.body, doing)


class Operations:
    """Is ``client.operations``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> Pager[Operation]:
        """Iterate over the operations that the provider offers."""
        doing = "list the operations of the provider"

        def read(body: bytes) -> Page[Operation]:
            page = decode(OperationListResult, body, doing)
            return page.value, page.next_link

        return Pager(self._session, self._session.root_url("providers", PROVIDER, "operations"), read, doing)


class ContainerInstanceManagementClient(Client):
    """Runs container groups, on Hythe or on Azure."""

    DEFAULT_API_VERSION = "2023-05-01"

    def _add_operations(self, session: Session) -> None:
        self.container_groups = ContainerGroupsOperations(session)
        self.containers = self.container = ContainersOperations(session)
        self.container_group_usage = ContainerGroupUsageOperations(session)
        self.location = LocationOperations(session)
        self.operations = Operations(session)
