"""Durations as the contract writes them: ISO 8601 (``PT1H30M``), or a date and time counted from 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_ISO = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.IGNORECASE,
)
_SECONDS = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_LONGEST = 20


def seconds(text: str) -> float | None:
    """Read a duration, in seconds; None if it is none, is negative or has no part."""
    if not 1 < len(text) <= _LONGEST * 2:
        return None
    found = _ISO.fullmatch(text)
    if found:
        parts = {name: value for name, value in found.groupdict().items() if value is not None}
        return sum(float(value) * _SECONDS[name] for name, value in parts.items()) if parts else None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return since if since >= 0 else None
