"""What containers can do to the endpoint that gives them tokens: little.  Listeners on ports of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hythe.engines.base import Uid, Want
from hythe.engines.sim import SimulatedEngine
from hythe.models import ContainerGroup, ContainerGroupIdentity
from hythe.service.identity import metadata
from hythe.service.identity.metadata import MetadataEndpoint

ASKED = (
    b"GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=x HTTP/1.1\r\n"
    b"Host: 169.254.169.254\r\nMetadata: true\r\n"
)
END = b"\r\n"


def want(uid: str) -> Want:
    identity = ContainerGroupIdentity(type="SystemAssigned")
    return Want(uid=Uid(uid), name=uid, subscription="s", group=ContainerGroup(containers=[], identity=identity))


class Endpoint:
    """An endpoint on the simulated engine, as containers see it."""

    def __init__(self) -> None:
        self.engine = SimulatedEngine()
        self.known = {"a", "b"}
        self.served = MetadataEndpoint(self.engine, lambda *_: ("token", 2_000_000_000), lambda: self.known)
        self.opened: list[asyncio.StreamWriter] = []

    async def connect(self, uid: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        pair = await asyncio.open_connection(*self.engine.listeners[Uid(uid)])
        self.opened.append(pair[1])
        await asyncio.sleep(0.01)  # until it is accepted
        return pair

    async def ask(self, uid: str) -> bytes:
        """Give the first line of an answer; empty if the connection was closed without one."""
        reader, writer = await self.connect(uid)
        with contextlib.suppress(OSError):
            writer.write(ASKED + END)
            return (await asyncio.wait_for(reader.readline(), 5)).strip()
        return b""


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    for uid in ("a", "b"):
        await made.served.open(want(uid))
    try:
        yield made
    finally:
        for writer in made.opened:
            writer.close()
        await made.served.stop()
        await made.engine.close()


async def ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(), 5) == b""
    except ConnectionResetError:
        return True


async def test_a_group_has_few_connections_at_a_time(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "_MOST_OF_GROUP", 2)
    held = [await endpoint.connect("a") for _ in range(2)]

    assert await endpoint.ask("a") in (b"HTTP/1.1 429 Too Many Requests", b"")
    assert await endpoint.ask("b") == b"HTTP/1.1 200 OK", "others are not concerned"
    held[0][1].close()
    await asyncio.sleep(0.01)
    assert await endpoint.ask("a") == b"HTTP/1.1 200 OK"
    assert await endpoint.ask("a") == b"HTTP/1.1 200 OK", "a connection ends with its answer"


async def test_all_groups_together_have_not_many(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "_MOST", 2)
    for _ in range(2):
        await endpoint.connect("a")
    assert await endpoint.ask("b") in (b"HTTP/1.1 503 Service Unavailable", b"")


@pytest.mark.parametrize("said", [b"", ASKED, ASKED + b"Content-Length: 5\r\n\r\n1"])
async def test_a_request_that_does_not_come_is_not_waited_for(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(metadata, "_REQUEST_SECONDS", 0.05)
    reader, writer = await endpoint.connect("a")
    writer.write(said)
    with contextlib.suppress(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 5)
    await asyncio.sleep(0.01)
    assert not endpoint.served._held


@pytest.mark.parametrize("said", [b"X-Long: " + b"x" * 40_000, b"X: x\r\n" * 6000, b"Content-Length: 40000\r\n\r\n"])
async def test_a_request_is_small(endpoint: Endpoint, said: bytes) -> None:
    reader, writer = await endpoint.connect("a")
    with contextlib.suppress(ConnectionResetError):
        writer.write(ASKED + said + b"x" * 40_000)
        await asyncio.wait_for(reader.read(), 5)
    await asyncio.sleep(0.01)
    assert not endpoint.served._held


async def test_what_a_group_that_is_gone_listened_on_is_closed(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "_SWEEP_SECONDS", 0.01)
    endpoint.known.discard("a")
    watching = endpoint.served.watch()
    try:
        assert await asyncio.wait_for(anext(watching), 5) == "a"
    finally:
        await watching.aclose()  # type: ignore[attr-defined]

    with pytest.raises(OSError):
        await endpoint.ask("a")
    assert await endpoint.ask("b") == b"HTTP/1.1 200 OK"


async def test_a_listener_that_can_not_be_served_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    listeners: list[socket.socket] = []

    async def fails(*_: Any, sock: socket.socket) -> None:
        listeners.append(sock)
        raise OSError("no more descriptors")

    made = Endpoint()
    monkeypatch.setattr(asyncio.get_running_loop(), "create_server", fails, raising=False)
    with pytest.raises(OSError):
        await made.served.open(want("a"))
    assert [each.fileno() for each in listeners] == [-1]
    await made.engine.close()
