"""Publishes ports of groups on this machine: ``hythe.publish: 8080:80`` leads port 8080 here to port 80 there."""

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

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10.0


class _Open(Struct, kw_only=True):
    """A port that is listened on."""

    key: str
    port: PublishedPort
    server: asyncio.Server
    address: str | None = None
    """Of the group; None while it has none."""


class Publisher:
    """Listens on the ports that groups ask for, as long as the groups are there."""

    def __init__(self, store: SqlStore, host: str) -> None:
        self._store = store
        self._host = host
        self._open: dict[int, _Open] = {}
        self._busy: set[asyncio.Task[None]] = set()

    def check(self, key: str, ports: Sequence[PublishedPort]) -> None:
        """Refuse ports of this machine that are in use.  Raises `Fault`."""
        for port in ports:
            held = self._open.get(port.host)
            if held is not None and held.key == key:
                continue
            why = "another container group has it" if held is not None else _taken(self._host, port.host)
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
            del self._open[port.port.host]
        address = msgspec.json.decode(row.status, type=Status).view.ip if row is not None and row.status else None
        for each in wanted:
            if each.host not in self._open:
                await self._listen(key, each)
            held = self._open.get(each.host)
            if held is not None and held.key == key:
                held.address = address

    async def _listen(self, key: str, port: PublishedPort) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._lead(port.host, (reader, writer))

        try:
            server = await asyncio.start_server(serve, self._host, port.host)
        except OSError as error:
            log.error("cannot publish port %s of %s for %s: %s", port.host, self._host, key, error.strerror)
            return
        self._open[port.host] = _Open(key=key, port=port, server=server)

    async def _lead(self, host_port: int, near: Pair) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is always served by a task
        self._busy.add(task)
        try:
            held = self._open.get(host_port)
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


def _taken(host: str, port: int) -> str:
    """Say why a port can't be listened on; empty if it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            return "it is taken" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return ""
