"""Replays exchanges with Azure, in the shapes that were recorded there: what is asked, and what is made of the answers.

The files have Azure's order, headers and oddities: a monitor's address with signed parameters that must go back as it
is, no Retry-After anywhere, null for members that are not there, instance views in some answers only.  The names, ids
and times in them are made up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hythe.errors import Conflict, Forbidden, ImageInaccessible

from ..script import answer
from .subject import (
    ContainerInstanceManagementClient,
    FakeTransport,
    StaticTokenCredential,
    clocked,
    pytestmark,
)

__all__ = ["pytestmark"]

FOLDER = Path(__file__).parents[1] / "recordings"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def replay(name: str) -> tuple[ContainerInstanceManagementClient, FakeTransport, list[dict[str, Any]]]:
    """Make a client of Azure's own address that gets the recorded answers."""
    exchanges = json.loads((FOLDER / f"{name}.json").read_text())
    lines = []
    for exchange in exchanges:
        said = exchange["response"]
        headers = {key.replace("-", "_"): text for key, text in said["headers"].items()}
        lines.append(answer(said["status"], said["body"], **headers))
    transport = FakeTransport(*lines)
    aci = ContainerInstanceManagementClient(StaticTokenCredential("t"), SUBSCRIPTION, transport=transport)
    return aci, transport, exchanges


def asked_as_recorded(transport: FakeTransport, exchanges: list[dict[str, Any]]) -> None:
    """Compare all requests with the recorded ones; the api-version of our own addresses is ours."""
    asked = [(request.method, request.url) for request in transport.requests]
    recorded = [(one["request"]["method"], one["request"]["url"]) for one in exchanges]
    assert [(method, url if "operations/" in url else url.partition("?")[0]) for method, url in asked] == recorded
    assert all(request.headers["authorization"] == "Bearer t" for request in transport.requests)
    assert not transport.lines


async def test_create() -> None:
    aci, transport, exchanges = replay("create")
    clock = clocked(aci)
    poller = await aci.container_groups.begin_create_or_update("rg", "web", {"location": "westus"})
    assert poller.status() == "InProgress"
    group = await poller.result()
    asked_as_recorded(transport, exchanges)
    assert clock.naps == [5]  # Azure names no time, and Microsoft's client would wait for 30 s
    assert (group.provisioning_state, group.instance_view.state, group.ip_address.ip) == (
        "Succeeded", "Running", "20.1.2.3",
    )  # fmt: skip
    view = group.containers[0].instance_view
    assert view.current_state.start_time.microsecond == 124000
    assert [event.name for event in view.events] == ["Pulling", "Pulled", "Started"]
    assert group.tags is None and group.diagnostics is None
    assert group.volumes[0].secret == {}


@pytest.mark.parametrize(("name", "error"), [("invalid", ImageInaccessible), ("forbidden", Forbidden)])
async def test_create_refused(name: str, error: type[Exception]) -> None:
    aci, transport, exchanges = replay(name)
    with pytest.raises(error):
        await aci.container_groups.begin_create_or_update("rg", "web", {})
    asked_as_recorded(transport, exchanges)


async def test_list_has_no_instance_views() -> None:
    aci, transport, exchanges = replay("list")
    (group,) = [one async for one in aci.container_groups.list_by_resource_group("rg")]
    asked_as_recorded(transport, exchanges)
    assert group.containers[0].instance_view is None


@pytest.mark.parametrize(("name", "state"), [("delete", "Running"), ("delete_missing", None)])
async def test_delete(name: str, state: str | None) -> None:
    aci, transport, exchanges = replay(name)
    last = await (await aci.container_groups.begin_delete("rg", "web")).result()
    asked_as_recorded(transport, exchanges)
    assert (last.instance_view.state if last else None) == state


@pytest.mark.parametrize("verb", ["start", "restart"])
async def test_verbs_with_a_monitor(verb: str) -> None:
    aci, transport, exchanges = replay(verb)
    clocked(aci)
    poller = await getattr(aci.container_groups, f"begin_{verb}")("rg", "web")
    assert await poller.result() is None
    asked_as_recorded(transport, exchanges)


async def test_stop_and_a_stopped_group() -> None:
    aci, transport, exchanges = replay("stop")
    await aci.container_groups.stop("rg", "web")
    asked_as_recorded(transport, exchanges)
    aci, transport, exchanges = replay("stopped")
    state = (await aci.container_groups.get("rg", "web")).containers[0].instance_view.current_state
    assert (state.exit_code, state.start_time) == (None, None)
    assert state.detail_status == "Container stopped per client request"


async def test_a_group_that_is_busy() -> None:
    aci, transport, exchanges = replay("transitioning")
    with pytest.raises(Conflict, match="then try again"):
        await aci.container_groups.stop("rg", "web")
    asked_as_recorded(transport, exchanges)


async def test_logs_exec_usages_and_profiles() -> None:
    aci, transport, exchanges = replay("logs")
    assert (await aci.containers.list_logs("rg", "web", "web")).content == "hello\n"
    asked_as_recorded(transport, exchanges)
    aci, transport, exchanges = replay("exec")
    opened = await aci.containers.execute_command("rg", "web", "web", {"command": "/bin/sh"})
    asked_as_recorded(transport, exchanges)
    assert opened.password.endswith("[[EOM]]")
    aci, transport, exchanges = replay("usages")
    assert [one.limit async for one in aci.location.list_usage("westus")] == [100]
    asked_as_recorded(transport, exchanges)
    aci, transport, exchanges = replay("profile")
    assert (await aci.cg_profile.create_or_update("rg", "p", {})).revision == 1
    asked_as_recorded(transport, exchanges)
