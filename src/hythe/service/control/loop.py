"""Finds what is due, leases it, has it worked on, and tells who waits for it.

Nothing is polled in the fast path: callers wake a key, the engine's events wake it, and each row says when it is due
next.  Below that is a net for what was lost: each minute a glance at all groups at once finds those of which something
changed, and each ten minutes every group has its turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from ...engines.base import Engine, EngineError, Uid
from ...engines.offers import Glances, Watch
from ..store import SqlStore, StoreFailed
from .slots import Slots

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
RELIST_SECONDS = 60.0
_TURNS = 10
"""Rounds in which every group is looked at once, changed or not."""
_APART = 0.05
"""Seconds between two looks of a round, so that it disturbs nobody."""
_AFTER_FAILURE = 5.0
_HEARING_SECONDS = 1.0
"""So long after hints were asked for they surely come."""
_NETWORKS = "virtualNetworks"

Clock = Callable[[], datetime]


class Beside(Protocol):
    """Something that control does beside its passes, and that can make a group due."""

    def watch(self) -> AsyncIterator[Uid]:
        """Give the uid of every group that should be looked at."""

    async def stop(self) -> None:
        """End."""


class Loop:
    """Runs passes over resources that are due."""

    def __init__(
        self,
        store: SqlStore,
        engine: Engine,
        pass_over: Callable[[str], Awaitable[bool]],
        *,
        owner: str,
        clock: Clock,
        kinds: tuple[str, ...] = ("containerGroups",),
        others: tuple[str, ...] = (),
        beside: Sequence[Beside] = (),
        slots: Slots | None = None,
    ) -> None:
        """Take the kinds that the engine has something of, and others of which a look could show something new."""
        self._beside = beside
        self._store = store
        self._engine = engine
        self._pass_over = pass_over
        self._owner = owner
        self._clock = clock
        self._kinds = kinds
        self._others = others
        self._marks: dict[Uid, frozenset[tuple[str, int]]] = {}
        """By group: what the last glance saw of it."""
        self._slots = slots or Slots()
        self._working: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._later: set[str] = set()
        """Resources that could not be worked on, and are not to be just now."""
        self._stopped = False
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._timer_moved = asyncio.Event()
        self._stirred = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.observers: list[Callable[[str], Awaitable[None]]] = []
        """Told of every resource that was worked on, after it was."""

    # --- life ---

    def start(self) -> None:
        """Begin to work; everything that was due while nobody worked is taken up first."""
        sources: list[Watch | Beside] = [*self._beside]
        if isinstance(self._engine, Watch):
            sources.append(self._engine)
        works: list[Callable[[], Awaitable[None]]] = [self._timer, self._relist]
        works += [partial(self._watch, each) for each in sources]
        self._tasks = [asyncio.create_task(self._lasting(work)) for work in works]

    async def stop(self) -> None:
        """End; passes under way are given up, which is as harmless as dying."""
        self._stopped = True
        self._again.clear()
        tasks = [*self._tasks, *self._working.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *(each.stop() for each in self._beside), return_exceptions=True)

    # --- waking ---

    def wake(self, key: str) -> None:
        """Work on a resource now if it is due."""
        self._stirred.set()
        if key in self._working:
            self._again.add(key)
            row = self._store.get(key)
            if row is None or row.desired == "gone":
                self._slots.call_off(key)  # nobody waits for the end of a grace period or of a clone any more
        else:
            task = asyncio.create_task(self._work(key))
            self._working[key] = task
            task.add_done_callback(lambda _: self._ended(key))

    def _ended(self, key: str) -> None:
        del self._working[key]
        self._slots.ended(key)
        if key in self._again:
            self._again.discard(key)
            # What the pass wrote about the next look did not know of this wake.
            self._wake_due(key)

    @contextlib.contextmanager
    def _listening(self, key: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._waiters[key].add(event)
        try:
            yield event
        finally:
            self._waiters[key].discard(event)
            if not self._waiters[key]:
                del self._waiters[key]

    async def wait(self, key: str, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``done()``, looked at after every pass over the resource; False if the time ran out."""
        if done():
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                with self._listening(key) as event:
                    while not done():
                        await event.wait()
                        event.clear()
                return True
        return done()

    async def stir(self) -> None:
        """Wait until there is something to work on."""
        self._stirred.clear()
        await self._stirred.wait()

    async def rest(self, seconds: float) -> None:
        """Wait until nothing was worked on for some time."""
        while self._working or self._stirred.is_set():
            self._stirred.clear()
            await asyncio.sleep(seconds)

    # --- working ---

    async def _work(self, key: str) -> None:
        async with self._slots.taken():
            if not self._claimed(key):
                return
            row = self._store.get(key)
            heart = asyncio.create_task(self._hold(key))
            try:
                if not await self._pass_over(key):
                    self._again.add(key)
            except Exception:
                log.exception("cannot work on %s", key)
                self._try_later(key)
            finally:
                heart.cancel()
            for observer in self.observers:
                await observer(key)
            for event in self._waiters.get(key, ()):
                event.set()
            if row is not None and row.parent:
                self._wake_due(row.parent.lower())
            if row is not None and row.kind == _NETWORKS:
                self._wake_members(key)
            if row is not None and row.folder not in ("", key):
                self._wake_folder(row.folder)
            self._timer_moved.set()

    def _claimed(self, key: str) -> bool:
        now = self._clock().timestamp()
        try:
            return self._store.claim(now, self._owner, now + LEASE_SECONDS, key)
        except StoreFailed as error:
            log.error("cannot work on %s: %s", key, error)
            self._try_later(key)
            return False

    def _try_later(self, key: str) -> None:
        """Wake a resource soon, though nothing can be written about it now."""
        self._later.add(key)
        asyncio.get_running_loop().call_later(_AFTER_FAILURE, self._wake_due, key)

    def _wake_due(self, key: str) -> None:
        """Work on a resource whatever its row says about the next look."""
        self._later.discard(key)
        if self._stopped:
            return
        try:
            self._store.wake(key, self._clock().timestamp())
        except StoreFailed as error:
            log.error("cannot wake %s: %s", key, error)
            self._try_later(key)
        else:
            self.wake(key)

    def _wake_folder(self, key: str) -> None:
        """Let a resource group that is being deleted see whether it is empty now."""
        row = self._store.get(key)
        if row is not None and row.desired == "gone":
            self._wake_due(key)

    def _wake_members(self, network: str) -> None:
        """Have what is in a virtual network see, one after the other, whether it reaches more now."""
        try:
            members = self._store.keys_in(network)
        except StoreFailed as error:
            log.error("cannot wake what is in %s: %s", network, error)
            self._try_later(network)
            return
        for turn, key in enumerate(members):
            asyncio.get_running_loop().call_later(turn * _APART, self._wake_due, key)

    async def _hold(self, key: str) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            with contextlib.suppress(StoreFailed):
                self._store.renew(self._owner, key, self._clock().timestamp() + LEASE_SECONDS)

    async def _lasting(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something that never ends; what failed begins anew, with a look at what it may have missed."""
        for begun in itertools.count():
            try:
                if begun:
                    self.wake_all()
                await work()
            except StoreFailed as error:
                log.error("cannot find what is to be worked on: %s", error)
            except Exception:
                log.exception("cannot find what is to be worked on")
            await asyncio.sleep(_AFTER_FAILURE)

    async def _timer(self) -> None:
        """Wake what is due by time."""
        while True:
            self._timer_moved.clear()
            now = self._clock().timestamp()
            due = self._store.next_due(now)
            if due is not None and due <= now:
                for key in self._store.due(now):
                    if key not in self._later:
                        self.wake(key)
            wait = RELIST_SECONDS if due is None else min(RELIST_SECONDS, max(0.05, due - now))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._timer_moved.wait()

    async def _relist(self) -> None:
        """Look at groups now and then: an event may have been lost.

        First at all of them, soon: what ended between the look at the start and the first hint, nobody told.
        """
        for turn in itertools.count():
            await asyncio.sleep(RELIST_SECONDS if turn else _HEARING_SECONDS)
            for key in [*await self._suspects(turn % _TURNS)]:
                self._wake_due(key)
                await asyncio.sleep(_APART)

    async def _suspects(self, turn: int) -> set[str]:
        """Give what should be looked at in a round: what changed since the last one, and what has its turn."""
        every = self._store.keys(*self._kinds)
        if not isinstance(self._engine, Glances):
            return {*every, *self._store.keys(*self._others)}
        before = self._marks
        try:
            self._marks = await self._engine.glance()
        except EngineError as error:
            log.warning("cannot look at the groups: %s", error)  # once it can, the end of its events wakes them all
            return set()
        changed = {self._store.key_of(uid) for uid in before.keys() | self._marks.keys()
                   if before.get(uid) != self._marks.get(uid)}  # fmt: skip
        due = {key for key in every if zlib.crc32(key.encode()) % _TURNS == turn}
        return {key for key in changed if key is not None} | due | {*self._store.keys(*self._others)}

    def wake_all(self) -> None:
        """Look at every group."""
        for key in self._store.keys(*self._kinds, *self._others):
            self._wake_due(key)

    async def _watch(self, source: Watch | Beside) -> None:
        """Turn hints into wakes."""
        look: asyncio.TimerHandle | None = None
        while True:
            try:
                async for uid in source.watch():
                    key = self._store.key_of(uid)
                    if key is not None:
                        self._wake_due(key)
            except EngineError as error:
                log.warning("the engine's events ended: %s", error)
            finally:
                if look is not None:
                    look.cancel()
            await asyncio.sleep(1)
            self.wake_all()
            # Once more when hints come again: what ends between that look and them, nobody tells.
            look = asyncio.get_running_loop().call_later(_HEARING_SECONDS, self._look_once_more)

    def _look_once_more(self) -> None:
        with contextlib.suppress(StoreFailed):  # the glance of the next minute will do
            self.wake_all()
