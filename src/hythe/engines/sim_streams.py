"""Simulates looking inside: what commands say, ports and files are data, as the containers are.  A part of `sim`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from .base import ContainerSeen, Refused, Uid
from .offers import STDERR, STDOUT, Run, Size


class Scripted(Struct, frozen=True, kw_only=True):
    """What a simulated command does."""

    out: bytes = b""
    err: bytes = b""
    exit_code: int = 0
    echoes: bool = False
    """Gives back its input until that ends, before it ends itself."""
    reads: bool = False
    """Ends when it has been given something to read, and not before."""


class Script(Protocol):
    """The part of a container's outcome that this reads."""

    @property
    def exec(self) -> dict[str, Scripted]:
        """By command, its words with a blank between them."""

    @property
    def ports(self) -> frozenset[int]:
        """Ports that give back what they are sent."""


class Pretended(Struct, kw_only=True):
    """What is pretended of one group for looking inside."""

    scripts: dict[str, Script] = {}
    """By container."""
    logs: dict[str, list[str]] = {}
    """By container: the log of each run, oldest first."""
    begun: dict[str, list[datetime]] = {}
    """By container: when each run began; its lines are a microsecond apart."""
    files: dict[tuple[str, str], bytes] = {}
    """By container and path: a tar archive."""
    inputs: dict[str, bytearray] = {}
    """By container: what was attached to it and typed."""


class SimulatedProcess:
    """A command that is pretended."""

    def __init__(self, script: Scripted, *, tty: Size | None, stdin: bool) -> None:
        self._script = script
        self.size = tty
        self.closed: bool = False
        self._output: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()
        for number, data in ((STDOUT, script.out), (STDERR if tty is None else STDOUT, script.err)):
            if data:
                self._output.put_nowait((number, data))
        if not (script.echoes or script.reads) or not stdin:
            self._output.put_nowait(None)

    async def read(self) -> tuple[int, bytes] | None:
        """Give what is scripted."""
        return await self._output.get()

    async def write(self, data: bytes) -> None:
        """Give it back if that is scripted."""
        if self._script.echoes:
            self._output.put_nowait((STDOUT, data))
        elif self._script.reads:
            self._output.put_nowait(None)

    async def end_input(self) -> None:
        """End."""
        self._output.put_nowait(None)

    async def resize(self, size: Size) -> None:
        """Remember the size."""
        self.size = size

    async def wait(self) -> int:
        """Give the scripted exit code."""
        return self._script.exit_code

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


class SimulatedInput:
    """An input that is remembered."""

    def __init__(self, held: bytearray) -> None:
        self._held = held

    async def write(self, data: bytes) -> None:
        """Remember."""
        self._held.extend(data)

    def close(self) -> None:
        """Have nothing to do."""


