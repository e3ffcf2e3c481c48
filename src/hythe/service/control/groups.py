"""One pass over a container group: observe, plan, act, and again until nothing is left to do.

Level-triggered: a pass asks what is and what should be, never what happened.  Whatever an earlier pass did before it
died is "already so".
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
from msgspec.structs import replace

from ...engines.base import (
    Action,
    Busy,
    Engine,
    EngineError,
    Happened,
    Joined,
    Lost,
    Observed,
    Plan,
    PrepareVolume,
    PullImage,
    Record,
    Refused,
    RemoveSandbox,
    RunContainer,
    StopContainer,
    Transient,
    Uid,
    Unsupported,
    Want,
)
from ...engines.offers import Rejoins
from ...engines.pod import LONGEST_WAIT, digest, effective_policy
from ...models import ContainerGroup, from_json
from ..store import Outcome, Row, View
from . import expiry, status
from .prober import Prober
from .slots import CalledOff, Slots

log = logging.getLogger(__name__)

_ROUNDS = 50
"""Most rounds of observe and act in one pass: a plan that never ends is a fault of the planner."""
_RETRY_FIRST = 10.0
_ENGINE_AWAY = 2.0

Clock = Callable[[], datetime]


class Opener(Protocol):
    """Decrypts the secrets of a row."""

    def open(self, sealed: bytes, owner: str) -> bytes:
        """Give the plain text."""


class TokenEndpoint(Protocol):
    """Answers the containers of a group that ask for tokens of their managed identity."""

    async def open(self, want: Want) -> None:
        """Answer from now on, if the group has an identity.  May be called again at any time."""

    async def close(self, uid: Uid) -> None:
        """Answer no more."""


class GroupPass:
    """Works on container groups; what must outlive a pass is in the row."""

    def __init__(
        self,
        engine: Engine,
        vault: Opener,
        *,
        clock: Clock,
        provisioning_seconds: float,
        prober: Prober,
        tokens: TokenEndpoint,
        expire: Callable[[Row], None],
        joined: Callable[[Row], Joined | None],
        slots: Slots,
    ) -> None:
        """Take two ports of the API: to declare that a group whose time is over is to go, and to find its network."""
        self._slots = slots
        self._engine = engine
        self._rejoins = engine if isinstance(engine, Rejoins) else None
        self._vault = vault
        self._clock = clock
        self._provisioning = timedelta(seconds=provisioning_seconds)
        self._prober = prober
        self._tokens = tokens
        self._expire = expire
        self._joined = joined

    def want(self, row: Row, memory: status.Memory) -> Want:
        """Open a row: the definition with its secrets, and what is remembered."""
        spec = self._vault.open(row.secrets, row.uid) if row.secrets else row.spec
        return Want(
            uid=Uid(row.uid),
            name=row.name,
            subscription=row.subscription,
            group=from_json(ContainerGroup, spec),
            desired=row.desired,
            epoch=row.epoch,
            records=memory.records,
            joined=self._joined(row) if row.subnet else None,
        )

    async def __call__(self, row: Row) -> Outcome:
        """Do what is due for a group."""
        memory = msgspec.json.decode(row.status, type=status.Memory) if row.status else status.Memory()
        want = self.want(row, memory)
        if row.desired == "gone":
            return await self._end(row, want, memory)
        retry: datetime | None = None
        trouble = ""
        seen: Observed | None = None
        plan = Plan()
        try:
            for _ in range(_ROUNDS):
                seen = self._prober.look(want, await self._engine.observe(want.uid), memory.view)
                status.add_events(memory.view, self._prober.take(want.uid), self._clock())
                plan = self._engine.plan(want, seen, self._clock())
                want.records = plan.records
                status.add_events(memory.view, plan.happened, self._clock())
                if not plan.actions:
                    break
                await self._act(row.key, want, seen, plan.actions, memory.view)
            else:
                raise Transient(f"the plan for {row.name} does not end", retry_after=60)
            if any(one.state == "running" for one in seen.containers):
                await self._tokens.open(want)  # a service that has just started does not answer yet
                if self._rejoins is not None:
                    await self._rejoins.rejoin(want, seen)  # its virtual network may have grown
        except Busy as error:
            status.add_events(memory.view, error.happened, self._clock())
            retry, trouble = self._clock() + timedelta(seconds=error.retry_after), str(error)
            if not isinstance(error, CalledOff):
                seen, plan = await self._looked_again(want, memory, seen, plan)
        except Transient as error:
            log.warning("%s: %s", row.key, error)
            retry, trouble = self._clock() + timedelta(seconds=error.retry_after), str(error)
        except Lost as error:
            log.error("%s: %s", row.key, error)
            return self._away(row)
        return self._outcome(row, want, seen, plan, memory, retry, trouble)

    async def _end(self, row: Row, want: Want, memory: status.Memory) -> Outcome:
        """End a group that is to be gone: there is nothing to plan, whatever of it is there goes."""
        retry: datetime | None = None
        try:
            self._prober.look(want, Observed(), memory.view)
            await self._tokens.close(want.uid)
            await self._engine.forget(want.uid)
        except Transient as error:
            log.warning("%s: %s", row.key, error)
            retry = self._clock() + timedelta(seconds=error.retry_after)
        except Lost as error:
            log.error("%s: %s", row.key, error)
            return self._away(row)
        return self._outcome(row, want, None, Plan(), memory, retry, "")

    async def _looked_again(
        self, want: Want, memory: status.Memory, seen: Observed | None, plan: Plan
    ) -> tuple[Observed | None, Plan]:
        """See what came of the steps that went before one that goes on by itself."""
        with contextlib.suppress(EngineError):
            seen = self._prober.look(want, await self._engine.observe(want.uid), memory.view)
            plan = self._engine.plan(want, seen, self._clock())
            want.records = plan.records
            status.add_events(memory.view, plan.happened, self._clock())
        return seen, plan

    async def _act(self, key: str, want: Want, seen: Observed, actions: tuple[Action, ...], view: View) -> None:
        """Do the steps in order; one that is refused ends the round, and is tried again after a while."""
        for ends, some in itertools.groupby(actions, lambda action: isinstance(action, StopContainer)):
            if ends:
                # Each may take its whole grace period, so they take it together.
                stopping = (self._engine.act(want, seen, one) for one in some)
                stopped = await self._slots.aside(key, asyncio.gather(*stopping, return_exceptions=True))
                for result in stopped:
                    if isinstance(result, BaseException):
                        raise result
                    status.add_events(view, result, self._clock())
                continue
            for action in some:
                try:
                    await self._prepare(want, action)
                    act = self._engine.act(want, seen, action)
                    happened = await (self._slots.aside(key, act) if self._is_clone(want, action) else act)
                except (Refused, Unsupported) as error:
                    self._refused(want, action, error, view)
                    return
                status.add_events(view, happened, self._clock())

    async def _prepare(self, want: Want, action: Action) -> None:
        """Have tokens given out before the first container can ask, and none to init containers (as on Azure)."""
        if isinstance(action, RunContainer):
            if any(one.name == action.name for one in want.group.containers or ()):
                await self._tokens.open(want)
            else:
                await self._tokens.close(want.uid)
        elif isinstance(action, RemoveSandbox):
            await self._tokens.close(want.uid)

    @staticmethod
    def _is_clone(want: Want, action: Action) -> bool:
        """Tell whether a step has a repository cloned, which may take minutes."""
        return isinstance(action, PrepareVolume) and any(
            each.name == action.volume and each.git_repo is not None for each in want.group.volumes or ()
        )

    def _refused(self, want: Want, action: Action, error: Exception, view: View) -> None:
        """Write down a refused step with each container that waits for it, and when it is tried again."""
        reason = error.reason if isinstance(error, Refused) else "Unsupported"
        if isinstance(action, PrepareVolume):
            names = action.containers
        else:
            names = (action.container if isinstance(action, PullImage) else getattr(action, "name", ""),)
        records = [want.records.get(name, Record(epoch=want.epoch)) for name in names]
        wait = min(LONGEST_WAIT, _RETRY_FIRST * 2 ** max(record.failures for record in records))
        retry_at = self._clock() + timedelta(seconds=wait)
        word = reason if reason == "FailedMount" else "Failed"
        for name, record in zip(names, records, strict=True):
            happened = [Happened(container=name, name=word, message=str(error), type="Warning")]
            if isinstance(action, PullImage):
                message = f'Back-off pulling image "{action.image}"'
                happened.append(Happened(container=name, name="BackOff", message=message))
            want.records[name] = replace(
                record, waiting=f"{reason}: {error}", failures=record.failures + 1, retry_at=retry_at
            )
            status.add_events(view, happened, self._clock())
        if not isinstance(action, PullImage | RunContainer | PrepareVolume):
            raise Transient(str(error), retry_after=wait)

    def _away(self, row: Row) -> Outcome:
        """Leave everything as it is while the engine does not answer."""
        return Outcome(
            key=row.key,
            uid=row.uid,
            generation=row.generation,
            status=row.status,
            provisioning_state=row.provisioning_state,
            done=False,
            wake_at=self._clock().timestamp() + _ENGINE_AWAY,
        )

    def _outcome(
        self,
        row: Row,
        want: Want,
        seen: Observed | None,
        plan: Plan,
        memory: status.Memory,
        retry: datetime | None,
        trouble: str,
    ) -> Outcome:
        if seen is not None:  # else nothing was seen: what was known before still is
            memory.view = status.render(want, seen, memory.view)
        memory.records = want.records
        now = self._clock()
        wakes = [at for at in (plan.wake_at, retry) if at is not None]
        outcome = Outcome(
            key=row.key,
            uid=row.uid,
            generation=row.generation,
            status=msgspec.json.encode(memory),
            provisioning_state=row.provisioning_state,
            done=row.settled_generation == row.generation,
            wake_at=min(wakes).timestamp() if wakes else None,
            events=msgspec.json.encode(
                [event for one in memory.view.containers.values() for event in one.events or ()]
            ),
        )
        if want.desired == "gone":
            outcome.gone = retry is None
        elif outcome.done:
            pass  # the operation ended before: its result stands, whatever became of the containers
        elif retry is None and self._reached(want):
            outcome.done, outcome.provisioning_state = True, "Succeeded"
        elif (failure := self._failed(row, want, now, trouble)) is not None:
            outcome.done, outcome.provisioning_state, outcome.error_message = True, "Failed", failure
        else:
            outcome.provisioning_state = "Updating" if row.settled_generation else "Creating"
            deadline = self._deadline(row, want)
            outcome.wake_at = min(outcome.wake_at or deadline.timestamp(), deadline.timestamp())
        self._end_of_life(row, outcome, memory)
        return outcome

    def _end_of_life(self, row: Row, outcome: Outcome, memory: status.Memory) -> None:
        """Have a group deleted whose time to live after its end is over, or look again when it will be."""
        at = expiry.ends_at(row.spec, memory.view, self._clock())
        if at is None or row.desired != "run" or not outcome.done:
            return
        if at <= self._clock():
            self._expire(row)
        else:
            outcome.wake_at = min(outcome.wake_at or at.timestamp(), at.timestamp())

    def _deadline(self, row: Row, want: Want) -> datetime:
        """Tell when the newest generation has failed if it was not reached before."""
        asked = want.group.provisioning_timeout_in_seconds
        allowed = timedelta(seconds=asked) if asked else self._provisioning
        return datetime.fromtimestamp(row.changed_at, UTC) + min(allowed, self._provisioning)

    def _reached(self, want: Want) -> bool:
        """Tell whether the group is what its newest generation asked for."""
        records = [want.records.get(one.name, Record()) for one in want.group.containers or ()]
        if want.desired == "stop":
            return not any(record.running for record in records)
        return all(
            status.started(record) and record.ran_as == digest(one, want.group.volumes)
            for one, record in zip(want.group.containers or (), records, strict=True)
        )

    def _failed(self, row: Row, want: Want, now: datetime, trouble: str) -> str | None:
        """Say why the newest generation can't be reached any more, or None while it still can."""
        never = effective_policy(want.group) == "Never"
        for name, record in want.records.items():
            if never and record.last is not None and (record.last.exit_code or not status.started(record)):
                init = any(one.name == name for one in want.group.init_containers or ())
                if init or not status.started(record):
                    return f"Container '{name}' could not be started: {record.last.message or record.last.exit_code}"
        if now < self._deadline(row, want):
            return None
        reasons = [record.waiting for record in want.records.values() if record.waiting]
        return "; ".join(reasons) or trouble or "The containers did not start in time."
