"""Holds measured values: an hour of seconds, and hours of minutes.  Pure.

A series is named ``/received`` and ``/sent`` for a group, ``<container>/cpu`` and ``<container>/memory`` for its
containers: no container's name is empty or has a slash in it.
"""

from __future__ import annotations

import itertools
import math
import zlib
from array import array
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

MINUTE = 60
HOUR = 3600
_ABSENT = math.nan
_SLACK = 300
"""Seconds that are kept beyond an hour, so that the oldest need not be moved out each second."""
_PRECISION = 4096
"""Minutes are kept to one part in so many, which lets them be packed."""

_FLOAT = 4
"""Bytes of a number."""
_FORM = b"\1"
"""What a packed hour begins with."""
_LEVEL = 6

RECEIVED, SENT = "/received", "/sent"


def cpu(container: str) -> str:
    """Name the series of a container's CPU use, in millicores."""
    return f"{container}/cpu"


def memory(container: str) -> str:
    """Name the series of a container's working set, in bytes."""
    return f"{container}/memory"


class Seconds:
    """The values of one series in its newest hour, one a second; some may be missing."""

    def __init__(self) -> None:
        self._start = 0
        self._values = array("f")

    def put(self, second: int, value: float) -> None:
        """Add the value of a second; later ones that are there already go: the clock was set back."""
        place = second - self._start
        if not self._values or place < 0 or place >= len(self._values) + HOUR:
            self._start, place = second, 0
            self._values = array("f")
        del self._values[place:]
        self._values.extend([_ABSENT] * (place - len(self._values)))
        self._values.append(value)
        if len(self._values) > HOUR + _SLACK:
            self._start += len(self._values) - HOUR
            del self._values[:-HOUR]

    def between(self, start: int, end: int) -> Iterator[tuple[int, float]]:
        """Give second and value of all that is there from one second up to, without, another."""
        low, high = max(0, start - self._start), max(0, end - self._start)
        for place, value in enumerate(self._values[low:high], self._start + low):
            if value == value:  # noqa: PLR0124 - what is missing is no number
                yield place, value

    @property
    def newest(self) -> int:
        """The second of the newest value; 0 if there is none."""
        return self._start + len(self._values) - 1 if self._values else 0


class Point(Struct, frozen=True, gc=False):
    """Many values as a few figures."""

    average: float
    lowest: float
    highest: float
    count: int
    """Of the values."""


def summed_up(values: Iterable[float]) -> Point | None:
    """Sum values up; None if there are none."""
    every = [*values]
    if not every:
        return None
    return Point(math.fsum(every) / len(every), min(every), max(every), len(every))


def merged(points: Iterable[Point]) -> Point | None:
    """Sum up what was summed up; None if there is nothing."""
    every = [*points]
    count = sum(each.count for each in every)
    if not count:
        return None
    total = math.fsum(each.average * each.count for each in every)
    return Point(total / count, min(each.lowest for each in every), max(each.highest for each in every), count)


class _Packed(Struct, array_like=True):
    """The minutes of all series in one hour: three numbers each, and how many values they sum up."""

    names: list[str]
    counts: list[bytes]
    planes: bytes
    """The last bytes of all numbers, then those before them, and so on: what is alike stands together."""


class Hour:
    """The minutes of one hour, of all series of a group."""

    def __init__(self) -> None:
        self._figures: dict[str, array[float]] = {}
        self._counts: dict[str, bytearray] = {}

    @property
    def series(self) -> Iterable[str]:
        """The names of the series that have anything."""
        return self._figures.keys()

    def put(self, series: str, minute: int, point: Point) -> None:
        """Set a minute, from 0 to 59."""
        figures = self._figures.setdefault(series, array("f", bytes(3 * _FLOAT * MINUTE)))
        for place, value in enumerate((point.average, point.lowest, point.highest)):
            figures[3 * minute + place] = _rounded(value)
        self._counts.setdefault(series, bytearray(MINUTE))[minute] = min(point.count, 255)

    def get(self, series: str, minute: int) -> Point | None:
        """Give a minute, from 0 to 59; None if it has no value."""
        counts = self._counts.get(series)
        if counts is None or not counts[minute]:
            return None
        average, lowest, highest = self._figures[series][3 * minute : 3 * minute + 3]
        return Point(average, lowest, highest, counts[minute])

    def packed(self) -> bytes:
        """Write it as few bytes."""
        figures = b"".join(each.tobytes() for each in self._figures.values())
        planes = b"".join(figures[place::_FLOAT] for place in range(_FLOAT))
        said = msgspec.msgpack.encode(
            _Packed([*self._figures], [bytes(self._counts[name]) for name in self._figures], planes)
        )
        # Each plane gets codes of its own: bytes of an exponent and of a fraction are not alike.
        deflate = zlib.compressobj(_LEVEL)
        ends = [len(said) - len(planes) + place * (len(planes) // _FLOAT) for place in range(_FLOAT + 1)]
        parts = [said[begin:end] for begin, end in itertools.pairwise([0, *ends])]
        packed = [deflate.compress(part) + deflate.flush(zlib.Z_SYNC_FLUSH) for part in parts]
        return _FORM + b"".join(packed) + deflate.flush()

    @staticmethod
    def unpacked(data: bytes) -> Hour:
        """Read what `packed` wrote; of what has another form nothing is known."""
        hour = Hour()
        if not data.startswith(_FORM):
            return hour
        held = msgspec.msgpack.decode(zlib.decompress(data[len(_FORM) :]), type=_Packed)
        figures = bytearray(len(held.planes))
        count = len(figures) // _FLOAT
        for place in range(_FLOAT):
            figures[place::_FLOAT] = held.planes[place * count : (place + 1) * count]
        size = 3 * _FLOAT * MINUTE
        for number, (name, counts) in enumerate(zip(held.names, held.counts, strict=True)):
            hour._figures[name] = array("f", bytes(figures[number * size : (number + 1) * size]))
            hour._counts[name] = bytearray(counts)
        return hour


def _rounded(value: float) -> float:
    fraction, exponent = math.frexp(value)
    return math.ldexp(round(fraction * _PRECISION) / _PRECISION, exponent)
