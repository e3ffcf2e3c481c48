"""Tests commands about what containers do, with simulated containers that do as they are told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from hythe.testing import Outcome, RunningService, Scripted, running_service

from .conftest import HYTHE, clean_environment, sentence

Hythe = Callable[..., Result]

OUTCOMES = {
    "good": Outcome(runs_for=0.02, log="one\ntwo\n"),
    "bad": Outcome(runs_for=0.02, exit_code=9, log="oh no\n", reason="Error"),
    "absent": Outcome(pull_error="there is no such image"),
    "busy": Outcome(log="begun\n", exec={
        "ls -l": Scripted(out=b"a\n", err=b"b\n", exit_code=4),
        "cat": Scripted(echoes=True),
    }),
}  # fmt: skip


@pytest.fixture(scope="module")
def told() -> Iterator[RunningService]:
    with running_service(outcomes=OUTCOMES) as service:
        yield service


@pytest.fixture
def hythe(told: RunningService, cli: Hythe, tmp_path: Path) -> Hythe:
    def invoke(*words: str, **options: object) -> Result:
        env = {"HYTHE_HOME": str(told.data_dir), "XDG_CONFIG_HOME": str(tmp_path)}
        return cli(*words, env=env, **options)

    return invoke


def test_run_shows_the_log_and_ends_with_the_exit_code(hythe: Hythe) -> None:
    good = hythe("run", "--rm", "good", "x")
    bad = hythe("run", "--name", "once", "bad")

    assert (good.exit_code, good.stdout, good.stderr) == (0, "one\ntwo\n", "")
    assert (bad.exit_code, bad.stdout) == (9, "oh no\n")
    assert "exit code 9" in hythe("why", "once").stdout
    assert hythe("logs", "once", "--tail", "1", "-a").stdout == "[once] oh no\n"
    assert hythe("wait", "once", "--for", "failed", "-o", "none").exit_code == 0
    refused = hythe("wait", "once")
    assert refused.exit_code == 1 and "oh no" in refused.stderr
    taken = hythe("run", "--name", "once", "good")
    assert taken.exit_code == 2 and "hythe rm once" in taken.stderr


def test_logs_of_the_run_before_the_newest(hythe: Hythe) -> None:
    assert hythe("run", "--name", "again", "good").exit_code == 0
    none = hythe("logs", "--previous", "again")
    assert none.exit_code == 3 and "no log of a previous run" in none.stderr and "`hythe why" in none.stderr
    assert hythe("restart", "again").exit_code == 0
    assert hythe("logs", "-p", "again", "--tail", "1").stdout == "two\n"
    both = hythe("logs", "-p", "-f", "again")
    assert both.exit_code == 2 and "has ended" in both.stderr


def test_run_says_why_an_image_cannot_be_had_and_leaves_nothing(hythe: Hythe) -> None:
    done = hythe("run", "--name", "none", "absent")

    assert done.exit_code == 125 and "The image 'absent'" in done.stderr
    assert "Traceback" not in done.stderr
    assert hythe("show", "none").exit_code == 3


def test_map_gives_results_in_order_and_fails_if_one_did(hythe: Hythe, tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("echo 'a b'\n\necho c # said\n")

    good = hythe("map", "-o", "json", "-f", str(tmp_path / "commands"), "good")
    bad = hythe("map", "-o", "json", "--retries", "1", "bad", "echo", "{}!", ":::", "a", "b")

    assert good.exit_code == 0, good.stderr
    assert [each["command"] for each in json.loads(good.stdout)] == ["echo 'a b'", "echo c"]
    assert {each["log"] for each in json.loads(good.stdout)} == {"one\ntwo\n"}
    assert bad.exit_code == 1
    assert [(each["command"], each["exitCode"], each["attempts"]) for each in json.loads(bad.stdout)] == [
        ("echo 'a!'", 9, 2), ("echo 'b!'", 9, 2),
    ]  # fmt: skip
    assert "2 of 2" in bad.stderr
    assert hythe("map", "--logs", "good", "x", ":::", "a").stdout == "one\ntwo\n"
    assert "ExitCode" in hythe("map", "good", "x", ":::", "a").stdout
    assert hythe("map", "nginx").exit_code == hythe("map", "nginx", "echo", "a").exit_code == 2


def test_exec_gives_outputs_and_the_exit_code(hythe: Hythe, capfd: pytest.CaptureFixture[str]) -> None:
    assert hythe("run", "-d", "--name", "busy", "busy").exit_code == 0

    done = hythe("exec", "busy", "ls", "-l")

    assert (done.exit_code, capfd.readouterr()) == (4, ("a\n", "b\n"))
    assert hythe("container", "exec", "-n", "busy", "--exec-command", "ls '-l'").exit_code == 4
    assert hythe("exec", "-n", "busy", "-c", "busy", "ls", "-l").exit_code == 4
    assert hythe("exec", "-c", "busy", "busy", "--", "ls", "-l").exit_code == 4
    assert hythe("exec", "busy", "none").exit_code == 127
    assert "only a terminal gets a shell" in hythe("exec", "busy").stderr
    assert hythe("exec", "busy", "--exec-command", "a", "b").exit_code == 2
    assert "hythe ls" in sentence(hythe("exec", "not-there-at-all", "ls"), code=125)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["cp", "a", "b"], "GROUP:PATH"),
        (["cp", "x:relative", "b"], "begins with /"),
        (["cp", "x:/a", "y:/b"], "one of the two"),
        (["forward", "x", "http"], "PORT:PORT"),
        (["forward", "x"], "Missing argument"),
    ],
)
def test_what_was_written_wrong_is_said(hythe: Hythe, words: list[str], says: str) -> None:
    done = hythe(*words)

    assert done.exit_code == 2 and says in done.stderr


def test_events_are_followed_until_the_group_is_gone(hythe: Hythe, told: RunningService) -> None:
    assert hythe("run", "-d", "--name", "told", "busy").exit_code == 0
    command = [*HYTHE, "events", "-f", "-o", "json", "told"]
    environment = clean_environment() | {"HYTHE_HOME": str(told.data_dir)}
    with (
        told.client() as client,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as done,
    ):
        assert done.stdout is not None
        first = done.stdout.readline()
        client.container_groups.delete("hythe", "told")
        _, errors = done.communicate(timeout=60)

    assert done.returncode == 0, errors
    assert json.loads(first)["name"] == "Started"
