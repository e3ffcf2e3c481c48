"""One pass over a sandbox group: its sandboxes end when their time is up, or when it is deleted."""

from __future__ import annotations

import msgspec

from ..store import Outcome, Row, SqlStore
from .groups import Clock
from .n_groups import Members


class SandboxGroupPass:
    """Works on sandbox groups; holds no state of its own."""

    def __init__(self, store: SqlStore, members: Members, clock: Clock, lifetime_tag: str) -> None:
        """Take the tag under which a sandbox has its life time in seconds."""
        self._store = store
        self._members = members
        self._clock = clock
        self._tag = lifetime_tag

    async def __call__(self, row: Row) -> Outcome:
        """Do what is due for a sandbox group."""
        now = self._clock().timestamp()
        inside = self._store.members(row.id)
        ends = {one.key: self._end(one) for one in inside if one.desired != "gone"}
        for key, end in ends.items():
            if row.desired == "gone" or end <= now:
                self._members.remove(key)
        later = [end for end in ends.values() if end > now]
        gone = row.desired == "gone" and not inside
        return Outcome(
            key=row.key,
            uid=row.uid,
            generation=row.generation,
            status=row.status or b"{}",
            provisioning_state="Deleting" if row.desired == "gone" else "Succeeded",
            done=gone or row.desired != "gone",
            wake_at=min(later) if later and row.desired != "gone" else None,
            gone=gone,
        )

    def _end(self, sandbox: Row) -> float:
        tags = msgspec.json.decode(sandbox.spec).get("tags") or {}
        return sandbox.changed_at + float(tags.get(self._tag, 0))
