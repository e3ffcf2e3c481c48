"""Keeps some sandboxes ready, so that a new group only has to start its containers.

A sandbox made ahead carries the uid of a group that does not exist yet.  The API gives a new group the uid of a ready
one, and takes it out of the pool in the same transaction that writes the group: nothing has to be renamed or mapped,
and a death at any point leaves the sandbox either in the pool or with its group.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid

from ...engines.base import Engine, EngineError, Uid
from ...engines.offers import WarmPool
from ..store import SqlStore, StoreFailed
from .loop import Loop

log = logging.getLogger(__name__)

_PAUSE = 0.1
"""Seconds for which nothing else must have been done before a sandbox is made: others come first."""
_AFTER_FAILURE = 30.0


class Pool:
    """Refills the pool while there is nothing else to do."""

    def __init__(self, store: SqlStore, engine: Engine, loop: Loop, size: int) -> None:
        self._store = store
        self._engine = engine
        self._loop = loop
        self._size = size if isinstance(engine, WarmPool) else 0
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Drop what an earlier run left that can't be taken; to be called before the sweep, which removes it."""
        for uid in self._store.warm():
            sandbox = None if self._size == 0 else (await self._engine.observe(Uid(uid))).sandbox
            if sandbox is not None and sandbox.ready:
                self._store.warmed(uid)
            else:
                self._store.drop_warm(uid)
        for uid in self._store.warm()[self._size :]:
            self._store.drop_warm(uid)

    def start(self) -> None:
        """Begin to refill."""
        if self._size:
            self._task = asyncio.create_task(self._refill())

    async def stop(self) -> None:
        """End; the sandboxes stay for the next run."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _refill(self) -> None:
        while True:
            await self._loop.rest(_PAUSE)
            if len(self._store.warm()) >= self._size:
                await self._loop.stir()
                continue
            try:
                await self.add()
            except (EngineError, OSError, StoreFailed) as error:  # the disk may be full for a while
                log.warning("cannot make a sandbox ahead: %s", error)
                await asyncio.sleep(_AFTER_FAILURE)

    async def add(self) -> None:
        """Make one sandbox.  Raises what the engine raises."""
        assert isinstance(self._engine, WarmPool)  # noqa: S101 - else the size is 0
        uid = uuid.uuid4().hex
        self._store.add_warm(uid)
        try:
            await self._engine.warm(Uid(uid))
        except (EngineError, OSError):
            self._store.drop_warm(uid)
            with contextlib.suppress(EngineError):
                await self._engine.forget(Uid(uid))
            raise
        self._store.warmed(uid)
