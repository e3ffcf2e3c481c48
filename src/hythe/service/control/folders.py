"""One pass over a resource group, and over the kinds that are nothing but a record."""

from __future__ import annotations

from ..store import Outcome, Row, SqlStore
from .groups import Clock


class FolderPass:
    """Ends a resource group once nothing is in it; each end of a resource in it makes it due again."""

    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def __call__(self, row: Row) -> Outcome:
        """Do what is due for a resource group."""
        gone = row.desired == "gone" and len(self._store.listed(None, row.subscription, row.resource_group)) == 1
        waiting = row.desired == "gone" and not gone
        return Outcome(
            key=row.key,
            uid=row.uid,
            generation=row.generation,
            status=b"{}",
            provisioning_state="Deleting" if waiting else "Succeeded",
            done=not waiting,
            wake_at=self._clock().timestamp() + 1.0 if waiting else None,
            gone=gone,
        )


async def record_pass(row: Row) -> Outcome:
    """Settle a kind for which nothing has to be done: it is as soon as it is declared, and gone as soon."""
    return Outcome(
        key=row.key,
        uid=row.uid,
        generation=row.generation,
        status=row.status or b"{}",
        provisioning_state="Succeeded",
        done=True,
        gone=row.desired == "gone",
    )
