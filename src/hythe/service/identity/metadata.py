"""Gives the containers of a group tokens of its managed identity, at the address where every Azure library asks.

Each group with an identity has a listener in its own network: who asks is known by where they ask, and nobody else
can ask there.  One listener outside tells all other groups that they have none, as Azure does.  The header
``Metadata: true`` keeps a page or a redirect from asking by mistake.

Containers are strangers: each group has few connections at a time, all together have not many, and each connection is
for one request, which is small and comes soon.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Container, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import uvicorn
from msgspec import Struct
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ...engines.base import Engine, Uid, Want
from ...engines.offers import Listens
from ..store import StoreFailed
from .issuer import LIFE
from .managed import Managed, of_group

log = logging.getLogger(__name__)

ADDRESS, PORT = "169.254.169.254", 80
_PATH = "/metadata/identity/oauth2/token"
_FIRST_VERSION = "2018-02-01"
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")

_NOBODY = Uid("")
"""Whoever has no identity."""

_MOST_OF_GROUP, _MOST = 32, 512
"""Connections at a time."""
_REQUEST_SECONDS = 10.0
"""From the beginning of a connection to its end: for a request and its answer."""
_MOST_REQUEST = 16 << 10
"""Bytes."""
_SWEEP_SECONDS = 600.0
_FULL = b"HTTP/1.1 %s\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"

Sign = Callable[[str, str, str], tuple[str, int]]
"""Signs a token for client id, object id and audience; gives it and the second of the epoch in which it expires."""


class _Refusal(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


class _Served(Struct, kw_only=True):
    """What one group has open."""

    server: asyncio.Server
    state: ServerState
    identities: list[Managed]


class _Connection(HttpToolsProtocol):
    """A connection that is refused if there are too many, and ended if it takes too long or sends too much."""

    def __init__(self, uid: Uid, held: Counter[str], **parts: Any) -> None:
        super().__init__(**parts)
        self._uid = uid
        self._held = held
        """By whoever asks: connections of all groups."""
        self._who: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._taken = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Serve it, or say that there are too many."""
        peer = transport.get_extra_info("peername")
        who = self._uid or (str(peer[0]) if peer else "")  # outside, a group is known by its address
        if self._held.total() >= _MOST or self._held[who] >= _MOST_OF_GROUP:
            ours = self._held[who] < _MOST_OF_GROUP
            transport.write(_FULL % (b"503 Service Unavailable" if ours else b"429 Too Many Requests"))
            transport.close()
            return
        self._who = who
        self._held[who] += 1
        self._deadline = self.loop.call_later(_REQUEST_SECONDS, transport.abort)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another one."""
        if self._who is None:
            return
        self._held[self._who] -= 1
        if not self._held[self._who]:
            del self._held[self._who]
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take no more than a request may have."""
        self._taken += len(data)
        if self._who is None:
            return
        if self._taken > _MOST_REQUEST:
            self.transport.abort()
        else:
            super().data_received(data)


