"""Tests `hythe apply` and `hythe cost` against a service with simulated containers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Hythe = Callable[..., Result]

COMPOSE = """
services:
  web:
    image: nginx
    environment: {COLOUR: %s}
    deploy: {resources: {limits: {cpus: "%s", memory: 1g}}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: from-pod}
spec: {containers: [{name: c, image: nginx}]}
"""


def ok(result: Result) -> str:
    assert result.exit_code == 0, (result.stdout, result.stderr, result.exception)
    return result.stdout


@pytest.fixture
def compose(tmp_path: Path) -> Callable[..., str]:
    """Write a compose file and name it."""

    def write(colour: str = "red", cores: str = "1") -> str:
        path = tmp_path / "shop.yaml"
        path.write_text(COMPOSE % (colour, cores))
        return str(path)

    return write


def test_a_plan_is_shown_and_only_what_changed_is_done(hythe: Hythe, compose: Callable[..., str]) -> None:
    name = "planned"

    first = ok(hythe("apply", compose(), "-n", name, "--dry-run"))
    assert "would be created" in first
    assert hythe("show", name).exit_code == 3

    assert ok(hythe("apply", compose(), "-n", name)).splitlines()[-1] == f"Created {name}."
    again = ok(hythe("apply", compose(), "-n", name))
    assert "is as it should be" in again and "Created" not in again and "Updated" not in again

    changed = ok(hythe("apply", compose("blue"), "-n", name))
    assert "'red' -> 'blue'" in changed and changed.splitlines()[-1] == f"Updated {name}."
    found = json.loads(ok(hythe("container", "show", name)))
    assert found["containers"][0]["environmentVariables"] == [{"name": "COLOUR", "value": "blue"}]
    assert json.loads(ok(hythe("apply", compose("blue"), "-n", name, "-o", "json")))["action"] == "none"
    assert f"Updated {name}." in ok(hythe("apply", compose("blue"), "-n", name, "--force"))


def test_a_group_is_not_made_again_without_a_yes(hythe: Hythe, compose: Callable[..., str]) -> None:
    name = "sized"
    ok(hythe("apply", compose(), "-n", name))

    refused = hythe("apply", compose(cores="2"), "-n", name)

    assert (refused.exit_code, "give --yes" in refused.stderr) == (2, True)
    said = json.loads(ok(hythe("apply", compose(cores="2"), "-n", name, "-y", "-o", "json")))
    assert (said["action"], said["applied"]) == ("replace", True)


def test_a_pod_and_what_was_exported_are_applied_too(hythe: Hythe, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    assert "Created from-pod." in ok(hythe("apply", str(tmp_path / "pod.yaml")))
    ok(hythe("container", "export", "from-pod", "-f", str(tmp_path / "export.yaml")))

    assert "is as it should be" in ok(hythe("apply", str(tmp_path / "export.yaml")))
    (tmp_path / "none.yaml").write_text("a: b")
    wrong = hythe("apply", str(tmp_path / "none.yaml"))
    assert wrong.exit_code == 1 and "no compose file" in wrong.stderr


def test_the_cost_on_azure_is_estimated(hythe: Hythe, compose: Callable[..., str]) -> None:
    ok(hythe("apply", compose(), "-n", "priced"))

    said = ok(hythe("cost", "priced", "--region", "eastus", "--hours", "24"))
    data = json.loads(ok(hythe("cost", "-f", compose(), "--region", "eastus", "-o", "json")))

    assert "24 h in eastus" in said and "Prices of 2026-" in said
    assert data["perHour"] == pytest.approx(0.0405 + 0.00445)
    unknown = hythe("cost", "priced", "--region", "moon")
    assert unknown.exit_code == 1 and "eastus" in unknown.stderr and "hythe cost --refresh" in unknown.stderr
    assert hythe("cost").exit_code == 2
