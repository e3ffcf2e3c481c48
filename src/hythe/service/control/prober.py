"""Keeps the time of probes: asks the engine when one is due, and wakes the group when that changes something.

Results are in memory alone.  A service that starts again probes anew: every container counts as live, and as ready if
it was shown as ready before.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from ...engines.base import ContainerSeen, Engine, EngineError, Happened, Observed, Uid, Want
from ...engines.offers import Checked, Probing
from ...engines.pod.probe import LIVENESS, READINESS, Check, Pulse, after, begin, checks, complaint
from ...engines.pod.spec import find
from ..store import View

log = logging.getLogger(__name__)

_SLACK = 5.0
"""Seconds beyond a probe's own time-out after which the engine is not waited for."""

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[object]]


class _Probed:
    """One running container and its probes."""

    def __init__(self, pulses: dict[str, Pulse]) -> None:
        self.pulses = pulses
        self.tasks: list[asyncio.Task[None]] = []

    def good(self, kind: str) -> bool:
        return kind not in self.pulses or self.pulses[kind].good

    def end(self) -> None:
        for task in self.tasks:
            task.cancel()


class Prober:
    """Probes every running container that has probes, each at its own times."""

    def __init__(self, engine: Engine, *, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._engine = engine if isinstance(engine, Probing) else None
        self._clock = clock
        self._sleep = sleep
        self._groups: dict[Uid, dict[str, _Probed]] = {}
        """By group and by container id.  A group that is to run and was looked at is there, whatever runs of it."""
        self._happened: dict[Uid, list[Happened]] = defaultdict(list)
        self._hints: asyncio.Queue[Uid] = asyncio.Queue()

    async def watch(self) -> AsyncIterator[Uid]:
        """Give the group of every probe that failed, or that changed what is thought of a container."""
        while True:
            yield await self._hints.get()

    async def stop(self) -> None:
        """End every probe."""
        every = [one for group in self._groups.values() for one in group.values()]
        for one in every:
            one.end()
        await asyncio.gather(*(task for one in every for task in one.tasks), return_exceptions=True)
        self._groups.clear()

    def take(self, uid: Uid) -> list[Happened]:
        """Give what happened since the last look, once."""
        return self._happened.pop(uid, [])

    def look(self, want: Want, seen: Observed, view: View) -> Observed:
        """Begin to probe what runs now, stop what does not, and give what is seen with what the probes say."""
        if self._engine is None:
            return seen
        known = self._groups.get(want.uid)
        group = known if known is not None else {}
        running = {one.id: one for one in seen.containers if one.state == "running" and want.desired == "run"}
        for identity in group.keys() - running.keys():
            group.pop(identity).end()
        for identity, one in running.items():
            container = find(want.group, one.name)
            due = checks(container) if container is not None and identity not in group else []
            if due:
                was_ready = known is None and view.ready.get(one.name, False)
                group[identity] = self._begin(want.uid, one, seen.sandbox.ip if seen.sandbox else None, due, was_ready)
        if want.desired == "run":
            self._groups[want.uid] = group  # an empty one too: what is started next is not what was ready before
        else:
            self._groups.pop(want.uid, None)
        if not running:
            self._happened.pop(want.uid, None)
        return replace(seen, containers=tuple(self._judged(one, group.get(one.id)) for one in seen.containers))

    @staticmethod
    def _judged(one: ContainerSeen, probed: _Probed | None) -> ContainerSeen:
        return one if probed is None else replace(one, live=probed.good(LIVENESS), ready=probed.good(READINESS))

    def _begin(self, uid: Uid, one: ContainerSeen, address: str | None, due: list[Check], was_ready: bool) -> _Probed:
        pulses = {check.kind: begin(check) for check in due}
        if was_ready and READINESS in pulses:
            pulses[READINESS] = replace(pulses[READINESS], good=True)
        probed = _Probed(pulses)
        probed.tasks = [asyncio.create_task(self._keep(uid, one, address, check, probed)) for check in due]
        return probed

    async def _keep(self, uid: Uid, one: ContainerSeen, address: str | None, check: Check, probed: _Probed) -> None:
        """Run one probe again and again, until it is cancelled or the container is to be ended for it."""
        now = self._clock()
        first = (one.started_at or now) + timedelta(seconds=check.delay) - now
        await self._sleep(min(float(check.delay), max(0.0, first.total_seconds())))  # the clock may have been set back
        while True:
            found = await self._ask(one, address, check)
            if found.ok is not None:
                before = probed.pulses[check.kind]
                pulse = probed.pulses[check.kind] = after(check, before, found.ok)
                if not found.ok:
                    self._happened[uid].append(
                        Happened(
                            container=one.name,
                            name="Unhealthy",
                            message=complaint(check, found.output),
                            type="Warning",
                        )
                    )
                if not found.ok or pulse.good != before.good:
                    self._hints.put_nowait(uid)
                if check.kind == LIVENESS and not pulse.good:
                    return
            await self._sleep(check.period)

    async def _ask(self, one: ContainerSeen, address: str | None, check: Check) -> Checked:
        assert self._engine is not None  # noqa: S101 - no probe is begun without it
        try:
            async with asyncio.timeout(check.timeout + _SLACK):
                return await self._engine.probe(one.id, address, check.ask, check.timeout)
        except (EngineError, TimeoutError) as error:
            log.info("cannot probe %s: %s", one.name, error)
        except Exception:
            log.exception("cannot probe %s", one.name)
        return Checked(ok=None)
