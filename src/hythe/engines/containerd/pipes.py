"""Reads and writes FIFOs from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CHUNK = 1 << 17
_PIPE_BYTES = 1 << 20
"""What a FIFO holds: more than the usual 64 KiB, so that both sides run longer at a time."""


async def _ready(add: Callable[..., Any], remove: Callable[[int], Any], file: int) -> None:
    """Wait until a file can be read or written."""
    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ready() -> None:
        if not waiter.done():
            waiter.set_result(None)

    add(file, ready)
    try:
        await waiter
    finally:
        remove(file)


class Reader:
    """The reading end of a FIFO that is made here.  It has no end before `writer_is_there` was called."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path, 0o600)
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # A FIFO without a writer reads as ended: this one keeps it open until the real one has come.
        self._held = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._file, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def writer_is_there(self) -> None:
        """Let the FIFO end when its writer does."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    async def read(self) -> bytes:
        """Wait for bytes; empty at the end."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return os.read(self._file, _CHUNK)
            except BlockingIOError:
                await _ready(loop.add_reader, loop.remove_reader, self._file)

    @property
    def has_more(self) -> bool:
        """Tell whether a read would not wait: for bytes, or because it has ended."""
        waiting = select.poll()
        waiting.register(self._file, select.POLLIN)
        return bool(waiting.poll(0))

    def close(self) -> None:
        """Close it."""
        self.writer_is_there()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class Writer:
    """The writing end of a FIFO."""

    def __init__(self, path: Path, *, make: bool) -> None:
        self._path = path
        if make:
            os.mkfifo(path, 0o600)
        # Until its reader has come a FIFO can only be opened for both.
        self._file = os.open(path, (os.O_RDWR if make else os.O_WRONLY) | os.O_NONBLOCK | os.O_CLOEXEC)

    def reader_is_there(self) -> None:
        """Have the FIFO break when its reader goes."""
        file = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.close(self._file)
        self._file = file

    async def write(self, data: bytes) -> None:
        """Write all; what nobody reads any more is dropped."""
        loop = asyncio.get_running_loop()
        left = memoryview(data)
        while left and self._file >= 0:
            try:
                left = left[os.write(self._file, left) :]
            except BlockingIOError:
                await _ready(loop.add_writer, loop.remove_writer, self._file)
            except BrokenPipeError:
                return

    def close(self) -> None:
        """Close it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
