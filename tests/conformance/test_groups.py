"""What holds of container groups on Hythe and on Azure alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hythe import ContainerInstanceManagementClient
from hythe.client._sync.group import Group
from hythe.errors import InvalidRequest, NotFound

from .conftest import FOLDER, Endpoint


@pytest.fixture
def made(make: Callable[..., Group], request: pytest.FixtureRequest) -> Group:
    """Give a group that does what the test's parameter names."""
    return make(request.param)


@pytest.fixture
def patience(endpoint: Endpoint) -> float:
    return endpoint.patience


@pytest.mark.parametrize("made", ["talks"], indirect=True)
def test_a_task_ends_with_its_exit_code_and_log(made: Group, patience: float) -> None:
    ended = made.wait("Terminated", timeout=patience)
    assert ended.instance_view.state == "Failed"
    state = ended.containers[0].instance_view.current_state
    assert (state.state, state.exit_code) == ("Terminated", 3)
    assert state.start_time is not None and state.finish_time is not None
    assert sorted(made.log().split()) == ["one", "two"]
    assert made.log(tail=1).strip() in ("one", "two")
    assert sorted(line.text for line in made.logs(follow=True)) == ["one", "two"]


@pytest.mark.parametrize("made", ["waits"], indirect=True)
def test_what_is_shown_of_a_group(made: Group, aci: ContainerInstanceManagementClient, patience: float) -> None:
    shown = made.wait("Running", timeout=patience)
    assert (shown.name, shown.provisioning_state, shown.os_type) == (made.name, "Succeeded", "Linux")
    assert shown.type == "Microsoft.ContainerInstance/containerGroups"
    assert [(one.name, one.value, one.secure_value) for one in shown.containers[0].environment_variables] == [
        ("A", "1", None), ("B", None, None),
    ]  # fmt: skip
    listed = {group.name: group for group in aci.container_groups.list_by_resource_group(FOLDER)}
    assert made.name in listed
    assert made.name in {group.name for group in aci.container_groups.list()}


@pytest.mark.parametrize("made", ["waits"], indirect=True)
def test_tags_are_replaced_and_nothing_restarts(
    made: Group, aci: ContainerInstanceManagementClient, patience: float
) -> None:
    before = made.wait("Running", timeout=patience).containers[0].instance_view.current_state.start_time
    assert aci.container_groups.update(FOLDER, made.name, tags={"b": "2"}).tags == {"b": "2"}
    assert made.get().containers[0].instance_view.current_state.start_time == before


@pytest.mark.parametrize("made", ["waits"], indirect=True)
def test_stopping_and_starting(made: Group, patience: float) -> None:
    made.wait("Running", timeout=patience)
    made.stop()
    made.wait("Stopped", timeout=patience)
    made.start()
    made.wait("Running", timeout=patience)
    made.restart()
    made.wait("Running", timeout=patience)


def test_what_is_not_there(aci: ContainerInstanceManagementClient) -> None:
    with pytest.raises(NotFound):
        aci.container_groups.get(FOLDER, "nosuch")
    with pytest.raises(NotFound):
        aci.containers.list_logs(FOLDER, "nosuch", "c")
    assert aci.container_groups.delete(FOLDER, "nosuch") is None


def test_what_is_refused(aci: ContainerInstanceManagementClient, endpoint: Endpoint) -> None:
    wrong = endpoint.definition("waits")
    wrong.containers = []
    with pytest.raises(InvalidRequest):
        aci.container_groups.begin_create_or_update(FOLDER, "wrong", wrong)
    with pytest.raises(InvalidRequest):
        aci.container_groups.begin_create_or_update(FOLDER, "Not_A_Name!", endpoint.definition("waits"))
