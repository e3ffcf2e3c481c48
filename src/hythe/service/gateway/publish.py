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
        self._busy: set[asyncio.Task[None]] = set()

    def check(self, key: str, ports: Sequence[PublishedPort]) -> None:
        """Refuse ports of this machine that are in use.  Raises `Fault`."""
        for port in ports:
            held = self._open.get(_door(port))
            if held is not None and held.key == key:
                continue
            why = "another container group has it" if held is not None else _taken(self._host, port)
            if why:
                raise Fault(
                    409,
                    "HostPortNotAvailable",
                    f"The port {port.host} of {self._host}, which the tag '{PUBLISH}' asks for, "
                    f"is not available: {why}.",
                )

    async def refresh(self, key: str) -> None:
        """Listen on what a group asks for now, and on nothing else for it."""
        row = self._store.get(key)
        wanted = _wanted(row)
        for port in [each for each in self._open.values() if each.key == key and each.port not in wanted]:
            port.server.close()
            del self._open[_door(port.port)]
        address = msgspec.json.decode(row.status, type=Status).view.ip if row is not None and row.status else None
        for each in wanted:
            if _door(each) not in self._open:
                await self._listen(key, each)
            held = self._open.get(_door(each))
            if held is not None and held.key == key:
                held.address = address

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
