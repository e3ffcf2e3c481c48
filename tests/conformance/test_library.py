"""What the library adds, on Hythe and on Azure alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hythe import ContainerInstanceManagementClient, estimate
from hythe.client._sync.group import Group
from hythe.client.transport import Request
from hythe.errors import NotOffered, OperationFailed, StillRunning

from .conftest import COMMANDS, FOLDER, IMAGE, Endpoint

NEEDS = {"cpu": 1.0, "memory_in_gb": 1.0}


def test_a_task_gives_exit_code_log_and_times(aci: ContainerInstanceManagementClient, endpoint: Endpoint) -> None:
    result = aci.run(
        IMAGE, COMMANDS["works"], resource_group=FOLDER, timeout=endpoint.patience, location=endpoint.region, **NEEDS
    )
    assert (result.ok, result.exit_code, result.log, result.state) == (True, 0, "done\n", "Succeeded")
    assert result.duration is not None and result.waited > 0


def test_many_tasks_come_back_in_order(aci: ContainerInstanceManagementClient, endpoint: Endpoint) -> None:
    told: list[tuple[int, int]] = []
    results = aci.map(
        IMAGE, [COMMANDS["works"]] * 3, parallel=2, resource_group=FOLDER, timeout=endpoint.patience,
        location=endpoint.region, on_result=lambda done, all_, _: told.append((done, all_)), **NEEDS,
    )  # fmt: skip
    assert [result.log for result in results] == ["done\n"] * 3
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_definition_is_applied_once(
    aci: ContainerInstanceManagementClient, endpoint: Endpoint, name: Callable[[str], str]
) -> None:
    wanted, called = endpoint.definition("waits"), name("applied")
    assert aci.plan(wanted, resource_group=FOLDER, name=called).action == "create"
    assert aci.apply(wanted, resource_group=FOLDER, name=called, timeout=endpoint.patience).action == "create"
    assert aci.apply(wanted, resource_group=FOLDER, name=called).action == "none"
    wanted.tags = {"b": "2"}
    assert aci.apply(wanted, resource_group=FOLDER, name=called).action == "tags"
    assert aci.container_groups.get(FOLDER, called).tags == {"b": "2"}


def test_a_log_is_followed_to_its_end_and_read_by_its_tail(make: Callable[..., Group], endpoint: Endpoint) -> None:
    talks = make("talks")
    assert sorted(line.text for line in talks.logs(follow=True)) == ["one", "two"]
    talks.wait("Terminated", timeout=endpoint.patience)
    assert [line.container for line in talks.logs("talks", tail=1)] == ["talks"]


def test_what_is_wrong_is_explained(make: Callable[..., Group], endpoint: Endpoint) -> None:
    talks = make("talks")
    with pytest.raises(OperationFailed, match="exit code 3"):
        talks.wait("Running", timeout=endpoint.patience)  # it may have run already
        talks.wait("Succeeded", timeout=endpoint.patience)
    said = talks.why()
    assert "ended with exit code 3" in said and talks.state() == "Failed"


def test_waiting_has_an_end(make: Callable[..., Group], endpoint: Endpoint) -> None:
    waits = make("waits")
    waits.wait("Running", timeout=endpoint.patience)
    with pytest.raises(StillRunning):
        waits.wait("Terminated", timeout=0.5)


def test_a_command_runs_in_a_container(make: Callable[..., Group], endpoint: Endpoint) -> None:
    waits = make("waits")
    waits.wait("Running", timeout=endpoint.patience)
    done = waits.exec("echo there")
    assert done.stdout.replace("\r\n", "\n") == "there\n"
    assert done.exit_code in ((None, 0) if endpoint.azure else (0,))  # Azure tells none


def test_the_use_of_a_group_is_measured(make: Callable[..., Group], endpoint: Endpoint) -> None:
    waits = make("waits")
    waits.wait("Running", timeout=endpoint.patience)
    usage = waits.top()  # figures come later: seconds on Hythe, minutes on Azure
    assert [(each.name, each.cpu_limit, each.memory_limit) for each in usage.containers] == [("waits", 1.0, 1 << 30)]


def test_the_yaml_of_a_group_makes_it_again(
    aci: ContainerInstanceManagementClient, make: Callable[..., Group], endpoint: Endpoint, tmp_path: Path
) -> None:
    waits = make("waits")
    shown = waits.wait("Running", timeout=endpoint.patience)
    (tmp_path / "group.yaml").write_text(shown.to_yaml())
    assert aci.plan(tmp_path / "group.yaml", resource_group=FOLDER).action == "none"


def test_what_a_region_has(aci: ContainerInstanceManagementClient, endpoint: Endpoint) -> None:
    usages = {usage.name.value for usage in aci.location.list_usage(endpoint.region)}
    assert "ContainerGroups" in usages and "StandardCores" in usages
    assert any(each.os_type == "Linux" for each in aci.location.list_capabilities(endpoint.region))
    assert all(each.image for each in aci.location.list_cached_images(endpoint.region))
    assert any(each.name.endswith("containerGroups/read") for each in aci.operations.list())


def test_a_profile_has_revisions(
    aci: ContainerInstanceManagementClient, endpoint: Endpoint, name: Callable[[str], str]
) -> None:
    called = name("profile")
    definition = endpoint.definition("waits").as_dict()
    definition = {key: value for key, value in definition.items() if key != "name"}
    made = aci.cg_profile.create_or_update(FOLDER, called, definition)
    assert made.revision == 1
    assert called in {each.name for each in aci.cg_profiles.list_by_resource_group(FOLDER)}
    aci.cg_profile.delete(FOLDER, called)


def test_a_request_of_ones_own(aci: ContainerInstanceManagementClient) -> None:
    subscription = aci._session.subscription_id
    url = f"/subscriptions/{subscription}/resourceGroups/{FOLDER}?api-version=2021-04-01"
    assert aci.send_request(Request(method="GET", url=url, headers={})).status == 200


def test_what_it_would_cost(endpoint: Endpoint) -> None:
    assert estimate(endpoint.definition("waits"), hours=1, region="eastus").total > 0


@pytest.mark.only_hythe("Azure has no way to copy files, nor to a port that is not published")
def test_files_and_ports(make: Callable[..., Group], endpoint: Endpoint, tmp_path: Path) -> None:
    waits = make("waits")
    waits.wait("Running", timeout=endpoint.patience)
    (tmp_path / "file").write_text("content")
    waits.copy_in(tmp_path / "file", "/tmp/file")
    assert waits.copy_out("/tmp", tmp_path / "back").exists()
    with waits.forward(80) as forward:
        assert forward.port > 0


def test_what_azure_can_not_do_is_refused_with_the_reason(make: Callable[..., Group], endpoint: Endpoint) -> None:
    if not endpoint.azure:
        pytest.skip("Hythe can do all of it")
    waits = make("waits")
    with pytest.raises(NotOffered, match="Azure"):
        waits.forward(80)
