"""Tests what is said when something goes wrong: one sentence, the next step, and the exit code for its meaning."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from .conftest import HYTHE, Service, clean_environment, sentence

Hythe = Callable[..., Result]
NOBODYS = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def groups(hythe: Hythe) -> Iterator[None]:
    """Have two groups that others may be taken for."""
    hythe("run", "-d", "--name", "frontend", "nginx")
    hythe("run", "-d", "--name", "backend", "-g", "elsewhere", "nginx")
    yield
    hythe("rm", "-y", "frontend", "elsewhere/backend")


@pytest.mark.usefixtures("groups")
@pytest.mark.parametrize(
    ("command", "code", "step"),
    [
        ("show frontent", 3, "Did you mean frontend?"),
        ("logs FRONTENDS", 3, "Did you mean frontend?"),
        ("logs zzz", 3, "`hythe ls` shows the groups that there are; -g chooses the resource group."),
        ("exec frontnd ls", 125, "Did you mean frontend?"),
        ("stop backend", 3, "Did you mean elsewhere/backend?"),
        ("show nowhere/frontend", 3, "Did you mean hythe/frontend?"),
        ("exec frontend -c x ls", 125, "The containers of frontend are frontend."),
        ("logs frontend -c x", 3, "Name one of these by --container-name."),
        ("show nowhere/zzz", 3, "`hythe ls` shows the groups of all resource groups; -g chooses the resource group."),
        (f"ls --subscription {NOBODYS}", 3, "`hythe subscription ls` shows those of this machine; --subscription "
         "chooses one."),
        ("cp frontend:/x y", 3, "Look what is there: `hythe exec GROUP ls /`."),
        ("wait frontend --for Stopped --timeout 0.1", 5, "`hythe why` tells how it is; it goes on meanwhile."),
        ("ls --cloud mars", 1, "For another give the https address of its Resource Manager."),
        ("ls --cloud ./no.azureauth", 4, "Check AZURE_AUTH_LOCATION or auth_path."),
        ("image ls", 1, "Start it without --engine sim. [NotSupported, HTTP 501]"),
    ],
)  # fmt: skip
def test_what_went_wrong_is_a_sentence_and_the_next_step(hythe: Hythe, command: str, code: int, step: str) -> None:
    said = sentence(hythe(*command.split()), code)
    assert said.startswith("cannot ") and said.endswith(step)


def test_who_is_not_trusted_is_told_no_token(service: Service, cli: Hythe) -> None:
    said = sentence(cli("ls", "--cloud", f"https://localhost:{service.port}"), code=4)
    assert said.startswith("cannot trust what answers") and "REQUESTS_CA_BUNDLE" in said


def test_a_wrong_secret_is_not_shown(service: Service, hythe: Hythe, tmp_path: Path) -> None:
    auth = json.loads(service.auth_file.read_text()) | {"clientSecret": "hush-hush"}
    (tmp_path / "my.azureauth").write_text(json.dumps(auth))
    (tmp_path / "ca.pem").write_bytes((service.data_dir / "ca.pem").read_bytes())
    said = sentence(hythe("ls", "--cloud", str(tmp_path / "my.azureauth")), code=4)
    assert said.endswith("Check tenant, client id and client secret or certificate.") and "hush-hush" not in said


def test_the_end_of_the_service_in_the_middle_is_said_by_everything_that_waits(fresh: Service) -> None:
    fresh.up()
    fresh("run", "-d", "--name", "web", "nginx")
    environment = clean_environment() | {"HYTHE_HOME": str(fresh.data_dir)}
    waiting = [
        subprocess.Popen([*HYTHE, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in (["wait", "web", "--for", "Stopped"], ["events", "-f", "web"])
    ]
    with waiting[0], waiting[1]:
        assert waiting[1].stdout is not None and "Started" in waiting[1].stdout.readline()
        os.kill(fresh.pid, signal.SIGKILL)
        for each in waiting:
            _, said = each.communicate(timeout=60)
            assert each.returncode == 4 and "Traceback" not in said
            assert said.splitlines()[-1].startswith("Error: cannot ") and "hythe up" in said
