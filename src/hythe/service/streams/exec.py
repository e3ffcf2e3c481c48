"""Runs commands over a websocket: Azure's protocol (a terminal), and ours (streams apart, end of input, exit code)."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from msgspec import Struct

from ...engines.base import EngineError, Refused
from ...engines.offers import STDERR, Exec, Process, Size
from ..sockets import BAD_DATA, ENDED, FAILED, Gone, Socket
from .sessions import Session

SUBPROTOCOL = "exec.hythe.v1"
STATUS, RESIZE, CLOSE = 3, 4, 255
_STDIN = 0
_EXIT_CODES = {"CommandNotFound": 127, "CommandNotExecutable": 126}
MOST_CELLS = 4096


class _Bad(Exception):
    """A frame breaks the protocol."""


class NewSize(Struct, kw_only=True):
    """A terminal's size, as a client sends it."""

    rows: int
    cols: int


def clamped(rows: int | None, columns: int | None, base: Size) -> Size:
    """Give a terminal's size within reason; what is missing or zero is as before."""
    return Size(
        rows=min(max(rows or base.rows, 1), MOST_CELLS), columns=min(max(columns or base.columns, 1), MOST_CELLS)
    )


async def run(engine: Exec, socket: Socket, session: Session, *, own: bool, tty: bool, stdin: bool) -> None:
    """Run a session's command until it has ended or the client has gone."""
    talk = _Own(socket) if own else _Azures(socket)
    try:
        process = await engine.exec(
            session.uid, session.container, session.command, tty=session.size if tty else None, stdin=stdin
        )
    except Refused as error:
        await talk.refuse(error)
        return
    except EngineError as error:
        await socket.close(FAILED, str(error))
        return
    try:
        await _both_ways(talk, process)
    except Gone:
        pass
    except _Bad as error:
        await socket.close(BAD_DATA, str(error))
    except EngineError as error:
        await socket.close(FAILED, str(error))
    finally:
        await process.close()


async def _both_ways(talk: _Azures | _Own, process: Process) -> None:
    """Carry input and output until the process has ended (then say so) or the client has gone."""
    inward = asyncio.create_task(_input(talk, process))
    outward = asyncio.create_task(_output(talk, process))
    try:
        await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
        if not outward.done():
            await inward  # gone, or it broke the protocol
        await outward
    finally:
        for each in (inward, outward):
            each.cancel()
        await asyncio.gather(inward, outward, return_exceptions=True)


async def _input(talk: _Azures | _Own, process: Process) -> None:
    while True:
        await talk.take(await talk.socket.receive(), process)


async def _output(talk: _Azures | _Own, process: Process) -> None:
    while (got := await process.read()) is not None:
        await talk.give(*got)
    await talk.end(await process.wait())


class _Azures:
    """Frames are what is typed and what is shown."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    async def take(self, frame: bytes | str, process: Process) -> None:
        await process.write(frame.encode() if isinstance(frame, str) else frame)

    async def give(self, number: int, data: bytes) -> None:
        await self.socket.send(data)

    async def end(self, code: int) -> None:
        await self.socket.close(ENDED)

    async def refuse(self, error: Refused) -> None:
        with contextlib.suppress(Gone):
            await self.socket.send(f"{error}\r\n")
        await self.socket.close(ENDED if error.reason in _EXIT_CODES else FAILED, str(error))


class _Own:
    """The first byte of a frame is its channel."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    async def take(self, frame: bytes | str, process: Process) -> None:
        if isinstance(frame, str) or not frame:
            raise _Bad("a frame must be binary and begin with its channel")
        match frame[0]:
            case 0:
                await process.write(frame[1:])
            case 4:
                try:
                    size = msgspec.json.decode(frame[1:], type=NewSize)
                except msgspec.DecodeError:
                    raise _Bad('a new size must be {"rows": N, "cols": N}') from None
                await process.resize(clamped(size.rows, size.cols, Size()))
            case 255 if frame[1:] == bytes([_STDIN]):
                await process.end_input()
            case _:
                raise _Bad(f"a client can't send on channel {frame[0]}")

    async def give(self, number: int, data: bytes) -> None:
        await self.socket.send(bytes((number,)) + data)

    async def end(self, code: int) -> None:
        await self._status({"exitCode": code})

    async def refuse(self, error: Refused) -> None:
        with contextlib.suppress(Gone):
            if error.reason in _EXIT_CODES:
                await self.give(STDERR, f"{error}\n".encode())
                await self.end(_EXIT_CODES[error.reason])
            else:
                await self._status({"error": {"code": error.reason, "message": str(error)}})

    async def _status(self, status: object) -> None:
        await self.socket.send(bytes((STATUS,)) + msgspec.json.encode(status))
        await self.socket.close(ENDED)
