"""What holds on Hythe and on Azure alike: the same tests on either.

They run on a simulated service.  With HYTHE_TEST_AZURE=1 they run on a real subscription, the one that
`hythe.connect("azure")` finds (and that pays for some minutes of small containers), in the region HYTHE_TEST_REGION,
eastus unless it is set.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

import hythe
from hythe import ContainerInstanceManagementClient
from hythe.client._sync.group import Group
from hythe.errors import InvalidRequest, NotFound
from hythe.models import Container, ContainerGroup, EnvironmentVariable, ResourceRequests, ResourceRequirements
from hythe.testing import Outcome, running_service

ON_AZURE = os.environ.get("HYTHE_TEST_AZURE") == "1"
REGION = os.environ.get("HYTHE_TEST_REGION", "eastus")
FOLDER = "hythe-conformance"
IMAGE = "mcr.microsoft.com/cbl-mariner/busybox:2.0"
COMMANDS = {
    "talks": ["sh", "-c", "echo one; echo two >&2; exit 3"],
    "waits": ["sh", "-c", "echo up; sleep 3600"],
}
SIMULATED = {
    "talks": Outcome(runs_for=0.0, exit_code=3, log="one\ntwo\n"),
    "waits": Outcome(log="up\n"),
}
PATIENCE = 600.0 if ON_AZURE else 10.0

pytestmark = pytest.mark.timeout(900 if ON_AZURE else 60)


@pytest.fixture(scope="module")
def aci() -> Iterator[ContainerInstanceManagementClient]:
    if ON_AZURE:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("AZURE_AUTH_LOCATION", raising=False)
            with hythe.connect("azure") as client:
                client.ensure_resource_group(FOLDER, REGION)
                yield client
    else:
        with running_service(SIMULATED) as service, service.client() as client:
            client.ensure_resource_group(FOLDER, REGION)
            yield client


def definition(name: str) -> ContainerGroup:
    needs = ResourceRequirements(requests=ResourceRequests(cpu=1.0, memory_in_gb=1.0))
    variables = [EnvironmentVariable(name="A", value="1"), EnvironmentVariable(name="B", secure_value="hidden")]
    container = Container(
        name=name, image=IMAGE, command=COMMANDS[name], resources=needs, environment_variables=variables
    )
    return ContainerGroup(
        location=REGION, os_type="Linux", restart_policy="Never", containers=[container], tags={"a": "1"}
    )


@pytest.fixture
def made(aci: ContainerInstanceManagementClient, request: pytest.FixtureRequest) -> Iterator[Group]:
    """Give a group whose container the test's marker names."""
    name = f"{request.param}-{uuid.uuid4().hex[:8]}"
    aci.container_groups.begin_create_or_update(FOLDER, name, definition(request.param)).result(PATIENCE)
    group = aci.group(name, FOLDER)
    yield group
    group.delete()


@pytest.mark.parametrize("made", ["talks"], indirect=True)
def test_a_task_ends_with_its_exit_code_and_log(made: Group) -> None:
    ended = made.wait("Terminated", timeout=PATIENCE)
    assert ended.instance_view.state == "Failed"
    state = ended.containers[0].instance_view.current_state
    assert (state.state, state.exit_code) == ("Terminated", 3)
    assert state.start_time is not None and state.finish_time is not None
    assert sorted(made.log().split()) == ["one", "two"]
    assert made.log(tail=1).strip() in ("one", "two")
    assert sorted(line.text for line in made.logs(follow=True)) == ["one", "two"]


@pytest.mark.parametrize("made", ["waits"], indirect=True)
def test_what_is_shown_of_a_group(made: Group, aci: ContainerInstanceManagementClient) -> None:
    shown = made.wait("Running", timeout=PATIENCE)
    assert (shown.name, shown.provisioning_state, shown.os_type) == (made.name, "Succeeded", "Linux")
    assert shown.type == "Microsoft.ContainerInstance/containerGroups"
    assert [(one.name, one.value, one.secure_value) for one in shown.containers[0].environment_variables] == [
        ("A", "1", None), ("B", None, None),
    ]  # fmt: skip
    listed = {group.name: group for group in aci.container_groups.list_by_resource_group(FOLDER)}
    assert made.name in listed
    assert made.name in {group.name for group in aci.container_groups.list()}


@pytest.mark.parametrize("made", ["waits"], indirect=True)
def test_tags_are_replaced_and_nothing_restarts(made: Group, aci: ContainerInstanceManagementClient) -> None:
    before = made.wait("Running", timeout=PATIENCE).containers[0].instance_view.current_state.start_time
    assert aci.container_groups.update(FOLDER, made.name, tags={"b": "2"}).tags == {"b": "2"}
    assert made.get().containers[0].instance_view.current_state.start_time == before


@pytest.mark.parametrize("made", ["waits"], indirect=True)
def test_stopping_and_starting(made: Group) -> None:
    made.wait("Running", timeout=PATIENCE)
    made.stop()
    made.wait("Stopped", timeout=PATIENCE)
    made.start()
    made.wait("Running", timeout=PATIENCE)
    made.restart()
    made.wait("Running", timeout=PATIENCE)


def test_what_is_not_there(aci: ContainerInstanceManagementClient) -> None:
    with pytest.raises(NotFound):
        aci.container_groups.get(FOLDER, "nosuch")
    with pytest.raises(NotFound):
        aci.containers.list_logs(FOLDER, "nosuch", "c")
    assert aci.container_groups.delete(FOLDER, "nosuch") is None


def test_what_is_refused(aci: ContainerInstanceManagementClient) -> None:
    wrong = definition("waits")
    wrong.containers = []
    with pytest.raises(InvalidRequest):
        aci.container_groups.begin_create_or_update(FOLDER, "wrong", wrong)
    with pytest.raises(InvalidRequest):
        aci.container_groups.begin_create_or_update(FOLDER, "Not_A_Name!", definition("waits"))
