"""Runs commands in containers, through containerd's tasks: FIFOs for the streams, the exit code from the shim."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from ..base import EngineError, Lost, Refused
from ..offers import STDERR, STDOUT, Size
from .pipes import Reader, Writer
from .rpc import Containerd
from .tasks import ExecTask, Oci, spec

log = logging.getLogger(__name__)

_QUIET_SECONDS = 2.0
"""How long the output of an ended process is waited for, when something it left behind still holds it open.

Long enough for a shim on a busy machine, which hands on the last of the output after the end.
"""
_LEAST_WAIT = 0.1
_QUEUED = 4
_MOST_SPECS = 1000
_NOT_THERE = ("not found", "no such file")


def _cannot_start(command: str, error: EngineError) -> Refused:
    """Tell a program that is not there from one that can't be run."""
    text = str(error)
    if any(words in text.lower() for words in _NOT_THERE):
        return Refused("CommandNotFound", f"cannot run '{command}': there is no such program in the container.")
    return Refused("CommandNotExecutable", f"cannot run '{command}': {text}")


class ContainerdProcess:
    """A process in a container; the `Process` of engines.base."""

    def __init__(self, task: ExecTask, folder: Path, *, tty: bool, stdin: bool) -> None:
        self._task = task
        self._folder = folder
        folder.mkdir(parents=True, mode=0o700)
        self._readers = {number: Reader(folder / str(number)) for number in ((STDOUT,) if tty else (STDOUT, STDERR))}
        self._input = Writer(folder / "0", make=True) if stdin else None
        self._output: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue(_QUEUED)
        self._came = 0.0
        """When the newest output came, or the process ended."""
        self._pumps: dict[asyncio.Task[None], Reader] = {}
        self._end: asyncio.Task[int] | None = None
        self._conclusion: asyncio.Task[None] | None = None

    def path(self, number: int) -> str:
        """Give the FIFO of a stream, empty if it has none."""
        there = number in self._readers or (number == 0 and self._input is not None)
        return str(self._folder / str(number)) if there else ""

    async def run(self, process: Oci) -> None:
        """Start it.  Raises `Refused` if it can't be."""
        await self._task.create(process, stdin=self.path(0), stdout=self.path(STDOUT), stderr=self.path(STDERR))
        self._end = asyncio.create_task(self._task.wait())
        try:
            await self._task.start()
        except EngineError as error:
            raise _cannot_start(process["args"][0], error) from None
        for number, reader in self._readers.items():
            reader.writer_is_there()
            self._pumps[asyncio.create_task(self._pump(number, reader))] = reader
        self._conclusion = asyncio.create_task(self._conclude(self._end))
        if self._input is not None:
            with contextlib.suppress(OSError):  # it has ended already
                self._input.reader_is_there()

    async def _pump(self, number: int, reader: Reader) -> None:
        while data := await reader.read():
            self._came = asyncio.get_running_loop().time()
            await self._output.put((number, data))

    async def _conclude(self, end: asyncio.Task[int]) -> None:
        """Say that there is no more output once the process has ended and so has its output, or nothing comes."""
        pending = set(self._pumps)
        with contextlib.suppress(EngineError):  # `wait` tells
            await end
        clock = asyncio.get_running_loop().time
        self._came = clock()
        while pending:
            quiet_in = self._came + _QUIET_SECONDS - clock()
            _, pending = await asyncio.wait(pending, timeout=max(quiet_in, _LEAST_WAIT))
            silent = clock() >= self._came + _QUIET_SECONDS and self._output.empty()
            if silent and not any(self._pumps[each].has_more for each in pending):  # else it is we who were slow
                break
        await self._output.put(None)

    async def read(self) -> tuple[int, bytes] | None:
        """Give the next output and the number of its stream; None once it has ended and all was given."""
        return await self._output.get()

    async def write(self, data: bytes) -> None:
        """Write to its standard input."""
        if self._input is not None:
            await self._input.write(data)

    async def end_input(self) -> None:
        """End its standard input."""
        if self._input is not None:
            self._input.close()
            self._input = None
            with contextlib.suppress(EngineError):  # it has ended already
                await self._task.close_input()

    async def resize(self, size: Size) -> None:
        """Tell it that its terminal has another size."""
        with contextlib.suppress(EngineError):
            await self._task.resize(size.rows, size.columns)

    async def wait(self) -> int:
        """Wait for its end and give its exit code."""
        if self._end is None:
            raise Lost("the process was never started")
        return await asyncio.shield(self._end)

    async def close(self) -> None:
        """Kill it if it still runs, and remove what it needed."""
        try:
            if self._end is not None and not self._end.done():
                with contextlib.suppress(EngineError):
                    await self._task.kill()
                    await asyncio.wait({self._end}, timeout=5)
            with contextlib.suppress(EngineError):
                await self._task.delete()
        finally:
            for each in (*self._pumps, self._end, self._conclusion):
                if each is not None:
                    each.cancel()
            for reader in self._readers.values():
                reader.close()
            if self._input is not None:
                self._input.close()
            shutil.rmtree(self._folder, ignore_errors=True)


class Execs:
    """Starts processes, and removes what a service that died left of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._specs: dict[str, Oci] = {}
        """By container, which never changes: its process, to make others like it."""

    async def process_of(self, containerd: Containerd, container: str) -> Oci:
        """Give the first process of a container as it was defined.  Raises `NotFound`."""
        known = self._specs.get(container)
        if known is None:
            if len(self._specs) >= _MOST_SPECS:
                self._specs.clear()
            known = self._specs[container] = (await spec(containerd, container))["process"]
        return known

    async def start(
        self, containerd: Containerd, container: str, command: Sequence[str], *, tty: Size | None, stdin: bool
    ) -> ContainerdProcess:
        """Start a command with the rights, the environment and the folder of the container's first process."""
        process = dict(await self.process_of(containerd, container)) | {"args": [*command], "terminal": tty is not None}
        process.pop("consoleSize", None)
        if tty is not None:
            process["consoleSize"] = {"height": tty.rows, "width": tty.columns}
            if not any(word.startswith("TERM=") for word in process.get("env", ())):
                process["env"] = [*process.get("env", ()), "TERM=xterm"]
        identity = uuid.uuid4().hex
        made = ContainerdProcess(
            ExecTask(containerd, container, identity),
            self._folder / f"{container}.{identity}",
            tty=tty is not None,
            stdin=stdin,
        )
        try:
            await made.run(process)
        except BaseException:
            await made.close()
            raise
        return made

    async def clear(self, containerd: Containerd) -> None:
        """End the processes whose service died: nobody reads them any more."""
        for left in self._folder.glob("*.*"):
            container, _, identity = left.name.partition(".")
            task = ExecTask(containerd, container, identity)
            with contextlib.suppress(EngineError):
                await task.kill()
            with contextlib.suppress(EngineError):
                await task.delete()
            shutil.rmtree(left, ignore_errors=True)
