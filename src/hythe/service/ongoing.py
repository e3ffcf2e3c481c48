"""Connections that go on: bodies that are read or sent as they are made, and websockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, MutableMapping
from typing import Any

from ..wire.faults import Fault
from .answers import Answer
from .sockets import Receive, Send, Socket

log = logging.getLogger(__name__)

Head = MutableMapping[str, Any]
"""The message that begins an answer: status and headers."""


class Ongoing:
    """Sends bodies as they are made."""

    def __init__(self) -> None:
        self._pumps: set[asyncio.Task[None]] = set()

    def end(self) -> None:
        """Break off the answers that would go on: the server is ending."""
        for pump in self._pumps:
            pump.cancel()

    async def send(self, chunks: AsyncGenerator[bytes, None], head: Head, receive: Receive, send: Send) -> None:
        """Send a body as it is made, until it ends or the client has gone."""
        pump = asyncio.create_task(_pump(chunks, head, send))
        gone = asyncio.create_task(_disconnected(receive))
        self._pumps.add(pump)
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (pump, gone):
                each.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)
            self._pumps.discard(pump)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pump(chunks: AsyncGenerator[bytes, None], head: Head, send: Send) -> None:
    async with contextlib.aclosing(chunks):
        await send(head)
        try:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Exception as error:
            # The status is sent: all that can still be said is that the body is not whole, by not ending it.
            log.warning("an answer broke off: %s", error)
            return
        await send({"type": "http.response.body", "body": b""})


async def blocks(receive: Receive) -> AsyncIterator[bytes]:
    """Give the body of a request as it comes.  Raises a fault if it ends too early."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Fault(400, "InvalidRequestContent", "The request ended before its body did.")
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


async def converse(answer: Answer, head: Head, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """End the handshake of a websocket: refuse it with an answer, or go on as the handler says."""
    await receive()
    if answer.talk is None:
        await send({**head, "type": "websocket.http.response.start"})
        await send({"type": "websocket.http.response.body", "body": answer.body})
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    subprotocols, authorization = scope.get("subprotocols", ()), headers.get("authorization", "")
    await answer.talk(Socket(receive, send, subprotocols=subprotocols, authorization=authorization))
