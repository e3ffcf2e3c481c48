"""Decides what comes next for a set of container groups, from what it should be and which groups it has.  Pure.

The rules: a start or restart of the set reaches each group once; what is missing is made, what is too much goes; in a
rolling update groups of another profile or revision follow in batches, each of which must have ended, and the pause
after it, before the next begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from ...models import NGroup, UpdateProfileRollingUpdateProfile
from ..duration import seconds

BATCH_PERCENT, UNHEALTHY_PERCENT = 20, 20
"""What Azure's scale sets take where nothing is said."""
_ALL = 100


class Target(Struct, frozen=True, kw_only=True):
    """A revision of a profile: id in lower case, and number."""

    profile: str
    revision: int | None


class Member(Struct, frozen=True, kw_only=True):
    """One group of a set, as its row says."""

    key: str
    target: Target
    zone: str = ""
    epoch: int = 0
    """The set's epoch that it has followed."""
    desired: str = "run"
    settled: bool = True
    """What was asked of it is done, or has failed."""
    failed: bool = False
    """It could not be brought up."""
    unhealthy: bool = False
    """Its containers have ended badly, or it has failed."""


class Rollout(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of a rolling update.  Stored before a batch begins.  Written by: control."""

    left: int | None = None
    """How many groups were still to be updated when the pause began; None before the first batch."""
    resume_at: float = 0.0
    """When the next batch may begin, in seconds since 1970."""


class Create(Struct, frozen=True, kw_only=True):
    """Make a group from the n-th profile of the set."""

    profile: int
    zone: str


class Update(Struct, frozen=True, kw_only=True):
    """Define a group anew from the n-th profile of the set."""

    member: str
    profile: int


class Turn(Struct, frozen=True, kw_only=True):
    """Start, stop or restart a group."""

    member: str
    verb: str


class Remove(Struct, frozen=True, kw_only=True):
    """Delete a group."""

    member: str


Step = Create | Update | Turn | Remove


class SetPlan(Struct, frozen=True, kw_only=True):
    """What comes next: steps; else wait; else the set is as it should be, or can't become so."""

    steps: tuple[Step, ...] = ()
    waiting: bool = False
    """Groups are on their way: each wakes the set when it gets on."""
    wake_at: float | None = None
    rollout: Rollout = Rollout()
    failure: str = ""


def plan(wanted: NGroup, desired: str, epoch: int, members: Sequence[Member], rollout: Rollout, now: float) -> SetPlan:
    """Decide what comes next."""
    here = [one for one in members if one.desired != "gone"]
    on_their_way = len(here) < len(members) or not all(one.settled for one in here)
    if desired == "gone":
        return SetPlan(steps=tuple(Remove(member=one.key) for one in here), waiting=bool(members))
    if desired == "stop":
        running = [one for one in here if one.desired == "run"]
        return SetPlan(steps=tuple(Turn(member=one.key, verb="stop") for one in running), waiting=on_their_way)
    targets = [
        Target(profile=(stub.resource.id or "").lower() if stub.resource else "", revision=stub.revision)
        for stub in wanted.container_group_profiles or ()
    ]
    steps: list[Step] = [*_turns(here, epoch), *_count(wanted, here, targets)]
    if steps or not targets:
        return SetPlan(steps=tuple(steps), waiting=on_their_way, rollout=rollout)
    update = wanted.update_profile
    outdated = [one for one in here if one.target not in targets]
    if outdated and update is not None and update.update_mode == "Rolling":
        rolling = update.rolling_update_profile or UpdateProfileRollingUpdateProfile()
        return _roll(rolling, here, outdated, targets, rollout, now, on_their_way)
    failed = [one for one in here if one.settled and one.failed]
    return SetPlan(waiting=on_their_way, failure=_failed(failed) if failed and not on_their_way else "")


def _turns(here: Sequence[Member], epoch: int) -> list[Step]:
    """Let groups follow a start or a restart of the set."""
    behind = [one for one in here if one.epoch < epoch]
    return [Turn(member=one.key, verb="start" if one.desired == "stop" else "restart") for one in behind]


def _count(wanted: NGroup, here: Sequence[Member], targets: Sequence[Target]) -> list[Step]:
    """Bring the number of groups to what it should be."""
    elastic = wanted.elastic_profile
    count = (elastic.desired_count if elastic else None) or 0
    if len(here) > count:
        return [Remove(member=one.key) for one in _spare(here, targets, len(here) - count)]
    if not targets:
        return []
    zones = wanted.zones or [""]
    in_zone = Counter(one.zone for one in here)
    of_target = Counter(one.target for one in here)
    steps: list[Step] = []
    for _ in range(count - len(here)):
        zone = min(zones, key=lambda each: in_zone[each])
        at = min(range(len(targets)), key=lambda each: of_target[targets[each]])
        in_zone[zone] += 1
        of_target[targets[at]] += 1
        steps.append(Create(profile=at, zone=zone))
    return steps


def _spare(here: Sequence[Member], targets: Sequence[Target], number: int) -> list[Member]:
    """Choose groups to go: unhealthy ones, outdated ones, then from the zone that has most (Azure: any)."""
    left = list(here)
    chosen = []
    for _ in range(number):
        in_zone = Counter(one.zone for one in left)
        one = max(
            left,
            key=lambda each: (
                each.unhealthy, bool(targets) and each.target not in targets, in_zone[each.zone], each.key
            ),
        )  # fmt: skip
        left.remove(one)
        chosen.append(one)
    return chosen


def _roll(
    rolling: UpdateProfileRollingUpdateProfile,
    here: Sequence[Member],
    outdated: Sequence[Member],
    targets: Sequence[Target],
    rollout: Rollout,
    now: float,
    on_their_way: bool,
) -> SetPlan:
    """Go on with a rolling update."""
    if on_their_way:
        return SetPlan(waiting=True, rollout=rollout)
    most = UNHEALTHY_PERCENT if rolling.max_unhealthy_percent is None else rolling.max_unhealthy_percent
    failed = [one for one in here if one.unhealthy and one not in outdated]
    if len(failed) * _ALL > most * len(here):
        return SetPlan(rollout=rollout, failure=f"The rolling update has ended early: {_failed(failed)}")
    if rollout.left != len(outdated):
        # The last batch has ended, or the first comes: its time is written down before anything is done.
        pause = 0.0 if rollout.left is None else seconds(rolling.pause_time_between_batches or "") or 0.0
        at = now + pause
        return SetPlan(waiting=True, wake_at=at, rollout=Rollout(left=len(outdated), resume_at=at))
    if now < rollout.resume_at:
        return SetPlan(waiting=True, wake_at=rollout.resume_at, rollout=rollout)
    percent = rolling.max_batch_percent or BATCH_PERCENT
    size = max(1, len(here) * percent // _ALL)
    batch = sorted(outdated, key=lambda one: (not one.unhealthy, one.key))[:size]
    if rolling.in_place_update:
        steps: tuple[Step, ...] = tuple(Update(member=one.key, profile=_nearest(one, targets)) for one in batch)
    else:
        steps = tuple(Remove(member=one.key) for one in batch)
    return SetPlan(steps=steps, waiting=True, rollout=rollout)


def _nearest(member: Member, targets: Sequence[Target]) -> int:
    """Choose the profile that a group follows: another revision of its own if the set has one."""
    same = [at for at, target in enumerate(targets) if target.profile == member.target.profile]
    return same[0] if same else 0


def _failed(members: Sequence[Member]) -> str:
    names = ", ".join(one.key.rpartition("/")[2] for one in members)
    return f"these container groups have failed: {names}. Their events say why."
