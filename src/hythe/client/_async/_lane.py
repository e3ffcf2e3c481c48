"""Holds by hand how requests reach this machine: HTTP/1.1 over connections that are used again, and nothing more.

A library that can do all of HTTP takes several times as long for a request as a service on loopback for its answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hythe.client.addresses import origin
from hythe.client.reaching import NAME_ITS_AUTHORITY, answering
from hythe.client.transport import Request, Response

if TYPE_CHECKING:
    import ssl

__all__ = ["Lane"]

MOST = 100
"""Connections at a time; further requests wait for one."""
_WITH_BODY = ("POST", "PUT", "PATCH")
_BODILESS = (204, 304)
_FINAL = 200
_MOST_HEAD = 1 << 17


class Lane:
    """Sends requests to services of this machine; ``trusted`` gives the TLS context, ``keep`` seconds of idleness."""

    def __init__(self, trusted: Callable[[], ssl.SSLContext], keep: float) -> None:
        self._trusted = trusted
        self._keep = keep
        self._idle: dict[str, list[_Connection]] = {}
        self._open: set[_Connection] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._busy = 0

    async def send(self, request: Request, seconds: float, connect: float) -> Response:
        """Send one request and return its answer; ``seconds`` is the longest silence.  Raises `ConnectionFailed`."""
        where = origin(request.url)
        with answering(where, NAME_ITS_AUTHORITY):
            await self._turn(seconds)
            try:
                connection = self._rested(where) or await self._connected(where, connect)
                try:
                    answer = await connection.ask(request, seconds)
                except BaseException:
                    connection.end()  # also when this was cancelled: nothing stays half open
                    raise
                if connection.usable:
                    connection.rests_since = connection.loop.time()
                    self._idle.setdefault(where, []).append(connection)
                else:
                    connection.end()
                return answer
            finally:
                self._done()

    async def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        self._idle.clear()
        for connection in list(self._open):
            connection.end()
        await asyncio.sleep(0)  # sockets are closed by the loop's next round

    async def _turn(self, seconds: float) -> None:
        """Wait until fewer than `MOST` requests go on."""
        if self._busy < MOST:
            self._busy += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._done()  # it came too late, and is somebody else's
            raise

    def _done(self) -> None:
        """Give the turn to who waits longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy -= 1

    def _rested(self, where: str) -> _Connection | None:
        """Take the connection that was used last, if it is still good."""
        idle = self._idle.get(where)
        loop = asyncio.get_running_loop()
        while idle:
            found = idle.pop()
            if found.loop is loop and found.usable and loop.time() - found.rests_since < self._keep:
                return found
            found.end()
        return None

    async def _connected(self, where: str, connect: float) -> _Connection:
        parts = urlsplit(where)
        host, port = parts.hostname or "localhost", parts.port or 443
        context = self._trusted() if parts.scheme == "https" else None
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(connect):
            _, made = await loop.create_connection(
                lambda: _Connection(loop, parts.netloc, self._open), host, port, ssl=context
            )
        return made


