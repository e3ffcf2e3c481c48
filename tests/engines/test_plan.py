"""The planner: what comes next, for every situation that a group can be in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from hythe.engines.base import (
    ContainerSeen,
    Finished,
    Observed,
    PrepareVolume,
    PullImage,
    Record,
    RemoveContainer,
    RemoveSandbox,
    RemoveVolumes,
    RunContainer,
    RunSandbox,
    SandboxSeen,
    StartContainer,
    StopContainer,
    Uid,
    VolumeSeen,
    Want,
    WriteConfigMap,
)
from hythe.engines.pod import Backoff, config_digest, digest, plan, volume_digest
from hythe.models import ConfigMap, Container, ContainerGroup, InitContainerDefinition, Volume, VolumeMount

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
SANDBOX = SandboxSeen(id="s", ready=True, ip="10.0.0.2")


def group(*names: str, policy: str | None = None, init: tuple[str, ...] = ()) -> ContainerGroup:
    return ContainerGroup(
        restart_policy=policy,
        containers=[Container(name=name, image=f"image-{name}") for name in names],
        init_containers=[InitContainerDefinition(name=name, image=f"image-{name}") for name in init],
    )


def want(of: ContainerGroup, **more: object) -> Want:
    return Want(uid=Uid("u"), name="g", subscription="s", group=of, **more)  # type: ignore[arg-type]


def spec(of: ContainerGroup, name: str) -> str:
    every = [*(of.containers or ()), *(of.init_containers or ())]
    return digest(next(one for one in every if one.name == name), of.volumes)


def seen(of: ContainerGroup, name: str, state: str, *, exit_code: int = 0, ago: float = 0, **more: object):
    finished = None
    if state == "exited":
        finished = Finished(
            exit_code=exit_code,
            started_at=NOW - timedelta(seconds=ago + 1),
            finished_at=NOW - timedelta(seconds=ago),
        )
    values = {"epoch": 0, "attempt": 0, "spec": spec(of, name), "started_at": NOW - timedelta(seconds=ago + 1)} | more
    return ContainerSeen(name=name, id=f"id-{name}", state=state, finished=finished, **values)


def test_nothing_there_makes_sandbox_then_containers_in_order() -> None:
    of = group("a", "b")

    made = plan(want(of), Observed(), NOW)

    assert made.actions == (
        RunSandbox(attempt=0),
        PullImage(container="a", image="image-a"),
        RunContainer(name="a", attempt=0, spec=spec(of, "a")),
        PullImage(container="b", image="image-b"),
        RunContainer(name="b", attempt=0, spec=spec(of, "b")),
    )


def test_all_running_is_settled() -> None:
    of = group("a")

    made = plan(want(of), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"),)), NOW)

    assert made.actions == ()
    assert made.wake_at is None
    assert made.records["a"].running


def test_created_but_not_started_is_started() -> None:
    of = group("a")

    made = plan(want(of), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "created"),)), NOW)

    assert made.actions == (StartContainer(name="a", id="id-a"),)


def test_a_container_of_which_nothing_is_known_is_ended_first() -> None:
    of = group("a")

    made = plan(want(of), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "unknown"),)), NOW, grace=7)

    assert made.actions == (StopContainer(name="a", id="id-a", grace=7),)


@pytest.mark.parametrize("policy", ["Never", "OnFailure", "Always"])
def test_a_start_that_was_cut_short_is_done_once_more_as_the_same_attempt(policy: str) -> None:
    of = group("a", policy=policy)
    cut = seen(of, "a", "exited", exit_code=128, cut_short=True)

    made = plan(want(of), Observed(sandbox=SANDBOX, containers=(cut,)), NOW)

    assert made.actions == (
        RemoveContainer(name="a", id="id-a"),
        PullImage(container="a", image="image-a"),
        RunContainer(name="a", attempt=0, spec=spec(of, "a")),
    )
    assert made.records["a"].last is None


def test_a_start_that_is_known_to_have_failed_stays_failed_in_another_process() -> None:
    of = group("a", policy="Never")
    failed = seen(of, "a", "exited", exit_code=128, cut_short=True)
    known = Record(ran_as=spec(of, "a"), last=failed.finished)

    made = plan(want(of, records={"a": known}), Observed(sandbox=SANDBOX, containers=(failed,)), NOW)

    assert made.actions == ()


@pytest.mark.parametrize(
    ("policy", "exit_code", "runs_again"),
    [
        ("Never", 0, False),
        ("Never", 1, False),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Always", 0, True),
        ("Always", 1, True),
        (None, 0, True),
    ],
)
def test_restart_policy(policy: str | None, exit_code: int, runs_again: bool) -> None:
    of = group("a", policy=policy)
    ended = seen(of, "a", "exited", exit_code=exit_code)

    made = plan(want(of), Observed(sandbox=SANDBOX, containers=(ended,)), NOW)

    runs = [action for action in made.actions if isinstance(action, RunContainer)]
    assert bool(runs) == runs_again
    if runs:
        assert runs[0].attempt == 1
        assert RemoveContainer(name="a", id="id-a") in made.actions


def test_backoff_doubles_up_to_the_most_and_starts_again_after_a_long_run() -> None:
    backoff = Backoff(first=10, most=300, reset_after=600)
    waits = []
    record = Record(attempt=0)
    for attempt in range(8):
        record = Record(attempt=attempt, backoff=backoff.after(Record(attempt=attempt, backoff=record.backoff), 1))
        waits.append(record.backoff)

    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]
    assert backoff.after(Record(attempt=7, backoff=300), 600) == 0


def test_second_restart_waits_and_says_so() -> None:
    of = group("a")
    ended = seen(of, "a", "exited", exit_code=1, ago=4, attempt=1)
    records = {"a": Record(ran_as=spec(of, "a"), attempt=1)}

    made = plan(want(of, records=records), Observed(sandbox=SANDBOX, containers=(ended,)), NOW)

    assert made.actions == ()
    assert made.wake_at == NOW + timedelta(seconds=6)
    assert [event.name for event in made.happened] == ["BackOff"]
    again = plan(want(of, records=made.records), Observed(sandbox=SANDBOX, containers=(ended,)), NOW)
    assert again.happened == ()
    due = plan(
        want(of, records=made.records), Observed(sandbox=SANDBOX, containers=(ended,)), NOW + timedelta(seconds=6)
    )
    assert RunContainer(name="a", attempt=2, spec=spec(of, "a")) in due.actions


def test_a_reason_that_comes_after_the_end_begins_no_second_back_off() -> None:
    of = group("a")
    ended = seen(of, "a", "exited", exit_code=137, ago=4, attempt=1)
    first = plan(
        want(of, records={"a": Record(ran_as=spec(of, "a"), attempt=1)}),
        Observed(sandbox=SANDBOX, containers=(ended,)), NOW,
    )  # fmt: skip
    starved = replace(ended, finished=replace(ended.finished, reason="OOMKilled"))

    made = plan(want(of, records=first.records), Observed(sandbox=SANDBOX, containers=(starved,)), NOW)

    assert made.happened == () and made.wake_at == first.wake_at
    assert made.records["a"].backoff == first.records["a"].backoff
    assert made.records["a"].last.reason == "OOMKilled"


def test_finished_task_is_not_run_again_when_the_engine_lost_it() -> None:
    of = group("a", policy="Never")
    ended = plan(want(of), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "exited", exit_code=0),)), NOW)

    made = plan(want(of, records=ended.records), Observed(), NOW)

    assert made.actions == ()


def test_running_group_that_the_engine_lost_comes_back() -> None:
    of = group("a")
    running = plan(want(of), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"),)), NOW)

    made = plan(want(of, records=running.records), Observed(), NOW)

    assert [type(action) for action in made.actions] == [RunSandbox, PullImage, RunContainer]


def test_dead_sandbox_is_replaced() -> None:
    of = group("a")
    dead = SandboxSeen(id="s", ready=False, attempt=3)

    made = plan(want(of), Observed(sandbox=dead, containers=(seen(of, "a", "exited", exit_code=137),)), NOW)

    assert made.actions[:2] == (RemoveSandbox(id="s"), RunSandbox(attempt=4))
    assert isinstance(made.actions[-1], RunContainer)


def test_stale_sandboxes_go() -> None:
    of = group("a")

    made = plan(want(of), Observed(sandbox=SANDBOX, stale=("old",), containers=(seen(of, "a", "running"),)), NOW)

    assert made.actions == (RemoveSandbox(id="old"),)


def test_changed_definition_replaces_only_its_container() -> None:
    before = group("a", "b")
    after = group("a", "b")
    assert after.containers
    after.containers[1].command = ["other"]
    there = Observed(sandbox=SANDBOX, containers=(seen(before, "a", "running"), seen(before, "b", "running")))

    made = plan(want(after), there, NOW)

    assert made.actions[:2] == (StopContainer(name="b", id="id-b"), RemoveContainer(name="b", id="id-b"))
    assert RunContainer(name="b", attempt=1, spec=spec(after, "b")) in made.actions
    assert not any(getattr(action, "name", "") == "a" for action in made.actions)


def test_removed_container_goes() -> None:
    before, after = group("a", "b"), group("a")
    there = Observed(sandbox=SANDBOX, containers=(seen(before, "a", "running"), seen(before, "b", "running")))

    made = plan(want(after), there, NOW)

    assert made.actions == (StopContainer(name="b", id="id-b"), RemoveContainer(name="b", id="id-b"))


def test_restart_replaces_containers_of_the_older_epoch_and_keeps_the_sandbox() -> None:
    of = group("a")

    made = plan(want(of, epoch=1), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"),)), NOW)

    assert not any(isinstance(action, RunSandbox | RemoveSandbox) for action in made.actions)
    assert RunContainer(name="a", attempt=0, spec=spec(of, "a")) in made.actions


def test_stop_ends_containers_and_keeps_the_sandbox() -> None:
    of = group("a")
    stopping = want(of, desired="stop")

    made = plan(stopping, Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"),)), NOW)
    stopped = plan(
        want(of, desired="stop", records=made.records),
        Observed(sandbox=SANDBOX, containers=(seen(of, "a", "exited", exit_code=137),)),
        NOW,
    )

    assert [type(action) for action in made.actions] == [StopContainer]
    assert stopped.actions == ()
    assert stopped.records["a"].stopped


def test_init_containers_run_one_after_the_other_before_the_rest() -> None:
    of = group("a", init=("i", "j"))
    first = plan(want(of), Observed(), NOW)
    second = plan(
        want(of, records=first.records), Observed(sandbox=SANDBOX, containers=(seen(of, "i", "exited"),)), NOW
    )
    third = plan(
        want(of, records=second.records),
        Observed(sandbox=SANDBOX, containers=(seen(of, "i", "exited"), seen(of, "j", "exited"))),
        NOW,
    )

    def runs(made) -> list[str]:
        return [action.name for action in made.actions if isinstance(action, RunContainer)]

    assert [runs(first), runs(second), runs(third)] == [["i"], ["j"], ["a"]]


def test_init_container_that_failed_under_never_ends_the_group() -> None:
    of = group("a", init=("i",), policy="Never")

    made = plan(want(of), Observed(sandbox=SANDBOX, containers=(seen(of, "i", "exited", exit_code=2),)), NOW)

    assert made.actions == ()


def test_failed_pull_is_tried_again_at_its_time() -> None:
    of = group("a")
    later = NOW + timedelta(seconds=10)
    records = {"a": Record(retry_at=later, failures=1, waiting="ErrImagePull: no")}

    waits = plan(want(of, records=records), Observed(sandbox=SANDBOX), NOW)
    tries = plan(want(of, records=records), Observed(sandbox=SANDBOX), later)

    assert (waits.actions, waits.wake_at) == ((), later)
    assert PullImage(container="a", image="image-a") in tries.actions


def test_plan_is_pure() -> None:
    of = group("a")
    asked = want(of)
    there = Observed(sandbox=SANDBOX, containers=(seen(of, "a", "exited", exit_code=1),))

    assert plan(asked, there, NOW) == plan(asked, there, NOW)
    assert asked.records == {}


@pytest.mark.parametrize(("tag", "seconds"), [(None, 30), ("5", 5), ("PT1M", 60), ("soon", 30)])
def test_a_group_says_how_long_its_containers_may_take_to_end(tag: str | None, seconds: int) -> None:
    of = group("a")
    of.tags = {"hythe.shutdown-grace": tag} if tag else None

    made = plan(want(of, desired="stop"), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"),)), NOW)

    assert [one.grace for one in made.actions if isinstance(one, StopContainer)] == [seconds]


# --- volumes ---


def with_volume(*names: str, mounted_by: tuple[str, ...] = ("a",), secret: str = "", **more: object) -> ContainerGroup:
    of = group(*names, **more)  # type: ignore[arg-type]
    of.volumes = [Volume(name="v", secret={"key": secret})]
    for one in [*(of.containers or ()), *(of.init_containers or ())]:
        if one.name in mounted_by:
            one.volume_mounts = [VolumeMount(name="v", mount_path="/v")]
    return of


def ready(of: ContainerGroup, epoch: int = 0) -> dict[str, VolumeSeen]:
    return {one.name: VolumeSeen(spec=volume_digest(one), epoch=epoch) for one in of.volumes or ()}


def prepare(of: ContainerGroup, *containers: str) -> PrepareVolume:
    return PrepareVolume(volume="v", spec=volume_digest((of.volumes or [])[0]), containers=containers)


def kinds(made: object) -> list[type]:
    return [type(action) for action in made.actions]  # type: ignore[attr-defined]


def test_volumes_are_made_ready_before_the_first_container_and_init_containers_too() -> None:
    of = with_volume("a", init=("i",), mounted_by=("a", "i"))

    made = plan(want(of), Observed(), NOW)

    assert made.actions[:2] == (RunSandbox(attempt=0), prepare(of, "i", "a"))
    assert kinds(made)[2:] == [PullImage, RunContainer]


def test_volume_that_is_ready_is_left_alone_and_one_that_nobody_mounts_is_not_made() -> None:
    of, loose = with_volume("a"), with_volume("a", mounted_by=())
    there = Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"),), volumes=ready(of))

    assert plan(want(of), there, NOW).actions == ()
    assert PrepareVolume not in kinds(plan(want(loose), Observed(), NOW))


def test_volumes_that_a_reboot_took_are_made_again() -> None:
    of = with_volume("a")
    running = plan(want(of), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"),), volumes=ready(of)), NOW)

    made = plan(want(of, records=running.records), Observed(), NOW)

    assert kinds(made) == [RunSandbox, PrepareVolume, PullImage, RunContainer]


def test_no_container_starts_while_a_volume_cannot_be_had() -> None:
    of = with_volume("a", "b")
    later = NOW + timedelta(seconds=10)
    records = {"a": Record(retry_at=later, failures=1, waiting="FailedMount: no")}

    waits = plan(want(of, records=records), Observed(sandbox=SANDBOX), NOW)
    tries = plan(want(of, records=records), Observed(sandbox=SANDBOX), later)

    assert (waits.actions, waits.wake_at) == ((), later)
    assert tries.actions[0] == prepare(of, "a")


def test_changed_volume_replaces_only_the_containers_that_mount_it() -> None:
    before, after = with_volume("a", "b", secret="x"), with_volume("a", "b", secret="y")
    running = (seen(before, "a", "running"), seen(before, "b", "running"))

    made = plan(want(after), Observed(sandbox=SANDBOX, containers=running, volumes=ready(before)), NOW)

    assert made.actions[:3] == (
        StopContainer(name="a", id="id-a"), RemoveContainer(name="a", id="id-a"), prepare(after, "a"),
    )  # fmt: skip
    assert not any(getattr(action, "name", "") == "b" for action in made.actions)


def test_restart_keeps_what_volumes_hold_and_a_new_beginning_does_not() -> None:
    of = with_volume("a", policy="Never")

    def made(state: str):
        there = Observed(sandbox=SANDBOX, containers=(seen(of, "a", state),), volumes=ready(of))
        return plan(want(of, epoch=1), there, NOW)

    assert kinds(made("running")) == [StopContainer, RemoveContainer, PrepareVolume, PullImage, RunContainer]
    assert kinds(made("exited")) == [RemoveContainer, RemoveVolumes, PrepareVolume, PullImage, RunContainer]


def test_stop_removes_what_volumes_hold_once_nothing_runs() -> None:
    of = with_volume("a")

    def made(state: str, volumes: dict[str, VolumeSeen]):
        there = Observed(sandbox=SANDBOX, containers=(seen(of, "a", state),), volumes=volumes)
        return plan(want(of, desired="stop"), there, NOW)

    assert kinds(made("running", ready(of))) == [StopContainer]
    assert kinds(made("exited", ready(of))) == [RemoveVolumes]
    assert kinds(made("exited", {})) == []


def test_volume_that_is_mounted_no_more_goes_when_its_container_has() -> None:
    before, after = with_volume("a"), group("a")
    running = (seen(before, "a", "running"),)

    made = plan(want(after), Observed(sandbox=SANDBOX, containers=running, volumes=ready(before)), NOW)

    assert kinds(made) == [StopContainer, RemoveContainer, RemoveVolumes, PullImage, RunContainer]
    assert made.actions[2] == RemoveVolumes(names=("v",))


def test_config_map_is_written_before_the_start_and_while_the_container_runs() -> None:
    of = group("a")
    assert of.containers
    of.containers[0].config_map = ConfigMap(key_value_pairs={"key": "1"})
    spec_1 = config_digest({"key": "1"})
    there = Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"),), config_maps={"a": spec_1})

    assert kinds(plan(want(of), Observed(), NOW)) == [RunSandbox, WriteConfigMap, PullImage, RunContainer]
    assert plan(want(of), there, NOW).actions == ()
    of.containers[0].config_map = ConfigMap(key_value_pairs={"key": "2"})
    changed = plan(want(of), there, NOW)
    of.containers[0].config_map = None
    emptied = plan(want(of), there, NOW)
    assert changed.actions == (WriteConfigMap(container="a", spec=config_digest({"key": "2"})),)
    assert emptied.actions == (WriteConfigMap(container="a", spec=""),)


# --- health, and what follows from it ---


def test_a_container_that_is_not_live_is_ended_and_runs_again_whatever_it_ends_with() -> None:
    of = group("a", policy="OnFailure")
    ill = seen(of, "a", "running", live=False)

    ends = plan(want(of), Observed(sandbox=SANDBOX, containers=(ill,)), NOW, grace=7)
    again = plan(want(of, records=ends.records), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "exited"),)), NOW)
    runs = plan(
        want(of, records=again.records),
        Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running", attempt=1),)),
        NOW,
    )
    done = plan(
        want(of, records=runs.records), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "exited", attempt=1),)), NOW
    )

    assert ends.actions == (StopContainer(name="a", id="id-a", grace=7),)
    assert RunContainer(name="a", attempt=1, spec=spec(of, "a")) in again.actions
    assert not runs.records["a"].unhealthy
    assert done.actions == (), "the next end is its own"


def test_under_never_a_container_that_is_not_live_stays_ended() -> None:
    of = group("a", policy="Never")
    ends = plan(want(of), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running", live=False),)), NOW)

    ended = Observed(sandbox=SANDBOX, containers=(seen(of, "a", "exited", exit_code=143),))

    assert plan(want(of, records=ends.records), ended, NOW).actions == ()


def test_under_never_a_container_that_the_engine_lost_does_not_run_again() -> None:
    of = group("a", "b", policy="Never")
    there = Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"), seen(of, "b", "running")))
    running = plan(want(of), there, NOW)

    lost = plan(want(of, records=running.records), Observed(), NOW)

    assert lost.actions == ()
    end = lost.records["a"].last
    assert end is not None and (end.exit_code, end.reason) == (137, "ContainerStatusUnknown")


def test_init_containers_run_again_in_a_new_sandbox_and_not_beside_a_running_group() -> None:
    of = group("a", init=("i",))
    records = {
        "i": Record(ran_as=spec(of, "i"), last=Finished(exit_code=0)),
        "a": Record(ran_as=spec(of, "a"), running=True),
    }

    anew = plan(want(of, records=records), Observed(), NOW)
    beside = plan(want(of, records=records), Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"),)), NOW)

    assert [action.name for action in anew.actions if isinstance(action, RunContainer)] == ["i"]
    assert beside.actions == ()


def test_all_that_is_outdated_is_ended_together() -> None:
    of = group("a", "b")
    there = Observed(sandbox=SANDBOX, containers=(seen(of, "a", "running"), seen(of, "b", "running")))

    made = plan(want(of, epoch=1), there, NOW)

    assert [type(action) for action in made.actions[:4]] == [StopContainer] * 2 + [RemoveContainer] * 2
