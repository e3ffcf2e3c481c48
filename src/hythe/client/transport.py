"""Declares the seam between the library and the network: plain requests in, plain answers out.

A transport has one method.  The real ones (over HTTP) are in `hythe.client._async.transport` and its
synchronous twin; a test or another network can bring its own.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request as data.  Its repr has neither headers nor body, because these carry secrets."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""
    timeout: float | None = None
    """Seconds to wait for the answer; None leaves it to the transport."""
    connect_timeout: float | None = None
    """Seconds to wait for a connection, no more than ``timeout``; None leaves it to the transport."""

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url.partition('?')[0]})"


class Response(Struct, frozen=True, kw_only=True):
    """One HTTP answer as data; header names are in lower case.  Its repr has no body."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"


class Answer(Protocol):
    """Is what any answer has, whole or still to be read."""

    @property
    def status(self) -> int:
        """Give the code of HTTP."""

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers, names in lower case."""


def sendable(request: Request) -> Request:
    """Return the request.  Raises ValueError, without the value, if a header's value can't be sent."""
    for name, value in request.headers.items():
        if value != value.strip() or {*value} & {*"\r\n\0"} or max(value, default="") > "\xff":
            raise ValueError(
                f"cannot send {request.method} {request.url.partition('?')[0]}: the value of the header {name} has a "
                "blank at an end, a line break, or a letter that no header may have. Correct it where it comes from."
            )
    return request


class Transport(Protocol):
    """Carries requests.

    Answers of any status are returned, never raised, and redirects are not followed.  When there is no answer it
    raises `hythe.errors.ConnectionFailed` whose reason tells whether the request can have reached the service.
    May be used by several threads at once, and again after it was closed.  ``close()``, if it has one, lets go of
    idle connections.
    """

    def send(self, request: Request) -> Response:
        """Send one request and return its answer."""


class AsyncTransport(Protocol):
    """Carries requests as `Transport` does, for the asynchronous clients."""

    async def send(self, request: Request) -> Response:
        """Send one request and return its answer."""
