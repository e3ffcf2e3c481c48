"""Reads container logs in the format of CRI: ``<time> <stream> <P|F> <text>``, P for a line that goes on.

A run of a container writes ``<epoch>-<attempt>.log``; when that is full it is renamed to ``<epoch>-<attempt>.log.<n>``,
n counting up, and a new one is begun.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ..offers import Run

_NAME = re.compile(r"(\d+)-(\d+)\.log(?:\.(\d+))?")
# A line's head with the end of the line before it: that a pattern begins with one byte makes it six times as fast.
_FULL = re.compile(rb"\n[^ ]+ std(?:out|err) F ")
_HEAD = re.compile(rb"\n([^ \n]+) std(?:out|err) ([FP]) ")
_FIRST_LOOK = 1 << 17


class LogFile(Struct, frozen=True, kw_only=True, order=True):
    """One file; they sort from the oldest to the newest."""

    epoch: int
    attempt: int
    number: float
    """Counts the files of a run from 1; infinite for the one that is written."""
    path: Path
    size: int

    @property
    def run(self) -> Run:
        """The run that it belongs to."""
        return self.epoch, self.attempt

    @property
    def written(self) -> bool:
        """Whether it is the one that is written while the container runs."""
        return self.number == float("inf")


def files(folder: Path) -> list[LogFile]:
    """Give the log files of a container, oldest first."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = _NAME.fullmatch(entry.name)
                if name:
                    number = float(name[3]) if name[3] else float("inf")
                    found.append(
                        LogFile(
                            epoch=int(name[1]),
                            attempt=int(name[2]),
                            number=number,
                            path=folder / entry.name,
                            size=entry.stat().st_size,
                        )
                    )
    except FileNotFoundError:
        return files(folder) if folder.exists() else []  # one was renamed or removed meanwhile
    return sorted(found)


def is_written(file: int) -> bool:
    """Tell whether somebody holds an open file to write into it; False on a file system that can't say.

    The kernel gives a lease on a file only when nobody writes it.  Who opens it in that instant waits for us, and we
    are sent a signal: by default one that ends a process, so another is asked for, which does nothing.
    """
    try:
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


def is_complete(path: str) -> bool:
    """Tell whether nothing more comes into the file that a container wrote last."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True  # there is none, or it has been renamed
    try:
        return not is_written(file)
    finally:
        os.close(file)


def runs(folder: Path) -> list[Run]:
    """Give the runs of a container that have files, oldest first."""
    return sorted({each.run for each in files(folder)})


def run(folder: Path, *, previous: bool = False) -> list[LogFile]:
    """Give the files of the newest run, or of the one before; none if there was none."""
    every = files(folder)
    known = sorted({each.run for each in every})
    at = -2 if previous else -1
    if len(known) < -at:
        return []
    return [each for each in every if each.run == known[at]]


class Decoder:
    """Takes whole lines of a file and gives what the container wrote."""

    def __init__(self, *, timestamps: bool) -> None:
        self._timestamps = timestamps
        self._inside = False
        """Whether the line that comes next goes on with the one before."""

    def decode(self, lines: bytes) -> bytes:
        """Give the text of lines, each with its end.  What is not a line of CRI passes as it is."""
        if not self._timestamps and not self._inside:
            text, full = _FULL.subn(b"\n", b"\n" + lines)
            if full == lines.count(b"\n"):
                return text[1:]
        begun_inside = self._inside
        text = _HEAD.sub(self._head, b"\n" + lines)
        if not begun_inside:
            text = text[1:]
        return text[:-1] if self._inside else text

    def _head(self, found: re.Match[bytes]) -> bytes:
        """Give what stands in the place of a line's head and the end of the line before."""
        lead = b"" if self._inside else b"\n" + (found[1] + b" " if self._timestamps else b"")
        self._inside = found[2] == b"P"
        return lead


def _last_raw(paths: Sequence[LogFile], most: int) -> tuple[bytes, bool, int]:
    """Give the end of several files read as one, whether that is all, and where in the last file it ends."""
    parts: list[bytes] = []
    left, end = most, 0
    for number, each in enumerate(reversed(paths)):
        with each.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - left))
            part = file.read(min(size, left))
        if number == 0:
            end = size
        parts.append(part)
        left -= len(part)
        if left <= 0:
            break
    return b"".join(reversed(parts)), left > 0, end


def newest(paths: Sequence[LogFile], *, tail: int | None, timestamps: bool, limit: int) -> tuple[bytes, int]:
    """Give the last ``tail`` lines of a run, at most ``limit`` bytes, and the place in its last file where they end."""
    look = _FIRST_LOOK if tail is not None else limit + limit // 2
    while True:
        raw, whole, end = _last_raw(paths, look)
        cut = raw.rfind(b"\n") + 1
        end -= len(raw) - cut  # a line that is just being written is left for the next look
        raw = raw[:cut]
        if not whole:
            raw = raw[raw.find(b"\n") + 1 :]
        text = Decoder(timestamps=timestamps).decode(raw)
        lines, enough = _tail(text, tail)
        if whole or enough or len(text) >= limit:
            return lines[-limit:], end
        look *= 4


def _tail(text: bytes, tail: int | None) -> tuple[bytes, bool]:
    """Give the last lines, and whether the place where they begin is in the text."""
    if tail is None:
        return text, False
    if tail == 0:
        return b"", True
    body = text.removesuffix(b"\n")
    parts = body.rsplit(b"\n", tail)
    if len(parts) <= tail:
        return text, False
    return text[len(parts[0]) + 1 :], True


def read(folder: Path, *, tail: int | None, timestamps: bool, limit: int, previous: bool) -> str | None:
    """Give what a container wrote, both streams in order; None if there is no such run."""
    while True:
        paths = run(folder, previous=previous)
        if not paths:
            return None
        try:
            content, _ = newest(paths, tail=tail, timestamps=timestamps, limit=limit)
        except FileNotFoundError:
            continue  # renamed or removed meanwhile
        return content.decode("utf-8", errors="replace")
