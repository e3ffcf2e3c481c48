"""What comes next for a set, case by case."""

from __future__ import annotations

import pytest

from hythe.models import (
    ApiEntityReference,
    ContainerGroupProfileStub,
    ElasticProfile,
    NGroup,
    UpdateProfile,
    UpdateProfileRollingUpdateProfile,
)
from hythe.service.control.n_groups_plan import (
    Create,
    Member,
    Remove,
    Rollout,
    SetPlan,
    Target,
    Turn,
    Update,
    plan,
)

OLD, NEW = Target(profile="/p", revision=1), Target(profile="/p", revision=2)


def wanted(
    count: int, *, zones: list[str] | None = None, mode: str = "Manual", profiles: int = 1, **rolling: object
) -> NGroup:
    return NGroup(
        zones=zones,
        elastic_profile=ElasticProfile(desired_count=count),
        container_group_profiles=[
            ContainerGroupProfileStub(resource=ApiEntityReference(id=f"/P{at or ''}"), revision=2)
            for at in range(profiles)
        ],
        update_profile=UpdateProfile(
            update_mode=mode, rolling_update_profile=UpdateProfileRollingUpdateProfile(**rolling)  # type: ignore[arg-type]
        ),
    )  # fmt: skip


def members(count: int, target: Target = NEW, **more: object) -> list[Member]:
    return [Member(key=f"/g/{target.revision}-{at}", target=target, **more) for at in range(count)]  # type: ignore[arg-type]


NONE = Rollout()


def decide(wanted: NGroup, members: list[Member], rollout: Rollout = NONE, *, desired: str = "run", epoch: int = 0,
           now: float = 1000.0) -> SetPlan:  # fmt: skip
    return plan(wanted, desired, epoch, members, rollout, now)


def test_nothing_is_done_for_a_set_that_is_as_it_should_be() -> None:
    assert decide(wanted(3), members(3)) == SetPlan()


def test_what_is_missing_is_made_and_spread_over_zones() -> None:
    have = [Member(key="/g/a", target=NEW, zone="2")]
    steps = decide(wanted(4, zones=["1", "2", "3"]), have).steps
    assert steps == (Create(profile=0, zone="1"), Create(profile=0, zone="3"), Create(profile=0, zone="1"))


def test_groups_are_spread_over_profiles() -> None:
    steps = decide(wanted(4, profiles=2), members(1)).steps
    assert [step.profile for step in steps if isinstance(step, Create)] == [1, 0, 1]


def test_a_group_that_is_going_counts_no_more() -> None:
    have = [*members(2), Member(key="/g/going", target=NEW, desired="gone")]
    assert decide(wanted(3), have).steps == (Create(profile=0, zone=""),)


def test_of_too_many_go_the_unhealthy_the_outdated_and_those_of_the_fullest_zone() -> None:
    have = [
        Member(key="/g/a", target=NEW, zone="1"),
        Member(key="/g/b", target=NEW, zone="2"),
        Member(key="/g/c", target=NEW, zone="2"),
        Member(key="/g/d", target=OLD, zone="1"),
        Member(key="/g/e", target=NEW, zone="1", unhealthy=True),
    ]
    steps = decide(wanted(2, zones=["1", "2"]), have).steps
    assert steps == (Remove(member="/g/e"), Remove(member="/g/d"), Remove(member="/g/c"))


def test_a_restart_reaches_each_group_once() -> None:
    have = [
        Member(key="/g/a", target=NEW, epoch=1),
        Member(key="/g/b", target=NEW, epoch=0),
        Member(key="/g/c", target=NEW, epoch=0, desired="stop"),
    ]
    assert decide(wanted(3), have, epoch=1).steps == (
        Turn(member="/g/b", verb="restart"),
        Turn(member="/g/c", verb="start"),
    )


def test_a_stopped_set_stops_its_groups_and_makes_none() -> None:
    have = [Member(key="/g/a", target=NEW), Member(key="/g/b", target=NEW, desired="stop")]
    assert decide(wanted(5), have, desired="stop").steps == (Turn(member="/g/a", verb="stop"),)


