"""Samples what running groups use, each second; nothing is done while none runs.

Which groups run is known from the passes over them: whoever worked on a group tells, and the look at it follows here,
where nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from msgspec import Struct, field

from ...engines.base import EngineError, Uid
from ...engines.offers import Meter, Reading, Stats
from ..store import Row, SqlStore, Status
from ..store.history import History
from .series import HOUR, MINUTE, RECEIVED, SENT, Hour, Seconds, cpu, memory, summed_up

log = logging.getLogger(__name__)

KEPT_HOURS = 30 * 24
_TYPE = "/providers/microsoft.containerinstance/containergroups/"
_METERS_AT_ONCE = 16
"""Most groups that are looked at in one second: each costs some calls of the engine."""
_TURN = 8
"""Groups read before others have their turn: some tenths of a millisecond."""

Clock = Callable[[], datetime]
Running = tuple[tuple[str, object, object], ...]
"""The containers of a group that run, and which run of theirs it is."""


class Measured(Struct, kw_only=True):
    """What is known in memory of one group."""

    uid: Uid
    id: str
    """As its creator wrote it."""
    running: Running = ()
    meter: Meter | None = None
    reading: Reading | None = None
    """The newest; None while nothing runs."""
    now: dict[str, float] = {}
    """The newest value of each series; empty while nothing runs."""
    seconds: defaultdict[str, Seconds] = field(default_factory=lambda: defaultdict(Seconds))
    hour: int = -1
    minutes: Hour = field(default_factory=Hour)
    """The minutes of that hour."""


class Sampler:
    """Keeps the newest hour of every group, and hands the minutes on to the history."""

    def __init__(
        self,
        store: SqlStore,
        engine: object,
        history: History,
        *,
        clock: Clock,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._engine = engine if isinstance(engine, Stats) else None
        self.history = history
        self._clock = clock
        self._sleep = sleep
        self.groups: dict[str, Measured] = {}
        """By key."""
        self._changed: set[str] = set()
        self._stirred = asyncio.Event()
        self.minute = self._pruned = -1
        """The one whose seconds are not summed up yet: that of the newest, however long ago it was."""
        self._task: asyncio.Task[None] | None = None

    # --- life ---

    def start(self) -> None:
        """Begin."""
        if self._engine is not None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, keep the minute that has begun, and close the history."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self.minute >= 0:
            await self._keep(self.minute)
        for group in self.groups.values():
            _let_go(group)
        self.history.close()

    async def look(self, key: str) -> None:
        """Take notice that a resource was worked on.  It takes no time: callers wait behind it."""
        if _TYPE in key:
            self._changed.add(key)
            self._stirred.set()

    async def _run(self) -> None:
        while True:
            if not self._changed and not any(group.meter for group in self.groups.values()):
                self._stirred.clear()
                await self._stirred.wait()
            now = self._clock().timestamp()
            # After one that was late the next is left out: over a short time a rate says little.
            await self._sleep(math.floor(now + 0.5) + 1.0 - now)
            try:
                await self.tick()
            except Exception:
                log.exception("cannot sample what groups use")

    # --- one second ---

    async def tick(self) -> None:
        """Do what is due in this second."""
        second = int(self._clock().timestamp())
        minute = second // MINUTE
        if self.minute not in (-1, minute):
            await self._keep(self.minute)
        self.minute = minute
        for key in [*self._changed][:_METERS_AT_ONCE]:
            self._changed.discard(key)
            await self._follow(key)
        turn = 0
        for group in [*self.groups.values()]:
            if group.meter is None:
                continue
            self._sample(group, group.meter, second)
            turn += 1
            if turn % _TURN == 0:
                await asyncio.sleep(0)

    def _sample(self, group: Measured, meter: Meter, second: int) -> None:
        reading = meter.read()
        values = _values(group.reading, reading)
        group.reading, group.now = reading, values
        for name, value in values.items():
            group.seconds[name].put(second, value)

    async def _follow(self, key: str) -> None:
        """Begin or end to measure a group, by what control last saw of it."""
        row = self._store.get(key)
        group = self.groups.get(key)
        if group is not None and (row is None or row.uid != group.uid):
            _let_go(group)
            del self.groups[key]
            await asyncio.to_thread(self.history.forget, group.uid)
            group = None
        if row is None:
            return
        if group is None:
            group = self.groups[key] = Measured(uid=Uid(row.uid), id=row.id)
        running = _running(row)
        if running == group.running and (group.meter is not None or not running):
            return
        _let_go(group)
        group.running = running
        if not running:
            group.reading, group.now = None, {}
            return
        try:
            group.meter = await self._engine.meter(group.uid) if self._engine is not None else None
        except EngineError as error:
            log.info("cannot measure %s: %s", key, error)
            self._changed.add(key)
            return
        if group.meter is not None and not {name for name, *_ in running} <= {*group.meter.read().containers}:
            _let_go(group)  # something has just ended or is just beginning: another look follows
            self._changed.add(key)

    # --- one minute ---

    async def _keep(self, minute: int) -> None:
        """Sum up a minute that is over, and hand the hours on."""
        kept: list[tuple[str, int, Hour]] = []
        for turn, group in enumerate([*self.groups.values()]):
            if await self._sum_up(group, minute):
                kept.append((group.uid, group.hour, group.minutes))
            if turn % _TURN == 0:
                await asyncio.sleep(0)
        hour = minute // MINUTE

        def write() -> None:
            if kept:
                self.history.put([(uid, number, minutes.packed()) for uid, number, minutes in kept])
            if hour != self._pruned:
                self.history.prune(hour - KEPT_HOURS)
                self._pruned = hour

        await asyncio.to_thread(write)

    async def _sum_up(self, group: Measured, minute: int) -> bool:
        start = minute * MINUTE
        newest = max((each.newest for each in group.seconds.values()), default=0)
        if newest < start:
            if newest < start - HOUR:
                group.seconds.clear()
            return False
        hour = minute // MINUTE
        if group.hour != hour:
            known = await asyncio.to_thread(self.history.get, group.uid, hour, hour)
            group.hour, group.minutes = hour, Hour.unpacked(known[0][1]) if known else Hour()
        there = False
        for name, seconds in group.seconds.items():
            point = summed_up(value for _, value in seconds.between(start, start + MINUTE))
            if point is not None:
                group.minutes.put(name, minute % MINUTE, point)
                there = True
        return there


def _let_go(group: Measured) -> None:
    if group.meter is not None:
        group.meter.close()
        group.meter = None


def _running(row: Row) -> Running:
    if not row.status:
        return ()
    containers = msgspec.json.decode(row.status, type=Status).view.containers
    return tuple(
        (name, view.current_state.start_time, view.restart_count)
        for name, view in containers.items()
        if view.current_state is not None and view.current_state.state == "Running"
    )


def _values(before: Reading | None, reading: Reading) -> dict[str, float]:
    """Turn two readings into values; what began between them has no rate yet."""
    seconds = reading.at - before.at if before else 0.0
    values: dict[str, float] = {}
    for name, used in reading.containers.items():
        values[memory(name)] = float(used.memory)
        earlier = before.containers.get(name) if before else None
        if earlier is not None and earlier.id == used.id and seconds > 0 and used.cpu >= earlier.cpu:
            values[cpu(name)] = (used.cpu - earlier.cpu) / seconds / 1e6
    for name, now, then in (
        (RECEIVED, reading.received, before.received if before else None),
        (SENT, reading.sent, before.sent if before else None),
    ):
        if now is not None and then is not None and now >= then and seconds > 0:
            values[name] = (now - then) / seconds
    return values
