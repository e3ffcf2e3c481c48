"""Writes and reads the frames of Hythe's exec protocol, and holds what a command gave.  Pure.

The first byte of a frame is its channel; ``docs/decisions/2026-11-25-streams.md`` has the table.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from hythe.errors import UnexpectedAnswer

SUBPROTOCOL = "exec.hythe.v1"
STDOUT, STDERR = 1, 2
END_OF_INPUT = b"\xff\x00"
_STDIN, _STATUS, _RESIZE = 0, 3, 4
_MOST = 1 << 18
"""Most bytes of input in a frame; the service takes 2**20."""


class ExecResult(Struct, frozen=True, kw_only=True):
    """What a command that was run in a container gave."""

    exit_code: int | None
    """None on Azure, whose protocol does not tell it."""
    stdout_bytes: bytes
    stderr_bytes: bytes = b""
    """Always empty on Azure, where both come as one."""

    @property
    def ok(self) -> bool:
        """Tell whether it ended with exit code 0."""
        return self.exit_code == 0

    @property
    def stdout(self) -> str:
        """Give what it wrote to standard output, as text."""
        return self.stdout_bytes.decode(errors="replace")

    @property
    def stderr(self) -> str:
        """Give what it wrote to standard error, as text."""
        return self.stderr_bytes.decode(errors="replace")


class Output(Struct, frozen=True):
    """A piece of what a command writes."""

    channel: int
    """1 for standard output (and for all that a terminal shows), 2 for standard error."""
    data: bytes


class Status(Struct, frozen=True, kw_only=True, rename="camel"):
    """Is how a command ended, or why it could not be run."""

    exit_code: int | None = None
    error: Failure | None = None


class Failure(Struct, frozen=True):
    """Is why a command could not be run."""

    code: str
    message: str


def read(frame: bytes | str) -> Output | Status:
    """Read a frame from the service.  Raises `UnexpectedAnswer`."""
    if isinstance(frame, bytes) and frame:
        if frame[0] in (STDOUT, STDERR):
            return Output(frame[0], frame[1:])
        if frame[0] == _STATUS:
            try:
                return msgspec.json.decode(frame[1:], type=Status)
            except msgspec.DecodeError:
                pass
    raise UnexpectedAnswer("cannot read what the command gives: the service sent a frame of no known kind")


def typed(data: bytes) -> Iterator[bytes]:
    """Write frames of input."""
    for start in range(0, len(data), _MOST):
        yield bytes((_STDIN,)) + data[start : start + _MOST]


def size(rows: int, columns: int) -> bytes:
    """Write the frame of a terminal's new size."""
    return bytes((_RESIZE,)) + msgspec.json.encode({"rows": rows, "cols": columns})