def test_a_set_goes_last() -> None:
    have = [Member(key="/g/a", target=NEW), Member(key="/g/b", target=NEW, desired="gone")]
    assert decide(wanted(2), have, desired="gone") == SetPlan(steps=(Remove(member="/g/a"),), waiting=True)
    assert decide(wanted(2), [], desired="gone") == SetPlan()


def test_without_profiles_nothing_is_made() -> None:
    assert decide(wanted(3, profiles=0), []) == SetPlan()


def test_in_manual_mode_old_groups_stay_and_new_ones_follow_the_profile() -> None:
    assert decide(wanted(3), members(3, OLD)) == SetPlan()
    assert decide(wanted(4), members(3, OLD)).steps == (Create(profile=0, zone=""),)


@pytest.mark.parametrize(("percent", "size"), [(None, 2), (50, 5), (100, 10), (1, 1)])
def test_a_batch_has_the_size_that_is_asked_for(percent: int | None, size: int) -> None:
    asked = wanted(10, mode="Rolling", max_batch_percent=percent)
    steps = decide(asked, members(10, OLD), Rollout(left=10, resume_at=1000)).steps
    assert len(steps) == size
    assert all(isinstance(step, Remove) for step in steps)


def test_a_batch_in_place_defines_groups_anew() -> None:
    asked = wanted(2, mode="Rolling", in_place_update=True, max_batch_percent=100)
    assert decide(asked, members(2, OLD), Rollout(left=2, resume_at=1000)).steps == (
        Update(member="/g/1-0", profile=0),
        Update(member="/g/1-1", profile=0),
    )


def test_time_is_written_down_before_a_batch_and_the_first_has_no_pause() -> None:
    asked = wanted(4, mode="Rolling", pause_time_between_batches="PT1M")
    first = decide(asked, members(4, OLD))
    assert (first.steps, first.wake_at, first.rollout) == ((), 1000, Rollout(left=4, resume_at=1000))

    half = [*members(3, OLD), *members(1, NEW)]
    second = decide(asked, half, first.rollout)
    assert (second.steps, second.rollout) == ((), Rollout(left=3, resume_at=1060))
    assert decide(asked, half, second.rollout, now=1059).steps == ()
    assert decide(asked, half, second.rollout, now=1059).wake_at == 1060
    assert len(decide(asked, half, second.rollout, now=1060).steps) == 1


def test_no_batch_begins_while_groups_are_on_their_way() -> None:
    half = [*members(3, OLD), Member(key="/g/new", target=NEW, settled=False)]
    asked = wanted(4, mode="Rolling")
    assert decide(asked, half, Rollout(left=3, resume_at=0)).steps == ()
    assert decide(asked, half, Rollout(left=3, resume_at=0)).waiting


def test_too_many_unhealthy_new_groups_end_a_rolling_update() -> None:
    half = [*members(3, OLD), Member(key="/g/new", target=NEW, unhealthy=True)]
    assert "ended early" in decide(wanted(4, mode="Rolling"), half, Rollout(left=3, resume_at=0)).failure
    allowed = wanted(4, mode="Rolling", max_unhealthy_percent=25)
    assert len(decide(allowed, half, Rollout(left=3, resume_at=0)).steps) == 1


def test_a_set_has_failed_when_a_group_could_not_be_brought_up() -> None:
    have = [*members(1), Member(key="/g/bad", target=NEW, failed=True, unhealthy=True)]
    assert "bad" in decide(wanted(2), have).failure


def test_a_group_whose_task_failed_does_not_fail_the_set() -> None:
    have = [*members(1), Member(key="/g/bad", target=NEW, unhealthy=True)]
    assert decide(wanted(2), have) == SetPlan()


def test_a_rollout_is_forgotten_once_it_is_over() -> None:
    assert decide(wanted(2, mode="Rolling"), members(2), Rollout(left=1, resume_at=5)).rollout == Rollout()
