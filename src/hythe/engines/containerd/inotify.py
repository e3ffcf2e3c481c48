"""Tells when something is written below a folder, without looking again and again (Linux's inotify)."""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_MODIFY, _CLOSE_WRITE, _MOVED, _CREATE = 0x2, 0x8, 0xC0, 0x100
_OVERFLOW = 0x4000
_HEADER = struct.Struct("iIII")


class Watch:
    """What happened in one folder since it was last asked."""

    def __init__(self) -> None:
        self._happened = asyncio.Event()
        self.closed: set[str] = set()
        """Names of files that a writer closed; whoever reads it clears it."""

    def tell(self, name: str, mask: int) -> None:
        """Note an event."""
        if mask & _CLOSE_WRITE:
            self.closed.add(name)
        self._happened.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until something happens; False if nothing did in that time."""
        try:
            await asyncio.wait_for(self._happened.wait(), seconds)
        except TimeoutError:
            return False
        self._happened.clear()
        return True


class Watcher:
    """One inotify descriptor for all folders: a machine has few of them."""

    def __init__(self) -> None:
        self._file = -1
        self._watches: dict[int, set[Watch]] = {}

    def close(self) -> None:
        """Watch nothing any more."""
        if self._file >= 0:
            asyncio.get_running_loop().remove_reader(self._file)
            os.close(self._file)
            self._file = -1
            self._watches.clear()

    @contextmanager
    def watch(self, folder: Path) -> Iterator[Watch]:
        """Watch a folder inside the block.  Raises OSError if it is not there."""
        if self._file < 0:
            self._file = _checked(_LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
            asyncio.get_running_loop().add_reader(self._file, self._read)
        mask = _MODIFY | _CLOSE_WRITE | _MOVED | _CREATE
        number = _checked(_LIBC.inotify_add_watch(self._file, os.fsencode(folder), mask))
        watch = Watch()
        self._watches.setdefault(number, set()).add(watch)
        try:
            yield watch
        finally:
            others = self._watches.get(number, set())
            others.discard(watch)
            if not others and self._watches.pop(number, None) is not None:
                _LIBC.inotify_rm_watch(self._file, number)  # an error says that the folder is gone

    def _read(self) -> None:
        events = os.read(self._file, 1 << 16)
        at = 0
        while at < len(events):
            number, mask, _, length = _HEADER.unpack_from(events, at)
            name = events[at + _HEADER.size : at + _HEADER.size + length].rstrip(b"\0").decode(errors="replace")
            at += _HEADER.size + length
            told = set().union(*self._watches.values()) if mask & _OVERFLOW else self._watches.get(number, ())
            for watch in told:
                watch.tell(name, mask)


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
