"""Finds in a log that is read again and again what is new: no line twice, none left out.  Pure.

The log is read with times, so that lines are told apart.  The service keeps the end of a log only: when the last line
that was seen has gone, and the oldest kept one is younger, lines may have been lost, and a `LogLine` says so.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from msgspec import Struct

LOST = "[lines are missing here: the container wrote more between two polls than the service keeps]"


class LogLine(Struct, frozen=True):
    """One line that a container wrote, without its line end; ``time`` is as the service wrote it, or empty."""

    container: str
    text: str
    time: str = ""
    lost: bool = False
    """Whether it stands for lines that were lost, instead of being one."""

    def __str__(self) -> str:
        return self.text


_COLOURS = (36, 35, 34, 32, 33)  # of terminals: cyan, magenta, blue, green, yellow


def printed(line: LogLine, containers: Sequence[str]) -> str:
    """Write a line for people: behind its container's name, each in its colour, where there are several."""
    if len(containers) < 2:  # noqa: PLR2004
        return line.text
    name = f"[{line.container}]"
    if not os.environ.get("NO_COLOR") and line.container in containers:
        name = f"\x1b[{_COLOURS[containers.index(line.container) % len(_COLOURS)]}m{name}\x1b[0m"
    return f"{name} {line.text}"


class LogCursor:
    """Remembers how far the log of one container has been read."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._last: list[str] = []
        """The last lines seen, all of one time, to count those that are equal."""

    def take(self, content: str, *, ended: bool, restarted: bool = False) -> list[LogLine]:
        """Give the new lines of the whole log; an unfinished last line only if nothing more can follow.

        ``restarted``: the log is that of a new run, and the old one is gone.
        """
        lines = content.split("\n")
        rest = lines.pop()
        if ended and rest:
            lines.append(rest)
        new, gap = self._after_last(lines)
        if new:
            newest = _time(new[-1])
            same = [line for line in new if _time(line) == newest]
            self._last = self._last + same if self._last and _time(self._last[0]) == newest else same
        made = [LogLine(self._container, line.partition(" ")[2], _time(line)) for line in new]
        if gap and not restarted and made:
            made.insert(0, LogLine(self._container, LOST, made[0].time, lost=True))
        return made

    def _after_last(self, lines: list[str]) -> tuple[list[str], bool]:
        if not self._last:
            return lines, False
        last = _time(self._last[0])
        seen = 0
        for index, line in enumerate(lines):
            if _time(line) > last:
                return lines[index:], seen == 0
            if _time(line) == last:
                if seen == len(self._last):
                    return lines[index:], False
                seen += 1
        return [], False


class Resumed:
    """Tells which lines of a log are new when reading it has begun again from its start."""

    def __init__(self) -> None:
        self._newest = ""
        self._count = 0
        """How many lines of that time have been seen."""
        self._again = 0
        """How many of those have come again."""

    def begin(self) -> None:
        """Begin again."""
        self._again = 0

    def is_new(self, line: str) -> bool:
        """Tell whether a line with its time in front has not been seen."""
        time = _time(line)
        if time > self._newest:
            self._newest, self._count, self._again = time, 1, 1
            return True
        if time < self._newest:
            return False
        self._again += 1
        if self._again > self._count:
            self._count = self._again
            return True
        return False


def _time(line: str) -> str:
    """Give the time in front of a line, padded so that texts compare as times do."""
    stamp = line.partition(" ")[0].rstrip("Z")
    whole, _, fraction = stamp.partition(".")
    return f"{whole}.{fraction.ljust(9, '0')}"
