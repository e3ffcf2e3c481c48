"""Sandboxes made ahead are taken by new groups, never leaked, and survive what the service does not."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from .conftest import Running, Traces, traces, wait_for, web

pytestmark = pytest.mark.containers


def sandboxes(service: Running) -> set[str]:
    return set(service.ctr("tasks", "ls", "-q"))


def ready(service: Running, count: int) -> set[str]:
    wait_for(lambda: len(sandboxes(service)) == count)
    return sandboxes(service)


def booked(service: Running) -> int:
    """Count the ready sandboxes that the service knows."""
    with contextlib.closing(sqlite3.connect(f"file:{service.data_dir}/hythe.db?mode=ro", uri=True)) as database:
        count: int = database.execute("SELECT count(*) FROM warm WHERE ready").fetchone()[0]
        return count


def sizes(seen: Traces) -> tuple[int, int, int]:
    return len(seen.links), len(seen.mounts), len(seen.namespaces)


def test_a_new_group_takes_a_ready_sandbox_and_another_is_made(fresh: Running) -> None:
    fresh.settings = "[engine]\npool = 2\n[gateway]\nport = 0\n"
    fresh.up()
    folder = fresh.folder("rg")
    before = ready(fresh, 2)
    clean = traces(fresh)

    made = fresh.aci.container_groups.begin_create_or_update(folder, "web", web()).result()

    wait_for(lambda: len(sandboxes(fresh)) == 4)  # two ready ones, the taken one and its container
    assert len(sandboxes(fresh) & before) == 2
    assert made.instance_view.state == "Running"
    assert len(traces(fresh).links) == len(clean.links) + 1
    fresh.aci.container_groups.begin_delete(folder, "web").result()
    left = ready(fresh, 2)
    assert len(left & before) == 1
    wait_for(lambda: sizes(traces(fresh)) == sizes(clean))


def test_the_pool_survives_the_death_of_the_service_and_down_removes_it(fresh: Running) -> None:
    before = traces(fresh)
    fresh.settings = "[engine]\npool = 2\n[gateway]\nport = 0\n"
    fresh.up()
    folder = fresh.folder("rg")
    held = ready(fresh, 2)
    wait_for(lambda: booked(fresh) == 2)  # a task is listed before its sandbox is ready

    fresh.kill()
    fresh.up()

    assert sandboxes(fresh) == held
    fresh.aci.container_groups.begin_create_or_update(folder, "web", web()).result()
    assert len(sandboxes(fresh) & held) == 2
    fresh.end_service()
    fresh.settings = "[engine]\npool = 0\n[gateway]\nport = 0\n"
    fresh.up()
    assert len(ready(fresh, 2)) == 2  # the group's sandbox and container; the ready one was not wanted any more
    fresh.down("--purge")
    assert traces(fresh) == before
