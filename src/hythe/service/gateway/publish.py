"""Publishes ports of groups on this machine: ``hythe.publish: 8080:80`` leads port 8080 here to port 80 there.

``5353:53/udp`` does so for datagrams.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from ...relay import Pair, relay
from ...wire.faults import Fault
from ...wire.tags import PUBLISH, PublishedPort, published
from ..store import Row, SqlStore, Status
from .datagrams import Datagrams

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10.0

_Door = tuple[int, str]
"""A port of this machine and its protocol."""


def _door(port: PublishedPort) -> _Door:
    return port.host, port.protocol


class _Open(Struct, kw_only=True):
    """A port that is listened on."""

    key: str
    port: PublishedPort
    server: asyncio.Server | Datagrams
    address: str | None = None
    """Of the group; None while it has none."""


class Publisher:
    """Listens on the ports that groups ask for, as long as the groups are there."""

    def __init__(self, store: SqlStore, host: str) -> None:
        self._store = store
        self._host = host
        self._open: dict[_Door, _Open] = {}
        self._asking: set[str] = set()
        """Keys of the groups that were seen to ask for ports; what they ask for now, their rows say."""
        self._turn = asyncio.Lock()
        self._busy: set[asyncio.Task[None]] = set()

    def check(self, key: str, ports: Sequence[PublishedPort]) -> None:
        """Refuse ports of this machine that are in use, or that another group asks for.  Raises `Fault`.

        To be asked right before the group is declared: what is awaited in between may let another one have them.
        """
        others = self._wanted_apart_from(key) if ports else {}
        for port in ports:
            held = self._open.get(_door(port))
            if held is not None and held.key == key:
                continue
            why = ""
            if any(_door(port) == _door(each) for wanted in others.values() for each in wanted):
                why = "another container group has it"
            elif held is None:  # else it is about to be closed: nobody asks for it any more
                why = _taken(self._host, port)
            if why:
                raise Fault(
                    409,
                    "HostPortNotAvailable",
                    f"The port {port.host} of {self._host}, which the tag '{PUBLISH}' asks for, "
                    f"is not available: {why}.",
                )
        if ports:
            self._asking.add(key)

    def _wanted_apart_from(self, key: str) -> dict[str, list[PublishedPort]]:
        """Give what each other group asks for now."""
        wanted = {other: _wanted(self._store.get(other)) for other in sorted(self._asking - {key})}
        self._asking.difference_update(other for other, ports in wanted.items() if not ports)
        return wanted

    async def refresh(self, key: str) -> None:
        """Listen on what a group asks for now, and on nothing else for it; who waits for what it gives up gets it."""
        async with self._turn:
            freed = await self._refresh(key)
            if freed:
                for other, wanted in self._wanted_apart_from(key).items():
                    if not freed.isdisjoint(map(_door, wanted)):
                        await self._refresh(other)

    async def _refresh(self, key: str) -> set[_Door]:
        """Do so for one group, and give the ports that nobody listens on any more."""
        row = self._store.get(key)
        wanted = _wanted(row)
        if wanted:
            self._asking.add(key)
        else:
            self._asking.discard(key)
        freed = self._close_unwanted(key, wanted)
        address = msgspec.json.decode(row.status, type=Status).view.ip if row is not None and row.status else None
        for port in wanted:
            held = self._open.get(_door(port))
            if held is not None and held.key != key:  # a group that is being deleted may take its time
                freed |= self._close_unwanted(held.key, _wanted(self._store.get(held.key)))
            if _door(port) not in self._open:
                await self._listen(key, port)
            held = self._open.get(_door(port))
            if held is not None and held.key == key:
                held.address = address
            elif held is not None:
                log.warning("cannot publish port %s of %s for %s yet: %s has it", port.host, self._host, key, held.key)
        return freed - self._open.keys()

    def _close_unwanted(self, key: str, wanted: Sequence[PublishedPort]) -> set[_Door]:
        """Close what a group has open and does not ask for."""
        doors = {door for door, each in self._open.items() if each.key == key and each.port not in wanted}
        for door in doors:
            self._open.pop(door).server.close()
        return doors

    async def _listen(self, key: str, port: PublishedPort) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._lead(_door(port), (reader, writer))

        def target() -> tuple[str, int] | None:
            held = self._open.get(_door(port))
            return (held.address, held.port.container) if held is not None and held.address is not None else None

        server: asyncio.Server | Datagrams
        try:
            if port.protocol == "udp":
                server = Datagrams(self._host, port.host, target)
            else:
                server = await asyncio.start_server(serve, self._host, port.host)
        except OSError as error:
            log.error("cannot publish port %s of %s for %s: %s", port.host, self._host, key, error.strerror)
            return
        self._open[_door(port)] = _Open(key=key, port=port, server=server)

    async def _lead(self, door: _Door, near: Pair) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is always served by a task
        self._busy.add(task)
        try:
            held = self._open.get(door)
            if held is not None and held.address is not None:
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(_CONNECT_SECONDS):
                        far = await asyncio.open_connection(held.address, held.port.container)
                    await relay(near, far)
        finally:
            self._busy.discard(task)
            near[1].close()

    async def stop(self) -> None:
        """Give all ports back."""
        for each in self._open.values():
            each.server.close()
        self._open.clear()
        for task in [*self._busy]:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)


def _wanted(row: Row | None) -> list[PublishedPort]:
    if row is None or row.desired == "gone" or row.kind != "containerGroups":
        return []
    tags = msgspec.json.decode(row.spec).get("tags") or {}
    return published(tags.get(PUBLISH, ""))


def _taken(host: str, port: PublishedPort) -> str:
    """Say why a port can't be listened on; empty if it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    stream = port.protocol == "tcp"
    with socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as trial:
        if stream:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port.host))
        except OSError as error:
            return "it is taken" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return ""