class SimulatedStreams:
    """Logs, commands, input, ports and files of pretended containers."""

    _clock: Callable[[], datetime]

    def __init__(self) -> None:
        self.inside: dict[Uid, Pretended] = {}
        self.processes: list[SimulatedProcess] = []
        self._changed = asyncio.Event()
        self._echoes: set[asyncio.Task[None]] = set()

    def container(self, uid: Uid, name: str) -> ContainerSeen | None:
        """Give the newest attempt of a container."""
        raise NotImplementedError

    def say(self, uid: Uid, container: str, text: str) -> None:
        """Have a container write something."""
        self.inside[uid].logs[container][-1] += text
        self._tell()

    def _tell(self) -> None:
        """Wake those who follow."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _script(self, uid: Uid, name: str) -> Script:
        seen = self.container(uid, name)
        if seen is None or seen.state != "running":
            raise Refused("ContainerNotRunning", f"the container '{name}' does not run", name)
        return self.inside[uid].scripts[name]

    # --- logs ---

    async def logs(
        self, uid: Uid, container: str, *, tail: int | None, timestamps: bool, limit: int, previous: bool = False
    ) -> str | None:
        """Give the scripted log."""
        runs = self.inside[uid].logs.get(container, []) if uid in self.inside else []
        if len(runs) < 1 + previous:
            return None
        return self._cut(uid, container, len(runs) - 1 - previous, 0, tail, timestamps)[-limit:]

    def _cut(self, uid: Uid, container: str, run: int, start: int, tail: int | None, timestamps: bool) -> str:
        """Give the log of a run from a character on, which begins a line, or its last lines."""
        inside = self.inside[uid]
        text, begun = inside.logs[container][run], inside.begun[container][run]
        lines = text[start:].splitlines(keepends=True)
        if timestamps:
            first = text[:start].count("\n")
            times = (begun + timedelta(microseconds=first + number) for number in range(len(lines)))
            lines = [f"{time:%Y-%m-%dT%H:%M:%S.%f}Z {line}" for time, line in zip(times, lines, strict=True)]
        if tail is not None:
            lines = lines[-tail:] if tail > 0 else []
        return "".join(lines)

    async def runs(self, uid: Uid, container: str) -> list[Run]:
        """Give the scripted runs."""
        held = self.inside[uid].logs.get(container, []) if uid in self.inside else []
        return [(0, number) for number in range(len(held))]

    async def follow(
        self, uid: Uid, container: str, *, tail: int | None, timestamps: bool, run: Run | None, limit: int | None
    ) -> AsyncGenerator[bytes, None]:
        """Give the scripted log, and what `say` adds."""
        kept = await self.runs(uid, container)
        if not kept or (run is not None and run not in kept):
            raise Refused("LogNotAvailable", "it has not started", container)
        logs, at = self.inside[uid].logs[container], (run or kept[-1])[1]
        given = len(logs[at])
        yield self._cut(uid, container, at, 0, tail, timestamps)[-(limit or 1 << 30) :].encode()
        while True:
            changed = self._changed
            if len(logs[at]) > given:
                start, given = given, len(logs[at])
                yield self._cut(uid, container, at, start, None, timestamps).encode()
            seen = self.container(uid, container)
            if seen is None or seen.state != "running" or at < len(logs) - 1:
                return
            await changed.wait()

    # --- processes ---

    async def exec(
        self, uid: Uid, container: str, command: Sequence[str], *, tty: Size | None, stdin: bool
    ) -> SimulatedProcess:
        """Pretend a command."""
        script = self._script(uid, container).exec.get(" ".join(command))
        if script is None:
            raise Refused("CommandNotFound", f"cannot run '{command[0]}': there is no such program in the container.")
        process = SimulatedProcess(script, tty=tty, stdin=stdin)
        self.processes.append(process)
        return process

    async def attach(self, uid: Uid, container: str) -> SimulatedInput:
        """Pretend an input."""
        self._script(uid, container)
        return SimulatedInput(self.inside[uid].inputs.setdefault(container, bytearray()))

    # --- ports ---

    async def connect(self, uid: Uid, port: int) -> socket.socket:
        """Connect to a port that gives back what it is sent."""
        scripts = self.inside[uid].scripts.values() if uid in self.inside else ()
        if not any(port in script.ports for script in scripts):
            raise Refused("PortNotReached", f"cannot connect to port {port} inside the group: Connection refused.")
        ours, theirs = socket.socketpair()
        for each in (ours, theirs):
            each.setblocking(False)
        echo = asyncio.create_task(_echo(theirs))
        self._echoes.add(echo)
        echo.add_done_callback(self._echoes.discard)
        return ours

    # --- files ---

    async def copy_out(self, uid: Uid, container: str, path: str, limit: int) -> AsyncGenerator[bytes, None]:
        """Give the archive that was put there."""
        self._script(uid, container)
        archive = self.inside[uid].files.get((container, path))
        if archive is None:
            raise Refused("PathNotFound", f"cannot copy: {path}: No such file or directory.", container)
        if len(archive) > limit:
            raise Refused("ArchiveTooLarge", f"cannot copy: {path} has more than {limit} bytes.", container)
        yield archive

    async def copy_in(self, uid: Uid, container: str, path: str, archive: AsyncIterator[bytes], limit: int) -> None:
        """Keep an archive."""
        self._script(uid, container)
        held = b""
        async for block in archive:
            held += block
            if len(held) > limit:
                raise Refused("ArchiveTooLarge", f"cannot copy: the archive has more than {limit} bytes.", container)
        self.inside[uid].files[container, path] = held


async def _echo(side: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with side, contextlib.suppress(OSError):
        while data := await loop.sock_recv(side, 1 << 16):
            await loop.sock_sendall(side, data)
