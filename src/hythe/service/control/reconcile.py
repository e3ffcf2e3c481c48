"""One pass over one resource, by its kind; then what it found is settled in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from ..store import Outcome, Row, SqlStore
from .folders import record_pass
from .groups import Clock

Pass = Callable[[Row], Awaitable[Outcome]]
"""Does what is due for one resource, and says what it found.  Gets the row with its secrets, still encrypted."""


class Reconciler:
    """Works on one resource at a time; holds no state of its own."""

    def __init__(self, store: SqlStore, passes: Mapping[str, Pass], *, clock: Clock) -> None:
        """Take a pass for each kind that has something to be carried out; the others are records."""
        self._store = store
        self._passes = passes
        self._clock = clock

    async def pass_over(self, key: str) -> bool:
        """Do what is due for a resource.  False if it changed meanwhile and is due again."""
        row = self._store.opened(key)
        if row is None:
            return True
        outcome = await self._passes.get(row.kind, record_pass)(row)
        return self._store.settle(outcome, self._clock().timestamp())
