"""What handlers lead to: checks what the store knows, then hands over to the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime

from ...engines.base import Uid
from ...engines.offers import Copy, Exec, Follow, Forward, Logs, Size
from ...models import ContainerAttachResponse, ContainerExecRequest, ContainerExecResponse
from ...wire import faults, lenient
from ...wire.faults import Fault
from ..answers import Answer, empty, shown
from ..call import Call
from ..sockets import Socket
from ..store import Row, SqlStore
from . import attach, exec, logs, ports
from .authentication import opened, unknown
from .sessions import Session, Sessions
from .sight import find, find_running, refuse_stopped
from .trouble import told, unsupported
from .words import split

TAR = "application/x-tar"
COPY_LIMIT = 4 << 30
"""Most bytes of an archive, either way."""
_MOST_PORT = 65535


def _now() -> datetime:
    return datetime.now(UTC)


class Streams:
    """Looks into running containers, through an engine's optional protocols."""

    def __init__(
        self,
        store: SqlStore,
        engine: object,
        limit: int,
        clock: Callable[[], datetime] = _now,
        sessions: Sessions | None = None,
        copy_limit: int = COPY_LIMIT,
    ) -> None:
        self._store = store
        self._engine = engine
        self._limit = limit
        self._clock = clock
        self._copy_limit = copy_limit
        self.sessions = sessions or Sessions()

    async def logs(self, row: Row, call: Call) -> Answer:
        """Answer with a container's log, or with one that goes on (``follow``)."""
        if logs.read_query(call.query).follow:
            return await logs.follow(self._engine, row, call)
        return await logs.once(self._store, self._engine, self._limit, self._clock, row, call)

    # --- sessions ---

    def exec(self, row: Row, call: Call) -> Answer:
        """Answer with a session that runs a command."""
        asked = lenient.read(ContainerExecRequest, call.body)
        if not isinstance(self._engine, Exec):
            raise unsupported(self._engine, "exec")
        words = split(asked.command)
        name = find_running(row, call)
        given = asked.terminal_size
        size = exec.clamped(given.rows if given else None, given.cols if given else None, Size())
        identity, password = self.sessions.open(Session(uid=Uid(row.uid), container=name, command=words, size=size))
        uri = _socket_uri(call, f"execstream/sessionId/{identity}")
        uri += f"&rows={size.rows}&cols={size.columns}"
        return shown(ContainerExecResponse(web_socket_uri=uri, password=password))

    async def attach(self, row: Row, call: Call) -> Answer:
        """Answer with a session that shows a container's output."""
        if not isinstance(self._engine, Follow) or not isinstance(self._engine, Logs):
            raise unsupported(self._engine, "attach")
        name = find(row, call)
        refuse_stopped(row, call)
        with told(row, name):
            there = await self._engine.logs(Uid(row.uid), name, tail=0, timestamps=False, limit=1)
        if there is None:
            raise faults.log_not_available(name, row.name)
        identity, password = self.sessions.open(Session(uid=Uid(row.uid), container=name))
        uri = _socket_uri(call, f"logstream/sessionId/{identity}")
        return shown(ContainerAttachResponse(web_socket_uri=uri, password=password))

    def exec_session(self, call: Call) -> Answer:
        """Begin the session of an exec."""
        identity = call.params["sessionId"]
        engine = self._engine
        if not self.sessions.waits(identity, attach=False) or not isinstance(engine, Exec):
            raise unknown()

        async def talk(socket: Socket) -> None:
            own = exec.SUBPROTOCOL in socket.subprotocols
            session = await opened(socket, self.sessions, identity, subprotocol=exec.SUBPROTOCOL if own else None)
            if session is not None:
                sized = Session(
                    uid=session.uid,
                    container=session.container,
                    command=session.command,
                    size=exec.clamped(_number(call, "rows"), _number(call, "cols"), session.size),
                )
                tty = not own or call.query.get("tty", "").lower() == "true"
                stdin = not own or call.query.get("stdin", "").lower() != "false"
                await exec.run(engine, socket, sized, own=own, tty=tty, stdin=stdin)

        return Answer(talk=talk)

    def attach_session(self, call: Call) -> Answer:
        """Begin the session of an attach."""
        identity = call.params["sessionId"]
        engine = self._engine
        if not self.sessions.waits(identity, attach=True) or not isinstance(engine, Follow):
            raise unknown()

        async def talk(socket: Socket) -> None:
            session = await opened(socket, self.sessions, identity, subprotocol=None)
            if session is not None:
                await attach.run(engine, socket, session, self._limit)

        return Answer(talk=talk)

    # --- ports ---

    async def forward(self, row: Row, call: Call) -> Answer:
        """Connect to a port inside a group."""
        port = _number(call, "port")
        if port is None or not 1 <= port <= _MOST_PORT:
            raise Fault(400, "InvalidParameter", "The query parameter 'port' must be a whole number from 1 to 65535.")
        if not isinstance(self._engine, Forward):
            raise unsupported(self._engine, "ports to forward")
        refuse_stopped(row, call)
        with told(row):
            inside = await self._engine.connect(Uid(row.uid), port)

        async def talk(socket: Socket) -> None:
            await ports.run(inside, socket)

        return Answer(talk=talk)

    # --- files ---

    async def copy_out(self, row: Row, call: Call) -> Answer:
        """Answer with a tar stream of a path in a container."""
        if not isinstance(self._engine, Copy):
            raise unsupported(self._engine, "files to copy")
        path, name = _path(call), find_running(row, call)
        blocks = self._engine.copy_out(Uid(row.uid), name, path, self._copy_limit)
        with told(row, name):  # what is wrong is known before the first block
            first = await anext(blocks, b"")

        async def chunks() -> AsyncGenerator[bytes, None]:
            try:
                yield first
                async for block in blocks:
                    yield block
            finally:
                await blocks.aclose()

        return Answer(content_type=TAR, chunks=chunks())

    async def copy_in(self, row: Row, call: Call) -> Answer:
        """Unpack the tar stream of the body into a folder of a container."""
        if not isinstance(self._engine, Copy):
            raise unsupported(self._engine, "files to copy")
        path, name = _path(call), find_running(row, call)
        with told(row, name):
            await self._engine.copy_in(Uid(row.uid), name, path, call.stream, self._copy_limit)
        return empty(204)


def _socket_uri(call: Call, path: str) -> str:
    """Give the URI of a websocket, with the host that the caller used."""
    return f"wss://{call.base_url.partition('://')[2]}/{path}?api-version=1.0"


def _number(call: Call, name: str) -> int | None:
    text = call.query.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 6 else None  # noqa: PLR2004  # digits of any port or size


def _path(call: Call) -> str:
    path = call.query.get("path", "")
    if not path.startswith("/") or "\0" in path:
        raise Fault(400, "InvalidParameter", "The query parameter 'path' must be an absolute path in the container.")
    return path
