"""One websocket, as handlers see it: frames in, frames out, a code and a reason at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from ..tickets import no_tickets

if TYPE_CHECKING:
    import uvicorn

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_FRAME = 1 << 20
"""Most bytes of a frame from a client; the server closes with 1009 beyond it."""
ENDED, BAD_DATA, NOT_ALLOWED, FAILED = 1000, 1003, 1008, 1011
_MOST_REASON = 120  # bytes: all that a close frame holds


class Gone(Exception):
    """The client has gone."""


class Socket:
    """A websocket whose handshake is not over yet, until `accept`."""

    def __init__(self, receive: Receive, send: Send, *, subprotocols: Sequence[str], authorization: str) -> None:
        self._receive = receive
        self._send = send
        self._open = False
        self.subprotocols = tuple(subprotocols)
        """What the client offers."""
        self.authorization = authorization
        """Header of the handshake: a secret."""

    async def accept(self, subprotocol: str | None = None) -> None:
        """End the handshake."""
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol})
        self._open = True

    async def receive(self) -> bytes | str:
        """Wait for a frame.  Raises `Gone`."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._open = False
            raise Gone
        data = message.get("bytes")
        if data is None:
            text: str = message["text"]
            return text
        return bytes(data)

    async def send(self, data: bytes | str) -> None:
        """Send a frame, waiting while the client is slow.  Raises `Gone`."""
        kind = "text" if isinstance(data, str) else "bytes"
        try:
            await self._send({"type": "websocket.send", kind: data})
        except (OSError, RuntimeError):
            self._open = False
            raise Gone from None

    async def close(self, code: int = ENDED, reason: str = "") -> None:
        """Close it; closed already is fine."""
        if self._open:
            self._open = False
            short = reason.encode()[:_MOST_REASON].decode(errors="ignore")
            with contextlib.suppress(OSError, RuntimeError):
                await self._send({"type": "websocket.close", "code": code, "reason": short})


def without_tickets(config: uvicorn.Config) -> uvicorn.Config:
    """Have a server send no TLS session tickets."""
    config.load()
    if config.ssl is not None:
        no_tickets(config.ssl)
    return config
