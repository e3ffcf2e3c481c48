"""One call of the API: who asks for what, read from the request by the gate."""

from __future__ import annotations

from collections.abc import AsyncIterator

from msgspec import Struct

from ..wire import ids
from ..wire.ids import ResourceId


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks, from a verified token."""

    app_id: str
    object_id: str
    tenant: str


class Call(Struct, kw_only=True):
    """One call."""

    method: str
    path: str
    """As the caller wrote it."""
    params: dict[str, str]
    """What the path names, as the caller wrote it."""
    query: dict[str, str]
    """By lower-case name."""
    body: bytes
    """Empty for a route that reads its body as it comes."""
    stream: AsyncIterator[bytes]
    """The body as it comes, for such a route."""
    base_url: str
    """Scheme and host that the caller used: answers name URLs below it."""
    api_version: str
    caller: Caller | None = None
    patience: float | None = None
    """How many seconds the caller is ready to wait (``Prefer: wait=N``); None if it does not say."""

    @property
    def subscription(self) -> str:
        """The subscription's id as the caller wrote it."""
        return self.params.get("subscriptionId", "")

    @property
    def resource_group(self) -> ResourceId:
        """The resource group that the path names."""
        return ids.resource_group(self.subscription, self.params["resourceGroupName"])

    @property
    def container_group(self) -> ResourceId:
        """The container group that the path names."""
        return ids.container_group(
            self.subscription, self.params["resourceGroupName"], self.params["containerGroupName"]
        )
