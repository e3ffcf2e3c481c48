"""Finds in a log that is read again and again what is new: no line twice, none left out.  Pure.

The log is read with times, so that lines are told apart.  The service keeps the end of a log only: when the last line
that was seen has gone, and the oldest kept one is younger, lines may have been lost, and a `LogLine` says so.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

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


_REMEMBERED, _MOST_REMEMBERED = 100, 10_000
_COLOURS = (36, 35, 34, 32, 33)  # of terminals: cyan, magenta, blue, green, yellow


def printed(line: LogLine, containers: Sequence[str]) -> str:
    """Write a line for people: behind its container's name, each in its colour, where there are several."""
    if len(containers) < 2:  # noqa: PLR2004
        return line.text
    name = f"[{line.container}]"
    if not os.environ.get("NO_COLOR") and line.container in containers:
        name = f"\x1b[{_COLOURS[containers.index(line.container) % len(_COLOURS)]}m{name}\x1b[0m"
    return f"{name} {line.text}"


class Seen:
    """Tells which lines of a log are new when it is read once more, from its start or from what is kept of it.

    Every line has its time in front.  Times are in order but for those of two streams that were written at once: a line
    may be followed by an older one.  So the last lines are remembered, not only the last time.
    """

    def __init__(self) -> None:
        self._last: list[str] = []
        """The last lines seen: at least `_REMEMBERED`, and none that was forgotten is as young as one of them."""
        self._times: list[str] = []
        self._full = 8 * _REMEMBERED
        self._newest = ""
        self._again: Counter[str] = Counter()
        """Those of them that have not come again."""
        self._catching_up = False
        self.met: bool = False
        """Whether one of them has come again: then nothing is missing between what was read and what is read now."""

    def begin(self) -> None:
        """Begin to read again."""
        self._again = Counter(self._last)
        self._catching_up = bool(self._last)
        self.met = not self._last

    def is_new(self, line: str) -> bool:
        """Tell whether a line is new; from the first one on that is, all are."""
        time = _time(line)
        if self._catching_up:
            if line in self._again:
                self.met = True
                self._again[line] -= 1
                if not self._again[line]:
                    del self._again[line]
                self._catching_up = bool(self._again)
                return False
            if not self.met and time <= self._newest:
                return False  # before all that is remembered
            self._catching_up = False
        self._note(line, time)
        return True

    def _note(self, line: str, time: str) -> None:
        self._newest = max(self._newest, time)
        self._last.append(line)
        self._times.append(time)
        if len(self._last) >= self._full:
            self._forget()

    def _forget(self) -> None:
        latest_before = [*accumulate(self._times, max)]
        earliest_from = [*accumulate(reversed(self._times), min)][::-1]
        places = range(len(self._last) - _REMEMBERED, 0, -1)
        cut = next((place for place in places if latest_before[place - 1] < earliest_from[place]), 0)
        if len(self._last) > _MOST_REMEMBERED:  # somebody has set the clock back
            cut = max(cut, len(self._last) - _REMEMBERED)
        del self._last[:cut], self._times[:cut]
        self._full = 8 * len(self._last)


class LogCursor:
    """Remembers how far the log of one container has been read."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._seen = Seen()

    def take(self, content: str, *, ended: bool, restarted: bool = False) -> list[LogLine]:
        """Give the new lines of the whole log; an unfinished last line only if nothing more can follow.

        ``restarted``: the log is that of a new run, and the old one is gone.
        """
        lines = content.split("\n")
        rest = lines.pop()
        if ended and rest:
            lines.append(rest)
        self._seen.begin()
        made = [self._line(line) for line in lines if self._seen.is_new(line)]
        if made and not (self._seen.met or restarted):
            made.insert(0, LogLine(self._container, LOST, made[0].time, lost=True))
        return made

    def _line(self, line: str) -> LogLine:
        time, _, text = line.partition(" ")
        return LogLine(self._container, text, time)


def _time(line: str) -> str:
    """Give the time in front of a line, padded so that texts compare as times do; empty for half a line without one."""
    stamp = line.partition(" ")[0].rstrip("Z")
    whole, _, fraction = stamp.partition(".")
    return f"{whole}.{fraction.ljust(9, '0')}" if whole[:2] == "20" and whole[10:11] == "T" else ""
