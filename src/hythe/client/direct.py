"""Carries the requests of short-lived programs to the service of this machine.

Importing the HTTP library and reading the system's authorities takes several times as long as a question to a service
on loopback.  This asks with what Python has, and trusts the service's own authority only.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hythe.client._sync.transport import KEEP_ALIVE, HttpTransport
from hythe.client.addresses import is_loopback, origin
from hythe.client.local import answering
from hythe.client.transport import Request, Response
from hythe.client.trust import Trust

if TYPE_CHECKING:
    import http.client
    import ssl

_TIMEOUT = 300.0


class DirectTransport(HttpTransport):
    """Sends requests to one service of this machine; what is not for this machine goes the usual way.

    Each thread has a connection of its own, which is used again while the service keeps it open.
    """

    def __init__(self, ca: Path, *, timeout: float = _TIMEOUT) -> None:
        super().__init__(trust=Trust(loopback_ca=str(ca)), timeout=timeout)
        self._ca = ca
        self._longest = timeout
        self._context: ssl.SSLContext | None = None
        self._mine = threading.local()
        self._open: set[http.client.HTTPSConnection] = set()

    def send(self, request: Request) -> Response:
        """Send one request and return its answer.  Raises `ConnectionFailed` when there is none."""
        if not (is_loopback(request.url) and request.url[:6].lower() == "https:"):
            return super().send(request)
        where, parts = origin(request.url), urlsplit(request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        seconds = self._longest if request.timeout is None else request.timeout
        connection = self._connection(where, seconds)
        self._mine.last = None
        done = False
        try:
            with answering(where):
                connection.request(request.method, target, body=request.body or None, headers=request.headers)
                answer = connection.getresponse()
                body = answer.read()
            done = not answer.will_close
        finally:
            if not done:
                self._drop(connection)
        self._mine.last = (connection, where, time.monotonic())
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Response(status=answer.status, headers=headers, body=body)

    def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        for connection in list(self._open):
            self._drop(connection)
        self._mine = threading.local()
        super().close()

    def _connection(self, where: str, seconds: float) -> http.client.HTTPSConnection:
        """Take the thread's open connection, or make one."""
        import http.client

        last = getattr(self._mine, "last", None)
        if last is not None:
            connection, there, used = last
            if there == where and time.monotonic() - used < KEEP_ALIVE and connection.sock is not None:
                connection.sock.settimeout(seconds)
                return connection  # type: ignore[no-any-return]
            self._drop(connection)
        address = urlsplit(where)
        made = http.client.HTTPSConnection(
            address.hostname or "localhost", address.port or 443, timeout=seconds, context=self._trusted()
        )
        self._open.add(made)
        return made

    def _drop(self, connection: http.client.HTTPSConnection) -> None:
        self._open.discard(connection)
        with contextlib.suppress(OSError):
            connection.close()

    def _trusted(self) -> ssl.SSLContext:
        if self._context is None:
            import ssl

            with answering(str(self._ca)):
                self._context = ssl.create_default_context(cafile=str(self._ca))
        return self._context
