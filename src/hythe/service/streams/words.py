"""Splits the command of an exec into words, as a shell would."""

from __future__ import annotations

import shlex

from ...wire.faults import Fault

MOST_BYTES = 64 << 10


def split(command: str | None) -> tuple[str, ...]:
    """Give the words of a command: quotes and backslashes count, nothing is expanded.  Raises InvalidExecCommand."""
    text = command or ""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise _bad(f"it has more than {MOST_BYTES} bytes")
    if "\0" in text:
        raise _bad("it has a NUL character")
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise _bad(f"{error}".rstrip(".").lower()) from None
    if not words or not words[0]:
        raise _bad("it names no program")
    return words


def _bad(why: str) -> Fault:
    return Fault(400, "InvalidExecCommand", f"The command of the exec request can't be run: {why}.")
