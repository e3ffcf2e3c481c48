"""Holds by hand how requests reach this machine: with what Python has, and nothing more.

A library that can do all of HTTP takes several times as long to load as a service on loopback to answer.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hythe.client.addresses import origin
from hythe.client.reaching import NAME_ITS_AUTHORITY, answering
from hythe.client.transport import Request, Response

if TYPE_CHECKING:
    import http.client
    import ssl

__all__ = ["Lane"]


class Lane:
    """Sends requests to services of this machine; ``trusted`` gives the TLS context, ``keep`` seconds of idleness.

    Each thread has a connection of its own, which is used again while the service keeps it open, and closed when the
    thread ends.
    """

    def __init__(self, trusted: Callable[[], ssl.SSLContext], keep: float) -> None:
        self._trusted = trusted
        self._keep = keep
        self._mine = threading.local()
        self._open: set[http.client.HTTPConnection] = set()

    def send(self, request: Request, seconds: float, connect: float) -> Response:
        """Send one request and return its answer; ``seconds`` is the longest silence.  Raises `ConnectionFailed`."""
        where, parts = origin(request.url), urlsplit(request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        mine = self._mine
        connection = self._rested(where) or self._made(where)
        keeps = False
        try:
            with answering(where, NAME_ITS_AUTHORITY):
                if connection.sock is None:
                    connection.timeout = connect
                    connection.connect()
                assert connection.sock is not None  # noqa: S101 - it is connected
                connection.sock.settimeout(seconds)
                connection.request(request.method, target, body=request.body or None, headers=request.headers)
                answer = connection.getresponse()
                body = answer.read()
            keeps = not answer.will_close and mine is self._mine  # else all was closed meanwhile
        finally:
            if not keeps:
                self._drop(connection)
        if keeps:
            mine.held = _Held(connection, where, self._drop)
        headers: dict[str, str] = {}
        for name, value in answer.getheaders():
            lower = name.lower()
            headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
        return Response(status=answer.status, headers=headers, body=body)

    def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        self._mine = threading.local()
        for connection in list(self._open):
            self._drop(connection)

    def _rested(self, where: str) -> http.client.HTTPConnection | None:
        """Take the thread's connection, if it is still good."""
        held: _Held | None = getattr(self._mine, "held", None)
        if held is None:
            return None
        self._mine.held = None
        if held.where == where and time.monotonic() - held.since < self._keep:
            return held.taken()
        return None

    def _made(self, where: str) -> http.client.HTTPConnection:
        import http.client

        address = urlsplit(where)
        made = (
            http.client.HTTPSConnection(address.netloc, context=self._trusted())
            if address.scheme == "https"
            else http.client.HTTPConnection(address.netloc)
        )
        self._open.add(made)
        return made

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        self._open.discard(connection)
        with contextlib.suppress(OSError):
            connection.close()


class _Held:
    """Is a connection that rests; unless it is taken, it is dropped with its thread."""

    def __init__(
        self, connection: http.client.HTTPConnection, where: str, drop: Callable[[http.client.HTTPConnection], None]
    ) -> None:
        self.where = where
        self.since = time.monotonic()
        self._connection: http.client.HTTPConnection | None = connection
        self._drop = drop

    def taken(self) -> http.client.HTTPConnection | None:
        """Give the connection away, unless it was closed meanwhile."""
        connection, self._connection = self._connection, None
        return connection if connection is not None and connection.sock is not None else None

    def __del__(self) -> None:
        if self._connection is not None:
            self._drop(self._connection)
