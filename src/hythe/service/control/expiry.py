"""Tells when a group that has ended deletes itself: its tag ``hythe.ttl`` after its end.  Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from ..duration import seconds
from ..store import View

TAG = "hythe.ttl"


class _Tagged(Struct):
    tags: dict[str, str] = {}


def ends_at(spec: bytes, view: View, now: datetime) -> datetime | None:
    """Tell when a group is to be gone; None while it has not ended, or if it may stay.

    The tags are those of the public definition: a PATCH changes them there, and nowhere else.
    """
    if view.state not in ("Succeeded", "Failed") or TAG.encode() not in spec:
        return None
    life = seconds(msgspec.json.decode(spec, type=_Tagged).tags.get(TAG, ""))
    if life is None:
        return None
    ends = [
        state.finish_time
        for one in view.containers.values()
        if (state := one.current_state) is not None and state.finish_time is not None
    ]
    return max(ends, default=now) + timedelta(seconds=life)
