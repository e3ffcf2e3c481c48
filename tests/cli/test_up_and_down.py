"""Tests services that are started and ended: what they refuse, what they keep and what they leave."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
from hythe.models import Container, ContainerGroup, ResourceRequests, ResourceRequirements

from ..free_ports import free_port
from .conftest import HYTHE, Service, run, sentence


@contextmanager
def clients(auth_file: Path) -> Iterator[tuple[ContainerInstanceManagementClient, ResourceManagementClient]]:
    aci = get_client_from_auth_file(ContainerInstanceManagementClient, auth_file)
    resources = get_client_from_auth_file(ResourceManagementClient, auth_file)
    with aci, resources:
        yield aci, resources


def group() -> ContainerGroup:
    needs = ResourceRequirements(requests=ResourceRequests(cpu=1, memory_in_gb=1))
    return ContainerGroup(
        location="eastus", os_type="Linux", containers=[Container(name="c", image="image", resources=needs)]
    )


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def modes(folder: Path) -> dict[str, int]:
    return {str(each.relative_to(folder)): each.stat().st_mode & 0o777 for each in folder.rglob("*")}


# --- up ---


def test_what_is_secret_is_for_the_owner_only(service: Service) -> None:
    assert service.data_dir.stat().st_mode & 0o777 == 0o700
    secret = {"my.azureauth", "secrets.key", "tls", "tls/ca.key", "tls/server.key", "tls/token.key", "hythe.db"}
    found = modes(service.data_dir)
    assert secret <= found.keys()
    assert {name: found[name] for name in secret if found[name] & 0o077} == {}
    assert (found["ca.pem"], found["ca-bundle.pem"]) == (0o644, 0o644)


@pytest.mark.parametrize("options", [(), ("--detach",)])
def test_a_data_dir_that_is_in_use_is_refused(service: Service, options: tuple[str, ...]) -> None:
    pid = service.pid
    said = sentence(service("up", "--engine", "sim", "--port", str(free_port()), *options))
    assert said == (
        f"cannot use {service.data_dir}: another service runs there. "
        "Stop it with `hythe down`, or choose another folder with --data-dir."
    )
    assert service.pid == pid
    assert service("env", "--json").returncode == 0, "the one that runs is left alone"


@pytest.mark.parametrize("options", [(), ("--detach",)])
def test_a_port_that_is_taken_is_refused(fresh: Service, options: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", fresh.port))
        taken.listen()
        said = sentence(fresh("up", "--engine", "sim", "--port", str(fresh.port), *options))
    assert said == f"cannot listen on 127.0.0.1:{fresh.port}: it is taken. Choose another port with --port."
    assert "cannot find a service" in sentence(fresh("env"), code=4)


@pytest.mark.parametrize("options", [(), ("--detach",)])
def test_a_folder_that_can_not_be_used_is_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    said = sentence(run(*HYTHE, "up", "--engine", "sim", "--data-dir", str(tmp_path / "file" / "data"), *options))
    assert said.startswith(f"cannot use {tmp_path / 'file' / 'data'}: ")
    assert said.endswith("Choose another folder with --data-dir.")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[service", "Expected ']'"),
        ("[service]\nport = 'x'", "`$.service.port`"),
        ("[servise]\nport = 1", "`servise`"),
        ("[engine.backoff]\nfist = 1", "`fist`"),
    ],
)
def test_settings_that_can_not_be_read_are_refused(fresh: Service, text: str, why: str) -> None:
    fresh.data_dir.mkdir()
    (fresh.data_dir / "hythe.toml").write_text(text)
    said = sentence(fresh("up", "--detach", "--port", str(fresh.port)))
    assert said.startswith(f"cannot read {fresh.data_dir / 'hythe.toml'}: ")
    assert why in said


# --- down ---


def test_what_was_made_is_there_again_after_down_and_up(fresh: Service) -> None:
    fresh.up()
    with clients(fresh.auth_file) as (aci, resources):
        resources.resource_groups.create_or_update("rg", {"location": "eastus"})
        aci.container_groups.begin_create_or_update("rg", "web", group()).result()
    before = fresh.facts

    assert fresh.down() == "Stopped. `hythe up` brings the groups back.\n"
    assert "cannot find a service" in sentence(fresh("env"), code=4)
    assert (fresh.data_dir / "hythe.db").exists()

    fresh.port = free_port()
    fresh.up()
    after = fresh.facts
    same = ("tenant", "subscription", "client_id", "client_secret")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert after["url"] != before["url"]
    with clients(fresh.auth_file) as (aci, _):
        found = aci.container_groups.get("rg", "web")
        assert [each.image for each in found.containers] == ["image"]
        wait_for(lambda: aci.container_groups.get("rg", "web").instance_view.state == "Running")


def test_purge_empties_the_data_dir_and_the_next_start_is_the_first(fresh: Service) -> None:
    said = fresh.up()
    assert said.startswith(f"Hythe answers at https://localhost:{fresh.port} (sim, ")
    assert said.endswith("`hythe down` ends it.\n")
    before = fresh.facts

    assert fresh.down("--purge") == f"Removed everything in {fresh.data_dir}.\n"
    assert not fresh.data_dir.exists()
    with socket.socket() as trial:
        assert trial.connect_ex(("127.0.0.1", fresh.port)) != 0

    fresh.up()
    after = fresh.facts
    assert after["url"] == before["url"]
    assert not {before[name] for name in ("tenant", "subscription", "client_id", "client_secret")} & {*after.values()}


def test_purge_leaves_what_is_not_hythes(fresh: Service) -> None:
    fresh.up()
    (fresh.data_dir / "mine").write_text("x")
    fresh.down("--purge")
    assert sorted(modes(fresh.data_dir)) == ["mine"]


def test_down_of_a_service_that_was_killed(fresh: Service) -> None:
    fresh.up()
    os.kill(fresh.pid, signal.SIGKILL)
    assert fresh.down().startswith("Stopped.")
    assert fresh.down().startswith("Stopped."), "again does no harm"
    fresh.up()


def test_a_service_that_was_killed_is_missed_in_a_sentence(fresh: Service) -> None:
    fresh.up()
    os.kill(fresh.pid, signal.SIGKILL)
    with socket.socket() as trial:
        wait_for(lambda: trial.connect_ex(("127.0.0.1", fresh.port)) != 0)
    for command in (["sp", "create"], ["run-with", "--", "true"]):
        said = sentence(fresh(*command), code=4)
        assert f"cannot reach Hythe at https://localhost:{fresh.port}: nobody listens there." in said
        assert said.endswith("Start it with `hythe up`.")


def test_another_program_on_the_port_is_not_told_the_secret(fresh: Service, service: Service) -> None:
    fresh.up()
    described = json.loads((fresh.data_dir / "service.json").read_text())
    described["url"] = f"https://localhost:{service.port}"
    (fresh.data_dir / "service.json").write_text(json.dumps(described))
    said = sentence(fresh("sp", "create"), code=4)
    assert f"cannot trust what answers at https://localhost:{service.port}: " in said
    assert said.endswith("Another program, or the service of another data dir, has its port.")
