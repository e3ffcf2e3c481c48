"""Decides whether a request is sent again, and when.  Pure."""

from __future__ import annotations

from hythe.errors import ConnectionFailed
from hythe.wire.poll import retry_after

from .transport import Response

RETRIES = 3
LONGEST = 60.0
"""A service that asks for a longer wait is not waited for: its answer goes to the caller."""

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "PATCH"})
"""What may be sent twice: a PUT says all that should be, a PATCH of ARM replaces what it names."""

_FIRST_DELAY = 0.2
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_THROTTLED = 429


def delay_before_retry(
    outcome: Response | ConnectionFailed,
    *,
    tries: int,
    idempotent: bool,
    jitter: float,
    retries: int = RETRIES,
    remaining: float | None = None,
) -> float | None:
    """Give the seconds to wait before the next try, or None if this outcome stands.

    ``jitter`` is a random number from 0 to 1, ``remaining`` the seconds until the call must have ended.  What isn't
    idempotent is repeated only if it was not carried out: nothing was sent, or the service was too busy to look.
    """
    if tries > retries:
        return None
    back_off = _FIRST_DELAY * 2.0 ** (tries - 1) * (0.5 + jitter)
    if isinstance(outcome, ConnectionFailed):
        again = outcome.reason == "refused" or (idempotent and outcome.reason == "lost")
        delay = back_off if again else None
    elif outcome.status not in _PASSING or not (idempotent or outcome.status == _THROTTLED):
        delay = None
    else:
        asked = retry_after(outcome.headers)
        delay = back_off if asked is None else asked if asked <= LONGEST else None
    return None if delay is None or (remaining is not None and delay >= remaining) else delay
