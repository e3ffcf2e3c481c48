"""What real containers write is posted to the workspace that their group names, line by line, over a dead service."""

from __future__ import annotations

import base64

import pytest

from hythe.models import ContainerGroupDiagnostics, LogAnalytics

from ..service.test_workspaces import ID, KEY, Workspace, workspace
from .conftest import TOOLS, Running, container, group, wait_for

__all__ = ["workspace"]  # a fixture
pytestmark = pytest.mark.containers
SCRIPT = "for i in $(seq 3000); do echo line $i; done; sleep 2; for i in 3001 3002; do echo line $i; done; sleep 60"


def test_lines_come_in_order_and_none_is_lost(fresh: Running, workspace: Workspace) -> None:
    fresh.settings += f'[log_analytics]\nurl = "{workspace.url}"\n'
    fresh.up()
    folder = fresh.folder("rg")
    wanted = group(
        container(command=["sh", "-c", SCRIPT], image=TOOLS),
        diagnostics=ContainerGroupDiagnostics(log_analytics=LogAnalytics(workspace_id=ID, workspace_key=KEY)),
    )
    fresh.aci.container_groups.begin_create_or_update(folder, "g", wanted).result()
    wait_for(lambda: len(workspace.lines()) >= 3000)
    fresh.kill()
    fresh.up()
    wait_for(lambda: f"line {3002}" in workspace.lines())
    found = [*dict.fromkeys(workspace.lines())]  # a death may repeat what was posted last

    assert found == [f"line {number}" for number in range(1, 3003)]
    assert {records[0]["ContainerImage"] for _, records in workspace.taken if "ContainerImage" in records[0]} == {TOOLS}
    for path in fresh.data_dir.glob("service.log*"):
        assert KEY.encode() not in path.read_bytes() and base64.b64decode(KEY) not in path.read_bytes()
