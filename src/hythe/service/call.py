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


class Outer(Struct, frozen=True, kw_only=True):
    """The deployment for which the service asks something of itself."""

    correlation: str
    """What it shares with the deployments that it is nested in, and with those nested in it."""
    seed: str
    """Its own."""


class Lro(Struct, frozen=True, kw_only=True):
    """How an operation answers: its success codes, and where a caller sees the end of one that goes on.

    A PUT that makes something answers 201 instead of 200.  A body follows a 200 or 201 unless ``body`` is False.
    """

    done: int = 200
    pending: int = 200
    """While it goes on, or always if ``always``."""
    always: bool = False
    """Answers as if it went on although it is done: there is no other code in the contract."""
    idle: int = 0
    """When there is nothing to do, and no operation is opened; 0 to open one all the same."""
    hold: bool = False
    """Waits for the end as long as a request is held, then answers as done."""
    body: bool = True
    headers: tuple[str, ...] = ("Azure-AsyncOperation",)
    """Those that name the operation."""
    word: str = "operations"
    """Which path an Azure-AsyncOperation has: operations, or operationStatuses with the caller's api-version."""


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
    lro: Lro = Lro()
    """How the operation answers, from the table of routes."""
    bearer: str = ""
    """The caller's token, for routes that check it themselves."""
    patience: float | None = None
    """How many seconds the caller is ready to wait (``Prefer: wait=N``); None if it does not say."""
    outer: Outer | None = None
    """Set if it is the service that asks, for a deployment."""

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
        return self.resource(f"{ids.PROVIDER}/containerGroups", "containerGroupName")

    def resource(self, type_: str, parameter: str) -> ResourceId:
        """Give the resource whose name the path has under a parameter."""
        return ids.ResourceId(
            subscription=self.subscription,
            resource_group=self.params["resourceGroupName"],
            type=type_,
            name=self.params[parameter],
        )
