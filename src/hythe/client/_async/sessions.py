"""Runs commands in containers that run, and attaches to them: to their end, or as a session that goes both ways."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Self

from hythe.client import exec_frames
from hythe.client.exec_frames import STDERR, STDOUT, SUBPROTOCOL, ExecResult, Output
from hythe.errors import NotOffered, ServiceError, UnexpectedAnswer
from hythe.models import ContainerExecRequest, ContainerExecRequestTerminalSize

from ._sockets import Socket, both, read_block

if TYPE_CHECKING:
    from .container_instances import ContainerInstanceManagementClient

Input = bytes | str | IO[bytes] | None


class ContainerSession:
    """Is one running command, or an attachment to a container: read what it writes, write what it reads.

    A context manager; closing it ends the command.  One thread or task may read while another writes.
    """

    def __init__(self, socket: Socket, *, tty: bool) -> None:
        self._socket = socket
        self._own = socket.subprotocol == SUBPROTOCOL
        self.tty = tty or not self._own
        """Whether it is a terminal; everything on Azure is."""
        self.exit_code: int | None = None
        """The exit code, once `read` has given None; stays None on Azure and for an attachment."""

    @property
    def knows_exit_code(self) -> bool:
        """Tell whether there will be an exit code, an end of input, and sizes: with Hythe's own protocol only."""
        return self._own

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def read(self) -> Output | None:
        """Wait for what comes next; None when the command has ended.  Raises `HytheError` if it could not be run."""
        frame = await self._socket.receive()
        if frame is None:
            return None
        if not self._own:
            return Output(STDOUT, frame.encode() if isinstance(frame, str) else frame)
        said = exec_frames.read(frame)
        if isinstance(said, Output):
            return said
        if said.error is not None:
            raise ServiceError("run the command", status=400, code=said.error.code, message=said.error.message)
        self.exit_code = said.exit_code
        return None

    async def write(self, data: bytes) -> None:
        """Send input.  Raises `ConnectionFailed` if the command has ended."""
        if self._own:
            for frame in exec_frames.typed(data):
                await self._socket.send(frame)
        else:
            await self._socket.send(data)

    async def end_input(self) -> None:
        """End the input.  Raises `NotOffered` where it has no end."""
        if not self._own:
            raise NotOffered("cannot end the input: this session is a terminal without an end of input. Type Ctrl-D.")
        await self._socket.send(exec_frames.END_OF_INPUT)

    async def resize(self, rows: int, columns: int) -> None:
        """Tell a terminal its new size; where that can't be told, nothing happens."""
        if self._own and self.tty:
            await self._socket.send(exec_frames.size(rows, columns))

    async def close(self) -> None:
        """End the command if it runs, and the session."""
        await self._socket.close()


async def open_command(
    client: ContainerInstanceManagementClient,
    resource_group: str,
    group: str,
    container: str,
    command: str | Sequence[str],
    *,
    tty: bool,
    stdin: bool,
    rows: int,
    columns: int,
) -> ContainerSession:
    """Begin a command; see `Group.open`."""
    doing = f"run a command in container {container!r} of group {group!r}"
    line = command if isinstance(command, str) else shlex.join(command)
    if not line.strip():
        raise ValueError(f"cannot {doing}: it is empty. Give its words.")
    size = ContainerExecRequestTerminalSize(rows=rows, cols=columns)
    begun = await client.containers.execute_command(
        resource_group, group, container, ContainerExecRequest(command=line, terminal_size=size)
    )
    uri = begun.web_socket_uri or ""
    if not client._session.is_azure:
        uri += f"&tty={'true' if tty else 'false'}&stdin={'true' if stdin else 'false'}"
    return await _opened(client, uri, begun.password, doing, tty=tty, subprotocols=[SUBPROTOCOL])


async def open_attachment(
    client: ContainerInstanceManagementClient, resource_group: str, group: str, container: str
) -> ContainerSession:
    """Attach to a container; see `Group.attach`."""
    doing = f"attach to container {container!r} of group {group!r}"
    begun = await client.containers.attach(resource_group, group, container)
    return await _opened(client, begun.web_socket_uri or "", begun.password, doing, tty=False, subprotocols=[])


async def _opened(
    client: ContainerInstanceManagementClient,
    uri: str,
    password: str | None,
    doing: str,
    *,
    tty: bool,
    subprotocols: Sequence[str],
) -> ContainerSession:
    if not uri.startswith(("wss://", "ws://")):
        raise UnexpectedAnswer(f"cannot {doing}: the service named no websocket")
    socket = await client._session.connect(uri, doing=doing, subprotocols=subprotocols)
    await socket.send(password or "")
    return ContainerSession(socket, tty=tty)


async def finish(session: ContainerSession, given: Input) -> ExecResult:
    """Give a command its input, collect what it writes, and return that with its exit code."""
    if given is not None and not session.knows_exit_code:
        raise NotOffered(
            "cannot give a command input and its end: Azure's sessions are terminals. Use open() and type into it."
        )
    out, err = bytearray(), bytearray()

    async def read() -> ExecResult:
        while (piece := await session.read()) is not None:
            (err if piece.channel == STDERR else out).extend(piece.data)
        return ExecResult(exit_code=session.exit_code, stdout_bytes=bytes(out), stderr_bytes=bytes(err))

    async def write() -> None:
        if isinstance(given, bytes | str):
            await session.write(given.encode() if isinstance(given, str) else given)
        elif given is not None:
            while block := await read_block(given):
                await session.write(block)
        await session.end_input()

    if given is None:
        return await read()
    return await both(read, write)
