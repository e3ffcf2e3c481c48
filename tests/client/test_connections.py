"""Tests with a real socket what cancelling leaves behind, and how many connections there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from hythe.aio import ContainerInstanceManagementClient, StaticTokenCredential

Answer = Callable[[], bytes | None]


class Seen:
    """Counts the connections of a server."""

    def __init__(self) -> None:
        self.open = 0
        self.most = 0
        self.asked = asyncio.Event()
        self.closed = asyncio.Event()


@asynccontextmanager
async def server(body: bytes | None) -> AsyncIterator[tuple[str, Seen]]:
    """Answer every request with this body, or never."""
    seen = Seen()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.open += 1
        seen.most = max(seen.most, seen.open)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                seen.asked.set()
                if body is not None:
                    await asyncio.sleep(0.001)
                    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n"
                    writer.write(head.encode() + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            seen.open -= 1
            seen.closed.set()
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", seen


async def test_cancelling_closes_the_socket() -> None:
    async with server(None) as (url, seen):
        aci = ContainerInstanceManagementClient(StaticTokenCredential("t"), "s", url)
        call = asyncio.create_task(aci.container_groups.get("rg", "web"))
        await asyncio.wait_for(seen.asked.wait(), 30)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(seen.closed.wait(), 30)
        assert seen.open == 0
        await aci.close()


async def test_five_hundred_calls_at_once_share_a_bounded_number_of_connections() -> None:
    async with server(b'{"name": "web"}') as (url, seen):
        async with ContainerInstanceManagementClient(StaticTokenCredential("t"), "s", url) as aci:
            groups = await asyncio.gather(*[aci.container_groups.get("rg", "web") for _ in range(500)])
        assert {group.name for group in groups} == {"web"}
        assert 1 < seen.most <= 100
