"""Who has a published port, and ports that carry datagrams, against an echo on this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hythe.service.gateway import Publisher, datagrams
from hythe.service.gateway.datagrams import Datagrams
from hythe.service.store import SqlStore
from hythe.wire.tags import published

from ..free_ports import free_port
from .harness import GROUPS, Reply, Service, group, running


class Echo(asyncio.DatagramProtocol):
    """Sends back what it gets, with its own name before it."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.callers: set[object] = set()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the transport."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer."""
        self.callers.add(addr)
        self.transport.sendto(self.name + data, addr)


@pytest.fixture
def callers() -> Iterator[list[socket.socket]]:
    """Give sockets of callers."""
    held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for each in held:
        each.setblocking(False)
    yield held
    for each in held:
        each.close()


def port_of(server: Datagrams) -> tuple[str, int]:
    host, port = server._near.getsockname()
    return host, port


async def ask(caller: socket.socket, server: Datagrams, said: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    caller.sendto(said, port_of(server))
    return await asyncio.wait_for(loop.sock_recv(caller, 100), 30)


async def echo(name: bytes) -> tuple[Echo, tuple[str, int]]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Echo(name), ("127.0.0.1", 0))
    return protocol, transport.get_extra_info("sockname")


async def test_each_sender_has_its_own_answers_and_a_group_may_move(callers: list[socket.socket]) -> None:
    first, where = await echo(b"1:")
    second, elsewhere = await echo(b"2:")
    targets = [where]
    server = Datagrams("127.0.0.1", 0, lambda: targets[0])
    try:
        said = await asyncio.gather(*(ask(each, server, b"%d" % number) for number, each in enumerate(callers)))
        assert said == [b"1:0", b"1:1", b"1:2"]
        assert len(first.callers) == 3
        assert await ask(callers[0], server, b"again") == b"1:again"
        assert len(first.callers) == 3, "the same socket as before"
        targets[0] = elsewhere
        assert await ask(callers[0], server, b"x") == b"2:x"
        assert len(server._senders) == 3
    finally:
        server.close()
        first.transport.close()
        second.transport.close()


async def test_a_group_without_an_address_hears_nothing_and_nobody_there_is_no_error(
    callers: list[socket.socket],
) -> None:
    protocol, where = await echo(b"")
    targets: list[tuple[str, int] | None] = [None]
    server = Datagrams("127.0.0.1", 0, lambda: targets[0])
    try:
        callers[0].sendto(b"lost", port_of(server))
        await asyncio.sleep(0.02)
        assert not protocol.callers
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            targets[0] = free.getsockname()
        for _ in range(3):
            callers[0].sendto(b"refused", port_of(server))
            await asyncio.sleep(0.01)
        targets[0] = where
        assert await ask(callers[0], server, b"x") == b"x"
    finally:
        server.close()
        protocol.transport.close()


async def test_the_silent_are_forgotten(callers: list[socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "_MOST_SENDERS", 2)
    monkeypatch.setattr(datagrams, "_IDLE_SECONDS", 0.02)
    protocol, where = await echo(b"")
    server = Datagrams("127.0.0.1", 0, lambda: where)
    try:
        for each in callers:
            await ask(each, server, b"x")
        assert {port for _, port in server._senders} <= {each.getsockname()[1] for each in callers[1:]}
        async with asyncio.timeout(30):
            while server._senders or server._tidying is not None:
                await asyncio.sleep(0.01)
        assert await ask(callers[0], server, b"x") == b"x"
    finally:
        server.close()
        protocol.transport.close()


async def test_of_many_senders_the_oldest_is_forgotten() -> None:
    protocol, where = await echo(b"")
    server = Datagrams("127.0.0.1", 0, lambda: where)
    many = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(300)]
    try:
        for each in many:
            each.setblocking(False)
            await ask(each, server, b"x")
        assert [port for _, port in server._senders] == [each.getsockname()[1] for each in many[-256:]]
    finally:
        server.close()
        protocol.transport.close()
        for each in many:
            each.close()


async def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            Datagrams("127.0.0.1", held.getsockname()[1], lambda: None)


def test_the_tag_names_a_protocol() -> None:
    ports = published("5353:53/udp, 5353 : 53, 80:80/TCP")
    assert [(one.host, one.container, one.protocol) for one in ports] == [
        (5353, 53, "udp"), (5353, 53, "tcp"), (80, 80, "tcp"),
    ]  # fmt: skip
    for wrong in ("53:53/sctp", "5353:53/udp,5353:54/udp", "0:53/udp"):
        with pytest.raises(ValueError, match=r"named twice|is not HOST-PORT"):
            published(wrong)


# --- who has a port ---


@asynccontextmanager
async def publishing(*, opens: bool = True) -> AsyncIterator[tuple[Service, Publisher]]:
    """Run a service that publishes ports of this machine, or that has not come to opening any."""
    store = SqlStore(None)
    publisher = Publisher(store, "127.0.0.1")
    async with running(store=store, ports=publisher.check) as service:
        await service.make_folder()
        if opens:
            service.loop.observers.append(publisher.refresh)
        try:
            yield service, publisher
        finally:
            await publisher.stop()
    store.close()


async def put(service: Service, name: str, tag: str, **properties: Any) -> Reply:
    return await service.ask("PUT", f"{GROUPS}/{name}", group(**properties) | {"tags": {"hythe.publish": tag}})


async def patch(service: Service, name: str, tag: str) -> Reply:
    return await service.ask("PATCH", f"{GROUPS}/{name}", {"tags": {"hythe.publish": tag}})


def leads_to(publisher: Publisher, port: int) -> str | None:
    """Give the name of the group that a port is open for."""
    held = publisher._open.get((port, "tcp"))
    return held.key.rpartition("/")[2] if held else None


def refused(reply: Reply) -> bool:
    return (
        reply.status == 409 and reply.code == "HostPortNotAvailable" and "another container group" in reply.raw.decode()
    )


async def test_a_port_that_another_group_asks_for_is_refused_though_it_is_not_open_yet() -> None:
    port = free_port()
    async with publishing(opens=False) as (service, _):
        assert (await put(service, "first", f"{port}:80")).status == 201
        assert refused(await put(service, "second", f"{port}:81"))
        assert (await put(service, "second", f"{port}:81/udp")).status == 201, "another protocol is another port"
        assert (await put(service, "first", f"{port}:82")).status == 200, "it is its own"


async def test_of_two_groups_that_are_put_at_once_one_has_the_port() -> None:
    port = free_port()
    async with publishing() as (service, publisher):
        replies = await asyncio.gather(*(put(service, name, f"{port}:80") for name in ("a", "b")))
        assert sorted(reply.status for reply in replies) == [201, 409]
        assert refused(max(replies, key=lambda reply: reply.status))
        assert leads_to(publisher, port) == ("a" if replies[0].status == 201 else "b")


async def test_new_tags_are_refused_a_port_that_another_group_asks_for() -> None:
    port, other = free_port(), free_port()
    async with publishing() as (service, publisher):
        await put(service, "first", f"{port}:80")
        await service.ask("PUT", f"{GROUPS}/second", group())
        assert refused(await patch(service, "second", f"{port}:81"))
        where = f"{GROUPS}/second/providers/Microsoft.Resources/tags/default"
        tags = {"operation": "Merge", "properties": {"tags": {"hythe.publish": f"{port}:81"}}}
        assert refused(await service.ask("PATCH", where, tags, version="2021-04-01"))
        assert (await service.ask("GET", f"{GROUPS}/second")).json["tags"] == {}
        assert (await patch(service, "first", f"{port}:80,{other}:81")).status == 200, "its own and a new one"
        assert leads_to(publisher, port) == "first"
        assert refused(await put(service, "third", f"{other}:80")), "what a PATCH asked for counts too"


async def test_a_port_that_was_refused_or_given_up_is_free() -> None:
    one, two = free_port(), free_port()
    async with publishing(opens=False) as (service, publisher):
        await put(service, "first", f"{one}:80")
        assert refused(await put(service, "second", f"{two}:80,{one}:81"))
        assert (await put(service, "third", f"{two}:80")).status == 201
        publisher.check("never declared", published(f"{free_port()}:80"))
        assert (await patch(service, "first", "")).status == 200
        assert (await put(service, "second", f"{one}:81")).status == 201
        assert {key.rpartition("/")[2] for key in publisher._asking} == {"second", "third"}


async def test_a_group_that_waits_for_a_port_has_it_as_soon_as_it_is_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    async with publishing() as (service, publisher):
        await put(service, "first", f"{port}:80")
        await service.ask("PUT", f"{GROUPS}/second", group())
        row = service.store.get(f"{GROUPS}/second".lower())
        assert row is not None
        spec = row.spec.replace(b'"tags":{}', b'"tags":{"hythe.publish":"%d:81"}' % port)
        assert spec != row.spec
        service.store.annotate(row.key, row.uid, spec, wake_at=0)  # as a service did that did not refuse it
        await publisher.refresh(row.key)
        assert leads_to(publisher, port) == "first"
        assert f"cannot publish port {port} of 127.0.0.1 for {row.key} yet" in caplog.text
        assert (await put(service, "first", f"{port}:82")).status == 200, "who has it keeps it"
        assert refused(await put(service, "second", f"{port}:81"))
        await service.ask("DELETE", f"{GROUPS}/first")
        assert leads_to(publisher, port) == "second"
        assert publisher._open[port, "tcp"].address


async def test_a_group_has_the_port_of_one_that_is_still_being_deleted() -> None:
    port = free_port()
    async with publishing() as (service, publisher):
        await put(service, "first", f"{port}:80")
        forget = service.engine.forget
        deleted = asyncio.Event()

        async def slowly(uid: Any) -> None:
            await deleted.wait()
            await forget(uid)

        service.engine.forget = slowly
        deleting = asyncio.create_task(service.ask("DELETE", f"{GROUPS}/first"))
        while (row := service.store.get(f"{GROUPS}/first".lower())) is not None and row.desired != "gone":
            await asyncio.sleep(0.002)
        assert row is not None
        assert (await put(service, "second", f"{port}:81")).status == 201
        assert leads_to(publisher, port) == "second"
        deleted.set()
        await deleting
        assert leads_to(publisher, port) == "second"
