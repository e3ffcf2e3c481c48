"""A service of its own each: up and down, back again, side by side, and gone without a trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..free_ports import free_port
from .conftest import TOOLS, Running, container, group, hythe, page, traces, wait_for, web

pytestmark = pytest.mark.containers


def put(service: Running, folder: str, name: str, what: object) -> object:
    return service.aci.container_groups.begin_create_or_update(folder, name, what).result()


def test_what_should_run_comes_back_and_what_ended_does_not_run_again(fresh: Running) -> None:
    fresh.up()
    folder = fresh.folder("rg")
    put(fresh, folder, "web", web())
    put(fresh, folder, "stopped", web())
    fresh.aci.container_groups.stop(folder, "stopped")
    assert fresh.run(folder, "task", "echo done") == "done\n"
    ended = fresh.aci.container_groups.get(folder, "task").containers[0].instance_view.current_state

    fresh.down()
    fresh.up()

    wait_for(lambda: fresh.state(folder, "web") == "Running")
    address = fresh.aci.container_groups.get(folder, "web").ip_address.ip
    assert b"<h1>" in page(address)
    assert fresh.state(folder, "stopped") == "Stopped"
    again = fresh.aci.container_groups.get(folder, "task")
    assert again.instance_view.state == "Succeeded"
    assert again.containers[0].instance_view.current_state.finish_time == ended.finish_time
    assert len(fresh.ctr("tasks", "ls", "-q")) == 2, "the sandbox and the container of the one that runs"


def test_the_short_path_that_su_and_cron_have_is_enough(fresh: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as short:
        short.setenv("PATH", "/usr/bin:/bin")  # no iptables, no runc
        fresh.up()
        made = put(fresh, fresh.folder("rg"), "web", web())
        assert b"<h1>" in page(made.ip_address.ip)
        fresh.down()


def test_down_leaves_nothing_running_and_purge_leaves_nothing(fresh: Running) -> None:
    before = traces(fresh)
    fresh.up()
    folder = fresh.folder("rg")
    put(fresh, folder, "web", web())
    put(fresh, folder, "task", group(container(image=TOOLS, command=["true"]), restart_policy="Never"))
    assert traces(fresh) != before

    fresh.down()
    assert traces(fresh) == before
    assert (fresh.data_dir / "hythe.db").exists()

    fresh.up()
    fresh.down("--purge")
    assert traces(fresh) == before
    assert [each.name for each in fresh.data_dir.iterdir()] == ["hythe.toml"]


def test_deleted_groups_leave_nothing(fresh: Running) -> None:
    fresh.up()
    before = traces(fresh)
    folder = fresh.folder("rg")
    for name in ("a", "b", "c"):
        put(fresh, folder, name, web())
    assert len(traces(fresh).links) == 3
    fresh.aci.container_groups.begin_delete(folder, "a").result()
    fresh.resources.resource_groups.begin_delete(folder).result()

    wait_for(lambda: traces(fresh) == before)
    wait_for(lambda: fresh.ctr("containers", "ls", "-q") == [])
    wait_for(lambda: not [*(fresh.data_dir / "engine" / "logs").iterdir()])


def test_two_services_side_by_side_know_nothing_of_each_other(fresh: Running, real: Running) -> None:
    fresh.up()
    ours, theirs = fresh.folder("same"), real.folder("same")
    here = put(fresh, ours, "same", web()).ip_address.ip
    there = put(real, theirs, "same", web()).ip_address.ip
    assert here.rpartition(".")[0] != there.rpartition(".")[0]

    script = f"busybox wget -T 2 -O - http://{there}/ && echo reached || echo apart"
    assert "apart" in fresh.run(ours, "asks", script)
    fresh.down("--purge")

    assert b"<h1>" in page(there)
    assert real.state(theirs, "same") == "Running"


def test_a_data_dir_and_a_port_have_one_service(fresh: Running, tmp_path: Path) -> None:
    fresh.up()

    same = hythe("up", "--detach", "--port", str(free_port()), data_dir=fresh.data_dir)
    taken = hythe("up", "--detach", "--port", str(fresh.port), data_dir=tmp_path / "other")

    assert (same.returncode, taken.returncode) == (1, 1)
    assert "another service runs there. Stop it with `hythe down`" in same.stderr
    assert f"cannot listen on 127.0.0.1:{fresh.port}: it is taken. Choose another port with --port." in taken.stderr