class MetadataEndpoint:
    """Opens and closes the listeners of groups, and answers on them."""

    def __init__(self, engine: Engine, sign: Sign, known: Callable[[], Container[str]]) -> None:
        """Take what signs tokens, and what gives the uids of all groups that there are."""
        self._engine = engine if isinstance(engine, Listens) else None
        self._sign = sign
        self._known = known
        self._served: dict[Uid, _Served] = {}
        self._held: Counter[str] = Counter()

    async def open(self, want: Want) -> None:
        """Answer from now on, if the group has an identity.  May be called again at any time."""
        identities = of_group(want.group.identity, want.uid)
        held = self._served.get(want.uid)
        if self._engine is None or not identities:
            await self.close(want.uid)
        elif held is not None:
            held.identities = identities
        else:
            listener = await self._engine.listen(want.uid, ADDRESS, PORT)
            self._served[want.uid] = await self._serve(want.uid, listener, identities)

    async def _serve(self, uid: Uid, listener: socket.socket, identities: list[Managed]) -> _Served:
        state = ServerState()
        config = uvicorn.Config(
            partial(self._answer, uid),
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        config.load()
        protocol = partial(_Connection, uid, self._held, config=config, server_state=state, app_state={})
        try:
            server = await asyncio.get_running_loop().create_server(protocol, sock=listener)
        except BaseException:
            listener.close()
            raise
        return _Served(server=server, state=state, identities=identities)

    async def close(self, uid: Uid) -> None:
        """Answer no more; connections that are open end."""
        held = self._served.pop(uid, None)
        if held is not None:
            held.server.close()
            for connection in [*held.state.connections]:
                connection.shutdown()

    async def watch(self) -> AsyncIterator[Uid]:
        """Answer the groups that have no identity; give those that are gone and of which something was open."""
        listener = self._engine.listen_outside() if self._engine is not None else None
        if listener is not None:
            self._served[_NOBODY] = await self._serve(_NOBODY, listener, [])
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            with contextlib.suppress(StoreFailed):
                known = self._known()
                for uid in [each for each in self._served if each != _NOBODY and each not in known]:
                    log.warning("group %s, which nobody knows, could still ask for tokens", uid)
                    await self.close(uid)
                    yield uid

    async def stop(self) -> None:
        """Close every listener."""
        for uid in [*self._served]:
            await self.close(uid)

    async def _answer(self, uid: Uid, scope: Any, receive: Any, send: Any) -> None:
        held = self._served.get(uid)
        status = 200
        try:
            body = self._token(scope, held.identities if held else ())
        except _Refusal as refusal:
            status, body = refusal.status, refusal.body
        raw = msgspec.json.encode(body)
        headers = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(raw)).encode()),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": raw})

    def _token(self, scope: Any, identities: Sequence[Managed]) -> dict[str, str]:
        headers = dict(scope["headers"])
        if scope["path"].rstrip("/").lower() != _PATH:
            raise _Refusal(404, "not_found", "There is nothing at this path.")
        if scope["method"] != "GET":
            raise _Refusal(405, "invalid_request", "Only GET is allowed here.")
        if headers.get(b"metadata", b"").lower() != b"true" or b"x-forwarded-for" in headers:
            raise _Refusal(400, "invalid_request", "Required metadata header not specified")
        query = {name.lower(): value for name, value in parse_qsl(scope["query_string"].decode("latin-1"))}
        version = query.get("api-version", "")
        if not _VERSION.fullmatch(version) or version < _FIRST_VERSION:
            raise _Refusal(
                400, "bad_request", f"The api-version '{version}' is invalid. It must be {_FIRST_VERSION} or later."
            )
        audience = query.get("resource", "")
        if not audience:
            raise _Refusal(400, "invalid_request", "Required query variable 'resource' is missing")
        one = _chosen(query, identities)
        token, expires = self._sign(one.client_id, one.object_id, audience)
        begun = expires - LIFE
        return {
            "access_token": token,
            "client_id": one.client_id,
            "refresh_token": "",
            "expires_in": str(LIFE - 1),
            "expires_on": str(expires),
            "not_before": str(begun),
            "resource": audience,
            "token_type": "Bearer",
        }


def _chosen(query: dict[str, str], identities: Sequence[Managed]) -> Managed:
    """Choose the identity that is asked for; where none is named, the group's own or its only one."""
    asked: dict[str, Callable[[Managed], str]] = {
        "client_id": lambda one: one.client_id,
        "object_id": lambda one: one.object_id,
        "principal_id": lambda one: one.object_id,
        "msi_res_id": lambda one: one.resource_id,
        "mi_res_id": lambda one: one.resource_id,
    }
    named = [(read, query[name].lower()) for name, read in asked.items() if query.get(name)]
    if named:
        for one in identities:
            if all(read(one).lower() == value for read, value in named):
                return one
        raise _Refusal(400, "invalid_request", "Identity not found")
    if identities and (not identities[0].resource_id or len(identities) == 1):
        return identities[0]
    if identities:
        raise _Refusal(400, "invalid_request", "Multiple user assigned identities exist, please specify the clientId")
    raise _Refusal(404, "DefaultIdentityNotDefined", "The container group has no managed identity of its own.")