class _Connection(asyncio.Protocol):
    """Is one connection: one request at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str, registry: set[_Connection]) -> None:
        self.loop = loop
        self.rests_since = 0.0
        self._host = host
        self._open = registry
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._reading = _Reading("GET")
        self._heard = 0.0
        self._seconds = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._keeps = True

    @property
    def usable(self) -> bool:
        """Tell whether it can carry another request."""
        return not self._closed and self._keeps

    async def ask(self, request: Request, seconds: float) -> Response:
        """Send a request and wait for its answer."""
        assert self._transport is not None  # noqa: S101 - the loop has called connection_made
        self._answer = self.loop.create_future()
        self._reading = _Reading(request.method)
        self._heard, self._seconds = self.loop.time(), seconds
        self._timer = self.loop.call_later(seconds, self._check)
        try:
            self._transport.write(self._written(request))
            return await self._answer
        finally:
            self._timer.cancel()
            self._answer = None

    def end(self) -> None:
        """Close without waiting for the other side."""
        self._closed = True
        self._open.discard(self)
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be called by the loop."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        """Be called by the loop."""
        self._heard = self.loop.time()
        answer = self._answer
        if answer is None or answer.done():
            self._keeps = False  # words that nobody asked for
            return
        try:
            response = self._reading.take(data)
        except ValueError as why:
            answer.set_exception(ConnectionError(f"the answer can't be read: {why}"))
            return
        if response is not None:
            self._keeps = self._reading.keeps
            answer.set_result(response)

    def connection_lost(self, exc: Exception | None) -> None:
        """Be called by the loop."""
        self._closed = True
        self._open.discard(self)
        answer = self._answer
        if answer is None or answer.done():
            return
        whole = None if exc else self._reading.ended()
        if whole is not None:
            answer.set_result(whole)
        else:
            answer.set_exception(exc or ConnectionError("the service hung up before it had answered"))

    def _check(self) -> None:
        """Give up after too long a silence; what has been heard meanwhile gives a new term."""
        left = self._heard + self._seconds - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(left, self._check)
        elif self._answer is not None and not self._answer.done():
            self._answer.set_exception(TimeoutError())

    def _written(self, request: Request) -> bytes:
        parts = urlsplit(request.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{request.method} {target} HTTP/1.1", f"host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        if request.body or request.method in _WITH_BODY:
            lines.append(f"content-length: {len(request.body)}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("cannot send a request: a header or the address has a line break in it")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body


class _Reading:
    """Reads one answer from the blocks that come."""

    def __init__(self, method: str) -> None:
        self.keeps = True
        self._method = method
        self._status = 0
        self._headers: dict[str, str] | None = None
        self._blocks: list[bytes] = []
        """Of the head at first, then of the body."""
        self._missing: int | None = None
        """Bytes of the body that have not come yet; None if its end is told otherwise."""
        self._chunked = False
        self._held: list[bytes] = []
        """What has come of a chunk that is not whole yet."""
        self._size = 0
        self._needed = 1
        """Bytes held without which it is of no use to look."""

    def take(self, data: bytes) -> Response | None:
        """Take a block; give the answer once it is whole.  Raises ValueError for what is no HTTP."""
        if self._headers is None:
            whole = b"".join([*self._blocks, data])
            head, end, rest = whole.partition(b"\r\n\r\n")
            if not end:
                if len(whole) > _MOST_HEAD:
                    raise ValueError("its head is too long")
                self._blocks = [whole]
                return None
            self._blocks = []
            self._read_head(head.decode("latin-1"))
            if self._status < _FINAL:  # "continue" and its like come before the answer
                self._headers = None
                return self.take(rest) if rest else None
            data = rest
        if self._chunked:
            return self._of_chunks(data)
        if data:
            self._blocks.append(data)
        if self._missing is not None:
            self._missing -= len(data)
            if self._missing < 0:
                raise ValueError("it is longer than it says")
            return self._made(b"".join(self._blocks)) if self._missing == 0 else None
        return None

    def ended(self) -> Response | None:
        """Give the answer whose body goes on until the connection ends."""
        if self._headers is None or self._missing is not None or self._chunked:
            return None
        return self._made(b"".join(self._blocks))

    def _read_head(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        version, _, rest = first.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
            raise ValueError("it is no HTTP")
        self._status = int(rest[:3])
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self._headers = headers
        said = headers.get("connection", "").lower()
        self.keeps = "close" not in said and (version != "HTTP/1.0" or "keep-alive" in said)
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        self._missing = None
        if self._method == "HEAD" or self._status in _BODILESS:
            self._missing, self._chunked = 0, False
        elif not self._chunked:
            length = headers.get("content-length")
            if length is None:
                self.keeps = False
            else:
                self._missing = int(length)

    def _of_chunks(self, data: bytes) -> Response | None:
        """Take chunks as they become whole; the empty one ends the body, and an empty line the trailer behind it."""
        self._held.append(data)
        self._size += len(data)
        if self._size < self._needed:
            return None
        sent, at = b"".join(self._held), 0
        while True:
            end = sent.find(b"\r\n", at)
            if end < 0:
                self._needed = len(sent) - at + 1
                break
            size = int(sent[at:end].partition(b";")[0], 16)
            if size == 0:
                if sent.find(b"\r\n\r\n", end) >= 0:
                    return self._made(b"".join(self._blocks))
                self._needed = len(sent) - at + 1
                break
            begin = end + 2
            if len(sent) < begin + size + 2:
                self._needed = begin + size + 2 - at
                break
            self._blocks.append(sent[begin : begin + size])
            at = begin + size + 2
        self._held, self._size = [sent[at:]], len(sent) - at
        return None

    def _made(self, body: bytes) -> Response:
        assert self._headers is not None  # noqa: S101 - called when the head has been read
        return Response(status=self._status, headers=self._headers, body=body)
