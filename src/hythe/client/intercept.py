"""Leads connections that are meant for Azure to Hythe: a CONNECT proxy on loopback for one run of a program.

A connection to one of the names is decrypted here, with a certificate made for this run, and goes on to Hythe as it
is: Hythe builds its addresses from the Host header.  All other connections go where they were meant to go.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import ssl
import urllib.request
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from ..relay import Pair, relay

_MOST_HEAD = 64 << 10
_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 30.0
_HTTP, _HTTPS = 80, 443
_USER = "hythe"


class _Refused(Exception):
    """The proxy says no; the text is status, reason and, after a line break, a header."""


class Proxy:
    """Answers CONNECT: ``names`` lead to Hythe at ``url``, other hosts to where the environment says.

    Only who knows the password, which is new for each proxy and part of its URL, is served.
    """

    def __init__(self, names: Iterable[str], url: str, trust: ssl.SSLContext, *, only: bool = False) -> None:
        """Take the names and where they lead; with ``only`` no other host is reached through this proxy."""
        self._only = only
        self._names = frozenset(names)
        address = urlsplit(url)
        self._hythe = (address.hostname or "localhost", address.port or _HTTPS)
        self._trust = trust
        self._password = secrets.token_urlsafe(18)
        self._further = urllib.request.getproxies().get("https")
        self._decrypting = ""
        self._busy: set[asyncio.Task[object]] = set()

    @asynccontextmanager
    async def serve(self, server: ssl.SSLContext, folder: Path) -> AsyncIterator[str]:
        """Serve until the block ends, and give the proxy's URL.  ``folder`` is this user's alone."""
        self._decrypting = str(folder / "decrypting.sock")
        inner = await asyncio.start_unix_server(self._lead_to_hythe, self._decrypting, ssl=server)
        outer = await asyncio.start_server(self._answer, "127.0.0.1", 0, limit=_MOST_HEAD)
        port = outer.sockets[0].getsockname()[1]
        try:
            yield f"http://{_USER}:{self._password}@127.0.0.1:{port}"
        finally:
            outer.close()
            inner.close()
            for task in self._busy:
                task.cancel()
            await asyncio.gather(*self._busy, return_exceptions=True)

    @contextmanager
    def _held(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        """Hold a connection that is being served; whatever breaks it is the end of it and nothing more."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is always served by a task
        self._busy.add(task)
        try:
            with contextlib.suppress(OSError):
                yield
        finally:
            self._busy.discard(task)
            writer.close()

    async def _lead_to_hythe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._held(writer):
            await relay((reader, writer), await asyncio.open_connection(*self._hythe, ssl=self._trust))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one CONNECT and carry what follows."""
        with self._held(writer):
            try:
                host, port = await self._asked(reader)
                far = await asyncio.wait_for(self._open(host, port), _CONNECT_SECONDS)
            except _Refused as no:
                await _say(writer, str(no))
            except (OSError, TimeoutError) as why:
                await _say(writer, "502 Bad Gateway", str(why) or "the host does not answer")
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await relay((reader, writer), far)

    async def _asked(self, reader: asyncio.StreamReader) -> tuple[str, int]:
        """Read and check the head of a request; give host and port.  Raises `_Refused`."""
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_SECONDS)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            raise _Refused("400 Bad Request") from None
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        given = fields.get("proxy-authorization", "")
        if not secrets.compare_digest(given.encode(), _basic(_USER, self._password).encode()):
            raise _Refused('407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="hythe run-with"')
        method, _, rest = first.partition(" ")
        if method != "CONNECT":
            raise _Refused("405 Method Not Allowed\r\nAllow: CONNECT")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        if not host or not host.isascii() or not port.isdecimal():  # other letters may become a name of Azure's
            raise _Refused("400 Bad Request")
        return host.strip("[]").lower(), int(port)

    async def _open(self, host: str, port: int) -> Pair:
        """Open the way to a host.  Raises OSError, or `_Refused`."""
        if host.rstrip(".") in self._names and port == _HTTPS:
            try:
                _, writer = await asyncio.open_connection(*self._hythe)
            except OSError as why:
                raise OSError(f"cannot reach Hythe: {why}. Start it with `hythe up`.") from None
            writer.close()
            return await asyncio.open_unix_connection(self._decrypting)
        if self._only:
            raise _Refused("403 Forbidden")
        if not self._further or urllib.request.proxy_bypass(host):
            return await asyncio.open_connection(host, port)
        further = self._further if "://" in self._further else f"http://{self._further}"
        return await _open_through(urlsplit(further), f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


async def _open_through(proxy: SplitResult, target: str) -> Pair:
    """Open the way through a proxy that was in use before.  Raises OSError."""
    secure = proxy.scheme == "https"
    reader, writer = await asyncio.open_connection(
        proxy.hostname, proxy.port or (_HTTPS if secure else _HTTP), ssl=secure or None
    )
    head = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.username is not None:
        head.append(f"Proxy-Authorization: {_basic(unquote(proxy.username), unquote(proxy.password or ''))}")
    writer.write("\r\n".join([*head, "", ""]).encode())
    try:
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").partition("\r\n")[0]
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        answer = ""
    if answer.split(" ")[1:2] != ["200"]:
        writer.close()
        raise OSError(f"the proxy {proxy.hostname} said: {answer or 'nothing'}")
    return reader, writer


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def _say(writer: asyncio.StreamWriter, head: str, text: str = "") -> None:
    body = f"{text}\n".encode() if text else b""
    writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()
