"""The gateway: one port on which every group answers under its host name, in clear and with TLS.

A connection is looked at before it is read: a TLS greeting is answered with a certificate for the name that it asks
for.  Then the head of the request decides where it goes; it is sent on with ``Connection: close``, so that the next
request comes on a connection of its own and is led by its own host.  WebSockets and whatever else upgrades go through
as they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine

from ...relay import Pair, relay
from ...tickets import no_tickets
from .names import Names, NotThere

log = logging.getLogger(__name__)

_MOST_HEAD = 64 << 10
_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 10.0
_TLS_GREETING = b"\x16"
_REASONS = {400: "Bad Request", 404: "Not Found", 502: "Bad Gateway", 503: "Service Unavailable"}

ContextFor = Callable[[str], ssl.SSLContext]


class Gateway:
    """Leads requests to groups by the host that they name."""

    def __init__(self, names: Names, certificate_for: ContextFor) -> None:
        self._names = names
        self._certificate_for = certificate_for
        self._secure = no_tickets(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        self._secure.sni_callback = self._choose_certificate
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None

    def start(self, listener: socket.socket) -> None:
        """Begin to answer on a port."""
        listener.setblocking(False)
        self._listener = listener
        self._hold(self._accept(listener))

    async def stop(self) -> None:
        """End every connection."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()

    def _hold(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _choose_certificate(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if name is None or not self._names.covers(name):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._certificate_for(name.lower())
        return None

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(listener)
            except OSError as error:  # out of descriptors: not the end
                log.warning("cannot accept a connection: %s", error)
                await asyncio.sleep(0.1)
                continue
            self._hold(self._serve(accepted))

    async def _serve(self, accepted: socket.socket) -> None:
        """Serve one connection; whatever breaks it is the end of it and nothing more."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                secure = await _first_byte(accepted) == _TLS_GREETING
                reader, writer = await _streams(accepted, self._secure if secure else None)
                head = await reader.readuntil(b"\r\n\r\n")
            await self._lead(head, (reader, writer), secure=secure)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            if writer is not None:
                writer.close()
            else:
                accepted.close()

    async def _lead(self, head: bytes, near: Pair, *, secure: bool) -> None:
        try:
            lines = head.decode("latin-1").split("\r\n")[:-2]
            host = _host(lines)
            target = self._names.target(host, secure=secure)
            async with asyncio.timeout(_CONNECT_SECONDS):
                far = await asyncio.open_connection(target.address, target.port)
        except NotThere as no:
            await _say(near[1], no.status, str(no))
        except (OSError, TimeoutError):
            await _say(near[1], 502, f"The container group {target.group} does not listen on port {target.port}.")
        else:
            peer = near[1].get_extra_info("peername")
            far[1].write(_sent_on(lines, host, str(peer[0]) if peer else "", secure=secure))
            await relay(near, far)


async def _first_byte(accepted: socket.socket) -> bytes:
    """Look at the first byte of a connection and leave it there."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(accepted, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(accepted)
    return accepted.recv(1, socket.MSG_PEEK)


async def _streams(accepted: socket.socket, context: ssl.SSLContext | None) -> Pair:
    """Make streams of an accepted connection."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_MOST_HEAD)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted, ssl=context)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def _host(lines: list[str]) -> str:
    """Read the host of a request: the one Host field that it must have.  Raises `NotThere`."""
    hosts = [line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("host:")]
    if len(hosts) != 1 or " " in hosts[0]:
        raise NotThere(400, "A request must have one Host field.")
    return hosts[0].rpartition(":")[0] if hosts[0].rpartition(":")[2].isdecimal() and ":" in hosts[0] else hosts[0]


def _sent_on(lines: list[str], host: str, client: str, *, secure: bool) -> bytes:
    """Write the head that the group gets."""
    upgrade = any(line.lower().startswith("upgrade:") for line in lines)
    ours = ("x-forwarded-for:", "x-forwarded-proto:", "x-forwarded-host:", *(() if upgrade else ("connection:",)))
    kept = [line for line in lines if not line.lower().startswith(ours)]
    kept += [f"X-Forwarded-For: {client}", f"X-Forwarded-Proto: {'https' if secure else 'http'}",
             f"X-Forwarded-Host: {host}"]  # fmt: skip
    if not upgrade:
        kept.append("Connection: close")
    return "\r\n".join([*kept, "", ""]).encode("latin-1")


async def _say(writer: asyncio.StreamWriter, status: int, sentence: str) -> None:
    body = f"{sentence}\n".encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with contextlib.suppress(OSError):
        writer.write(head.encode() + body)
        await writer.drain()
