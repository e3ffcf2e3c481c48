"""Reads how long something may take or live, as people write it.  Pure."""

from __future__ import annotations

from datetime import timedelta

import msgspec

LONGEST = 10 * 365 * 86400.0
"""Ten years, in seconds: what is longer is a mistake."""


def seconds(text: str) -> float | None:
    """Read seconds (``90``) or an ISO 8601 duration of days and less (``PT1H30M``, ``P1D``); None if it is neither."""
    text = text.strip()
    try:
        found = float(text) if text.isdecimal() else msgspec.convert(text, timedelta).total_seconds()
    except (msgspec.ValidationError, ValueError):
        return None
    return found if 0 <= found <= LONGEST else None
