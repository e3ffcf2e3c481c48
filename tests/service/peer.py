"""The other side of a websocket or of an answer that goes on, without a server between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from .harness import VERSION, Service


class Peer:
    """A client of one connection."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self.got: asyncio.Queue[Any] = asyncio.Queue()

    async def next(self) -> Any:
        return await asyncio.wait_for(self.got.get(), 30)

    def send(self, data: bytes | str) -> None:
        kind = "text" if isinstance(data, str) else "bytes"
        self.sent.put_nowait({"type": "websocket.receive", kind: data})

    def leave(self) -> None:
        self.sent.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def frame(self) -> bytes | str:
        message = await self.next()
        assert message["type"] == "websocket.send", message
        return message.get("bytes") or message.get("text")

    async def closed(self) -> tuple[int, str]:
        message = await self.next()
        assert message["type"] == "websocket.close", message
        return message["code"], message["reason"]

    async def refused(self) -> tuple[int, str]:
        start, body = await self.next(), await self.next()
        assert start["type"] == "websocket.http.response.start"
        return start["status"], json.loads(body["body"])["error"]["code"]


@asynccontextmanager
async def connected(
    service: Service, uri: str, *, subprotocols: list[str] | None = None, headers: dict[str, str] | None = None
) -> AsyncIterator[Peer]:
    """Connect a websocket; what the service runs for it has ended at the end of the block."""
    peer = Peer()
    path, _, query = uri.removeprefix("wss://localhost").partition("?")
    named = {"host": "localhost"} | (headers or {})
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "subprotocols": subprotocols or [],
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    peer.sent.put_nowait({"type": "websocket.connect"})
    task = asyncio.create_task(service.gate(scope, peer.sent.get, put(peer)))
    try:
        yield peer
    finally:
        peer.leave()
        await asyncio.wait_for(task, 30)


@asynccontextmanager
async def answering(
    service: Service, method: str, path: str, query: str = "", body: list[bytes] | None = None
) -> AsyncIterator[Peer]:
    """Ask for an answer that goes on."""
    peer = Peer()
    blocks = body or [b""]
    for number, block in enumerate(blocks):
        peer.sent.put_nowait({"type": "http.request", "body": block, "more_body": number + 1 < len(blocks)})
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": f"api-version={VERSION}&{query}".encode(),
        "headers": [(b"host", b"localhost"), (b"authorization", b"Bearer x")],
    }
    task = asyncio.create_task(service.gate(scope, peer.sent.get, put(peer)))
    try:
        yield peer
    finally:
        peer.sent.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(task, 30)


def put(peer: Peer) -> Any:
    async def send(message: Any) -> None:
        peer.got.put_nowait(message)

    return send
