"""Decides what comes next for one group, from what it should be and what is there.  Pure.

The rules are the kubelet's where Azure does not say: the first restart comes at once, the next ones after 10 s,
20 s ... 5 min, and a container that ran for 10 minutes starts again from the beginning of that row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from ..base import (
    Action,
    ContainerSeen,
    Finished,
    Happened,
    Observed,
    Plan,
    PullImage,
    Record,
    RemoveContainer,
    RemoveSandbox,
    RemoveVolumes,
    RunContainer,
    RunSandbox,
    StartContainer,
    StopContainer,
    Want,
)
from .spec import AnyContainer, digest, effective_policy, ended, grace_of
from .volumes import config_steps, volume_steps


class Backoff(Struct, frozen=True, kw_only=True):
    """How long the restarts of a container wait, in seconds."""

    first: float = 10.0
    most: float = 300.0
    reset_after: float = 600.0

    def after(self, record: Record, ran: float) -> float:
        """Give the wait that follows an end after ``ran`` seconds."""
        if record.attempt == 0 or ran >= self.reset_after:
            return 0.0
        return min(self.most, max(self.first, record.backoff * 2))


DEFAULT_BACKOFF = Backoff()
GRACE = 30
"""Seconds that a container has between being asked to end and being killed."""
LONGEST_WAIT = 300.0
"""Most seconds after which a step that failed is tried again."""


def plan(want: Want, seen: Observed, now: datetime, backoff: Backoff = DEFAULT_BACKOFF, *, grace: int = GRACE) -> Plan:
    """Decide what comes next."""
    look = _Look(want, seen, now, backoff, grace)
    look.update_records()
    if want.desired == "stop":
        return look.stop()
    return look.run()


class _Look:
    """One look at one group: the arguments of `plan` and what follows from them on the way."""

    def __init__(self, want: Want, seen: Observed, now: datetime, backoff: Backoff, grace: int) -> None:
        self.want = want
        self.seen = seen
        self.now = now
        self.backoff = backoff
        self.grace = grace_of(want.group, grace)
        self.init: Sequence[AnyContainer] = want.group.init_containers or ()
        self.main: Sequence[AnyContainer] = want.group.containers or ()
        self.newest: dict[str, ContainerSeen] = {}
        for container in seen.containers:
            held = self.newest.get(container.name)
            if held is None or (container.epoch, container.attempt) > (held.epoch, held.attempt):
                self.newest[container.name] = container
        self.specs = {one.name: digest(one, want.group.volumes) for one in (*self.init, *self.main)}
        self.records: dict[str, Record] = {}
        self.happened: list[Happened] = []

    def _plan(self, actions: Sequence[Action] = (), wake_at: datetime | None = None) -> Plan:
        return Plan(actions=tuple(actions), wake_at=wake_at, records=self.records, happened=tuple(self.happened))

    # --- records: what is remembered ---

    def update_records(self) -> None:
        """Bring the records up to what is seen."""
        for container in (*self.init, *self.main):
            record = self.want.records.get(container.name)
            if record is None or record.epoch != self.want.epoch:
                before = record.last if record else None
                record = Record(epoch=self.want.epoch, previous=before)
            self.records[container.name] = self._updated(container.name, record)

    def _updated(self, name: str, record: Record) -> Record:
        seen = self.newest.get(name)
        if seen is None and record.running and self.want.desired == "run" and self._policy(name) == "Never":
            # It ran, and nothing is left of it to tell how it ended: never run again means never.
            end = Finished(
                exit_code=137,
                reason="ContainerStatusUnknown",
                message="The container is gone, and how it ended is not known.",
                started_at=record.started_at,
                finished_at=self.now,
            )
            return replace(record, running=False, last=end)
        if seen is None or seen.epoch != self.want.epoch or seen.state == "created" or _unheard(seen, record):
            return replace(record, running=False) if record.running else record
        if seen.attempt != record.attempt or not record.ran_as:
            record = replace(
                record,
                attempt=seen.attempt,
                ran_as=seen.spec,
                previous=record.last or record.previous,
                last=None,
                unhealthy=False,
            )
        record = replace(record, ran_as=seen.spec, started_at=seen.started_at or record.started_at)
        if seen.state == "running":
            return replace(
                record,
                running=True,
                last=None,
                stopped=False,
                unhealthy=record.unhealthy and not seen.live,
                waiting="",
                failures=0,
                retry_at=None,
            )
        if seen.finished is None or record.last == seen.finished:
            return replace(record, running=False)
        if record.last is not None and record.last.finished_at == seen.finished.finished_at is not None:
            return replace(record, running=False, last=seen.finished)  # more is known of why it ended
        ended, begun = seen.finished.finished_at or self.now, seen.started_at or self.now
        wait = self.backoff.after(record, max(0.0, (ended - begun).total_seconds()))
        record = replace(
            record,
            running=False,
            last=seen.finished,
            backoff=wait,
            stopped=self.want.desired == "stop",
            waiting="",
        )
        if wait and self.want.desired == "run" and not self._done(seen.name, record):
            self.happened.append(
                Happened(
                    container=seen.name,
                    name="BackOff",
                    message=f"Back-off {wait:.0f}s restarting failed container",
                    type="Warning",
                )
            )
        return record

    def _done(self, name: str, record: Record) -> bool:
        """Tell whether a container has ended for good in this epoch."""
        return ended(self._policy(name), record)

    def _policy(self, name: str) -> str:
        return effective_policy(self.want.group, init=any(one.name == name for one in self.init))

    # --- the two things a group can be asked to be ---

    def stop(self) -> Plan:
        """No container runs, what the volumes held is gone; the sandbox stays, and with it the address."""
        for name, record in self.records.items():
            if not record.running and not record.stopped and not self._done(name, record):
                self.records[name] = replace(record, stopped=True, waiting="", retry_at=None)
        running: list[Action] = [
            StopContainer(name=one.name, id=one.id, grace=self.grace)
            for one in self.seen.containers
            if one.state in ("running", "unknown")
        ]
        return self._plan(running or ([RemoveVolumes(names=(*self.seen.volumes,))] if self.seen.volumes else []))

    def run(self) -> Plan:
        """Every container runs, or has ended in a way that its restart policy accepts."""
        actions: list[Action] = [RemoveSandbox(id=each) for each in self.seen.stale]
        if self._over():
            return self._plan(actions)
        sandbox = self.seen.sandbox
        containers = self.seen.containers
        if sandbox is None or not sandbox.ready:
            if sandbox is not None:
                actions.append(RemoveSandbox(id=sandbox.id))
                if any(record.running and self._policy(name) == "Never" for name, record in self.records.items()):
                    return self._plan(actions)  # they end with it, and do not run again: the next look says so
            actions.append(RunSandbox(attempt=sandbox.attempt + 1 if sandbox else 0))
            containers = ()
            self.newest = {}
        actions += self._outdated(containers)
        self._begin_anew()
        waits: list[datetime] = []
        actions += volume_steps(self.want, self.seen, self.records, self.now, waits)
        if waits:  # a volume can't be had: no container that is to start may do without it
            return self._plan(actions, min(waits))
        actions += config_steps(self.want, self.seen)
        for container in self.init:
            if self._init_done(container):
                continue
            actions += self._advance(container, waits)
            return self._plan(actions, min(waits) if waits and not actions else None)
        for container in self.main:
            actions += self._advance(container, waits)
        return self._plan(actions, min(waits) if waits else None)

    def _over(self) -> bool:
        """Tell whether the group's work is done: every container ended for good, as it is defined now."""
        return all(
            self._done(one.name, self.records[one.name]) and self.records[one.name].ran_as == self.specs[one.name]
            for one in self.main
        ) or any(
            # a failed init container under policy Never: the rest will not run
            self._done(one.name, record) and record.last is not None and record.last.exit_code != 0
            for one in self.init
            if (record := self.records[one.name])
        )

    def _begin_anew(self) -> None:
        """Have init containers run again whose work was done in another sandbox: it may have gone with that."""
        if any(one.name in self.newest for one in self.main):
            return
        for one in self.init:
            record = self.records[one.name]
            if one.name not in self.newest and record.last is not None and record.last.exit_code == 0:
                self.records[one.name] = replace(record, ran_as="", last=None, previous=record.last)

    def _init_done(self, container: AnyContainer) -> bool:
        record = self.records[container.name]
        return record.last is not None and record.last.exit_code == 0 and not record.stopped

    def _outdated(self, containers: Sequence[ContainerSeen]) -> list[Action]:
        """End, all at once, and remove what is of an older epoch, of another definition, or not wanted any more."""
        ends: list[Action] = []
        removals: list[Action] = []
        for one in containers:
            if one.epoch == self.want.epoch and self.specs.get(one.name) == one.spec:
                continue
            if self.newest.get(one.name) is one:
                del self.newest[one.name]
                record = self.records.get(one.name)
                if record is not None and one.epoch == self.want.epoch:  # a changed definition: begin again
                    self.records[one.name] = Record(
                        epoch=self.want.epoch, attempt=one.attempt + 1, previous=record.last
                    )
            if one.state in ("running", "unknown"):
                ends.append(StopContainer(name=one.name, id=one.id, grace=self.grace))
            removals.append(RemoveContainer(name=one.name, id=one.id))
        return ends + removals

    def _advance(self, container: AnyContainer, waits: list[datetime]) -> Iterator[Action]:
        """Bring one container a step further."""
        seen = self.newest.get(container.name)
        record = self.records[container.name]
        spec = self.specs[container.name]
        if seen is not None and seen.state == "unknown":  # nobody can tell any more whether it runs
            yield StopContainer(name=seen.name, id=seen.id, grace=self.grace)
            return
        if seen is not None and seen.state == "running":
            if not seen.live:
                self.records[container.name] = replace(record, unhealthy=True)
                yield StopContainer(name=seen.name, id=seen.id, grace=self.grace)
            return
        # A time further off than the longest wait was written before the clock was set back: it says nothing.
        longest = timedelta(seconds=LONGEST_WAIT)
        if record.retry_at is not None and self.now < record.retry_at <= self.now + longest:
            waits.append(record.retry_at)
            return
        if seen is not None and seen.state == "created":
            yield StartContainer(name=seen.name, id=seen.id)
            return
        if self._done(container.name, record) and record.ran_as == spec:
            return
        attempt = record.attempt
        if seen is not None and _unheard(seen, record):
            attempt = seen.attempt
            yield RemoveContainer(name=seen.name, id=seen.id)
        elif seen is not None:
            due = (record.last.finished_at if record.last else None) or self.now
            due += timedelta(seconds=record.backoff)
            if self.now < due <= self.now + timedelta(seconds=record.backoff):  # else it ended before the clock was set
                waits.append(due)
                return
            attempt = seen.attempt + 1
            yield RemoveContainer(name=seen.name, id=seen.id)
        yield PullImage(container=container.name, image=container.image or "")
        yield RunContainer(name=container.name, attempt=attempt, spec=spec)


def _unheard(seen: ContainerSeen, record: Record) -> bool:
    """Tell whether a container was never started, and that is not known to be its own fault: it begins once more."""
    return seen.cut_short and record.last != seen.finished
