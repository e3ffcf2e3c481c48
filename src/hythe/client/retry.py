"""Decides whether a request is sent again, and when.  Pure."""

from __future__ import annotations

from hythe.errors import ConnectionFailed
from hythe.wire.poll import retry_after

from .transport import Response

TRIES = 3
LONGEST = 60.0
"""A service that asks for a longer wait is not waited for: its answer goes to the caller."""

_FIRST_DELAY = 0.2
_PASSING = frozenset({429, 502, 503, 504})


def delay_before_retry(
    outcome: Response | ConnectionFailed, *, tries: int, idempotent: bool, jitter: float
) -> float | None:
    """Give the seconds to wait before the next try, or None if this outcome stands.

    ``jitter`` is a random number from 0 to 1.  What isn't idempotent is repeated only if nothing was sent.
    """
    if tries >= TRIES:
        return None
    back_off = _FIRST_DELAY * 2.0 ** (tries - 1) * (0.5 + jitter)
    if isinstance(outcome, ConnectionFailed):
        again = outcome.reason == "refused" or (idempotent and outcome.reason == "lost")
        return back_off if again else None
    if not idempotent or outcome.status not in _PASSING:
        return None
    asked = retry_after(outcome.headers)
    if asked is None:
        return back_off
    return asked if asked <= LONGEST else None
