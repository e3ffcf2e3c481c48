"""Follows what a container writes, over the renaming of its log files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from ..base import EngineError, Refused, Transient
from ..offers import Run
from . import logfile
from .inotify import Watch, Watcher
from .logfile import Decoder, LogFile

_BLOCK = 1 << 18
_LOOK_SECONDS = 1.0
_SOON_SECONDS = 0.01
_SETTLE_SECONDS = 10.0
"""So long after its last line a file is waited for, if its container is done with it and containerd keeps it open."""
_ALL = 1 << 62


class Follower:
    """Reads one run of a container, file after file."""

    def __init__(self, folder: Path, run: Run | None = None) -> None:
        """Take the run, None for the newest.  Raises `Refused` if there is none."""
        self._folder = folder
        known = logfile.runs(folder)
        if not known or (run is not None and run not in known):
            raise Refused("LogNotAvailable", "it has not started")
        self.run = run or known[-1]
        self.over: bool = self.run != known[-1]
        """Whether another run has begun since."""
        self._file = -1
        self._number = 0
        self._left = b""

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _paths(self) -> list[LogFile]:
        return [each for each in logfile.files(self._folder) if each.run == self.run]

    def begin(self, *, tail: int | None, timestamps: bool, limit: int | None) -> bytes:
        """Open the place where following begins, and give what comes before it."""
        while True:
            paths = self._paths()
            if not paths:
                raise Refused("LogNotAvailable", "its log has been removed")
            try:
                if tail is None and limit is None:
                    self._open(paths[0], paths)
                    return b""
                text, end = logfile.newest(paths, tail=tail, timestamps=timestamps, limit=limit or _ALL)
                self._open(paths[-1], paths)
                if os.fstat(self._file).st_size < end:
                    continue  # renamed between the two: this is its successor
                os.lseek(self._file, end, os.SEEK_SET)
                return text
            except FileNotFoundError:
                continue  # renamed or removed between the two

    def _open(self, each: LogFile, paths: list[LogFile]) -> None:
        file = os.open(each.path, os.O_RDONLY | os.O_CLOEXEC)
        self.close()
        self._file = file
        self._number = _number(each, paths)

    def read(self) -> bytes:
        """Give whole lines; empty if there are none now."""
        while True:
            block = os.read(self._file, _BLOCK)
            if not block:
                return b""
            lines = self._left + block
            cut = lines.rfind(b"\n") + 1
            self._left = lines[cut:]
            if cut:
                return lines[:cut]

    def is_written(self) -> bool:
        """Tell whether more may come into this file: one that was renamed gets what containerd still holds."""
        return logfile.is_written(self._file)

    def next_file(self) -> bool:
        """Go to the next file if there is one.  Raises `Transient` at a gap."""
        paths = self._paths()
        later = [each for each in paths if _number(each, paths) > self._number]
        if not later:
            return False
        if _number(later[0], paths) != self._number + 1:
            raise Transient("the log was read too slowly: the next lines have been removed")
        try:
            self._open(later[0], paths)
        except FileNotFoundError:
            return self.next_file()  # renamed meanwhile
        return True


def _number(each: LogFile, paths: list[LogFile]) -> int:
    """Give the number that a file has, or will have once it is renamed."""
    if not each.written:
        return int(each.number)
    return max((int(other.number) for other in paths if not other.written), default=0) + 1


async def follow(
    folder: Path,
    watcher: Watcher,
    runs: Callable[[Run], Awaitable[bool]],
    *,
    tail: int | None,
    timestamps: bool,
    run: Run | None,
    limit: int | None,
) -> AsyncGenerator[bytes, None]:
    """Give the log of a run, None for the newest, and what is added to it, until the run has ended."""
    follower = Follower(folder, run)
    decoder = Decoder(timestamps=timestamps)
    try:
        with watcher.watch(folder) as watch:
            before = follower.begin(tail=tail, timestamps=timestamps, limit=limit)
            if before:
                yield before
            ended = follower.over or not await _runs(runs, follower.run)
            patience = _LOOK_SECONDS
            clock = asyncio.get_running_loop().time
            give_up = clock() + _SETTLE_SECONDS
            while True:
                # Asked before reading: else some could come between the two.
                complete = not follower.is_written() or clock() > give_up
                while lines := follower.read():
                    yield decoder.decode(lines)
                    await asyncio.sleep(0)
                    give_up = clock() + _SETTLE_SECONDS
                if complete and follower.next_file():
                    give_up = clock() + _SETTLE_SECONDS
                elif not ended:
                    ended, patience = await _more(watch, runs, follower.run, patience)
                    if ended:
                        give_up = clock() + _SETTLE_SECONDS
                elif complete:
                    return
                else:  # CRI calls a container ended a moment before the last of what it wrote is in the file
                    await watch.wait(_SOON_SECONDS)
    finally:
        follower.close()


async def _runs(runs: Callable[[Run], Awaitable[bool]], run: Run) -> bool:
    try:
        return await runs(run)
    except EngineError:
        return True  # containerd is away: it will come back, and the container goes on


async def _more(watch: Watch, runs: Callable[[Run], Awaitable[bool]], run: Run, patience: float) -> tuple[bool, float]:
    """Wait until something was written; tell whether the run has ended, and how long to wait the next time.

    A run that has ended closes its file, and CRI's own books follow some milliseconds later: then it is asked soon
    again, and ever less often if the file was closed for another reason.
    """
    happened = await watch.wait(patience)
    closed = bool(watch.closed)
    watch.closed.clear()
    if happened and not closed:
        return False, patience
    return not await _runs(runs, run), _SOON_SECONDS if closed else min(2 * patience, _LOOK_SECONDS)
