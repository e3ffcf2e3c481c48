"""One pass over a set of container groups: see which groups it has, plan, declare what is missing, settle.

Control writes no definition itself: groups are declared through a port that does it as the API does, in one transaction
each, so that a set whose pass died in the middle finds the groups that were made as its own.
"""

from __future__ import annotations

import logging
from typing import Protocol

import msgspec
from msgspec import Struct, field

from ...models import ContainerGroup, NGroup, from_json
from ..store import Outcome, Row, SqlStore, Status
from .groups import Clock
from .n_groups_plan import Create, Member, Remove, Rollout, SetPlan, Step, Target, Turn, Update, plan

log = logging.getLogger(__name__)

_RETRY = 30.0
"""Seconds until a group that could not be made is tried again."""


class CannotDeclare(Exception):
    """A group can't be declared as the set asks."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Members(Protocol):
    """Declares the groups of a set.  Each call is one transaction.  Raises `CannotDeclare`."""

    async def create(self, parent: Row, wanted: NGroup, profile: int, zone: str) -> None:
        """Make a group from the n-th profile of the set."""

    async def update(self, parent: Row, wanted: NGroup, profile: int, member: str) -> None:
        """Define a group anew."""

    def turn(self, parent: Row, member: str, verb: str) -> None:
        """Start, stop or restart a group; it then has followed the set's epoch."""

    def remove(self, member: str) -> None:
        """Delete what was made for a set, without lowering the count of the set."""


class _Memory(Struct, kw_only=True, omit_defaults=True):
    """What is kept in the status of a set."""

    rollout: Rollout = field(default_factory=Rollout)


class NGroupPass:
    """Works on sets; holds no state of its own."""

    def __init__(self, store: SqlStore, members: Members, clock: Clock) -> None:
        self._store = store
        self._members = members
        self._clock = clock

    async def __call__(self, row: Row) -> Outcome:
        """Do what is due for a set."""
        wanted = from_json(NGroup, row.spec)
        memory = msgspec.json.decode(row.status, type=_Memory) if row.status else _Memory()
        now = self._clock().timestamp()
        members = [_member(one) for one in self._store.members(row.id)]
        planned = plan(wanted, row.desired, row.epoch, members, memory.rollout, now)
        code = failure = ""
        for step in planned.steps:
            try:
                await self._act(row, wanted, step)
            except CannotDeclare as error:
                log.warning("%s: %s", row.key, error)
                code, failure = error.code, str(error)
                break
        return self._outcome(row, planned, code, failure)

    async def _act(self, row: Row, wanted: NGroup, step: Step) -> None:
        match step:
            case Create(profile=profile, zone=zone):
                await self._members.create(row, wanted, profile, zone)
            case Update(member=member, profile=profile):
                await self._members.update(row, wanted, profile, member)
            case Turn(member=member, verb=verb):
                self._members.turn(row, member, verb)
            case Remove(member=member):
                self._members.remove(member)

    def _outcome(self, row: Row, planned: SetPlan, code: str, failure: str) -> Outcome:
        before = row.settled_generation == row.generation
        failure = failure or planned.failure
        going_on = bool(planned.steps) or planned.waiting
        outcome = Outcome(
            key=row.key,
            uid=row.uid,
            generation=row.generation,
            status=msgspec.json.encode(_Memory(rollout=planned.rollout)),
            provisioning_state=row.provisioning_state,
            done=before,
            wake_at=planned.wake_at,
        )
        if failure:
            outcome.done, outcome.provisioning_state = True, "Failed"
            outcome.error_code, outcome.error_message = code or "NGroupsFailed", failure
            if code:  # a step was refused: perhaps not next time
                outcome.wake_at = self._clock().timestamp() + _RETRY
        elif row.desired == "gone":
            outcome.gone, outcome.done = not going_on, not going_on
        elif not going_on:
            outcome.done, outcome.provisioning_state = True, "Succeeded"
        elif not before:
            outcome.provisioning_state = "Updating" if row.settled_generation else "Creating"
        return outcome


def _member(row: Row) -> Member:
    """Read what matters to a set from the row of a group."""
    group = from_json(ContainerGroup, row.spec)
    view = msgspec.json.decode(row.status, type=Status).view if row.status else None
    reference = group.container_group_profile
    return Member(
        key=row.key,
        target=Target(
            profile=(reference.id or "").lower() if reference else "",
            revision=reference.revision if reference else None,
        ),
        zone=(group.zones or [""])[0],
        epoch=row.parent_epoch,
        desired=row.desired,
        settled=row.settled_generation == row.generation,
        failed=row.provisioning_state == "Failed",
        unhealthy=row.provisioning_state == "Failed" or (view is not None and view.state == "Failed"),
    )
