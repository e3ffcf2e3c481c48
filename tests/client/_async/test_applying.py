"""Tests that applying a definition changes what is different and nothing else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hythe.errors import NotFound
from hythe.models import (
    Container,
    ContainerGroup,
    ContainerPort,
    EnvironmentVariable,
    IpAddress,
    Port,
    ResourceRequests,
    ResourceRequirements,
    Volume,
    VolumeMount,
)
from hythe.testing import running_service

from .subject import ContainerInstanceManagementClient, pytestmark, served

__all__ = ["pytestmark"]


def wanted(image: str = "one", cpu: float = 1.0, **options: object) -> ContainerGroup:
    container = Container(
        name="c", image=image, ports=[ContainerPort(port=80)],
        resources=ResourceRequirements(requests=ResourceRequests(cpu=cpu, memory_in_gb=1.0)),
        environment_variables=[
            EnvironmentVariable(name="A", value="1"), EnvironmentVariable(name="S", secure_value="hidden"),
        ],
        volume_mounts=[VolumeMount(name="v", mount_path="/v")],
    )  # fmt: skip
    members = {
        "name": "web", "location": "eastus", "os_type": "Linux", "containers": [container], "restart_policy": "Never",
        "ip_address": IpAddress(type="Public", ports=[Port(port=80)]), "tags": {"a": "1"},
        "volumes": [Volume(name="v", secret={"k": "dg=="})],
    } | options  # fmt: skip
    return ContainerGroup(**members)


async def epoch(aci: ContainerInstanceManagementClient) -> object:
    group = await aci.container_groups.get("hythe", "web")
    return group.containers[0].instance_view.current_state.start_time


async def test_the_same_definition_again_changes_nothing() -> None:
    with running_service() as service:
        async with served(service) as aci:
            assert (await aci.plan(wanted())).action == "create"
            assert (await aci.apply(wanted())).action == "create"
            plan = await aci.apply(wanted())
            assert (plan.action, plan.changes) == ("none", ())
            assert plan.unseen == ("containers[c].environmentVariables[S].secureValue", "volumes[v].secret")
            assert "is as it should be" in str(plan) and "force=True" in str(plan) and "hidden" not in str(plan)


async def test_only_what_changed_is_applied() -> None:
    with running_service() as service:
        async with served(service) as aci:
            await aci.apply(wanted())
            before = await epoch(aci)
            plan = await aci.apply(wanted(tags={"a": "2", "b": "1"}))
            assert (plan.action, [str(each) for each in plan.changes]) == (
                "tags", ["~ tags.a: '1' -> '2'", "+ tags.b: '1'"],
            )  # fmt: skip
            assert (await aci.container_groups.get("hythe", "web")).tags == {"a": "2", "b": "1"}
            assert await epoch(aci) == before
            planned = await aci.plan(wanted("two"))
            assert (planned.action, str(planned.changes[0])) == ("update", "~ containers[c].image: 'one' -> 'two'")
            assert (await aci.container_groups.get("hythe", "web")).containers[0].image == "one"
            await aci.apply(wanted("two"))
            assert (await aci.container_groups.get("hythe", "web")).containers[0].image == "two"


async def test_what_can_not_change_in_place_is_made_again() -> None:
    with running_service() as service:
        async with served(service) as aci:
            await aci.apply(wanted())
            plan = await aci.apply(wanted(cpu=2.0))
            assert plan.action == "replace"
            assert str(plan.changes[0]) == "~ containers[c].resources.requests.cpu: 1.0 -> 2.0"
            group = await aci.container_groups.get("hythe", "web")
            assert group.containers[0].resources.requests.cpu == 2.0
            assert (await aci.plan(wanted(cpu=2.0, restart_policy="Always"))).action == "replace"


async def test_what_is_left_out_goes() -> None:
    with running_service() as service:
        async with served(service) as aci:
            await aci.apply(wanted())
            less = wanted(volumes=None)
            less.containers[0].volume_mounts = None
            less.containers[0].environment_variables = less.containers[0].environment_variables[:1]
            plan = await aci.apply(less)
            gone = {each.path for each in plan.changes if each.after is None}
            assert gone == {"volumes", "containers[c].volumeMounts", "containers[c].environmentVariables[S]"}
            assert (await aci.plan(less)).action == "none"


async def test_force_sends_secrets_again() -> None:
    with running_service() as service:
        async with served(service) as aci:
            await aci.apply(wanted())
            before = await epoch(aci)
            changed = wanted()
            changed.containers[0].environment_variables[1].secure_value = "other"
            assert (await aci.apply(changed)).action == "none"
            assert (await aci.apply(changed, force=True)).action == "update"
            assert await epoch(aci) != before


async def test_a_name_that_is_given_wins_over_the_definitions(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("name: com\nservices: {a: {image: i}}")
    with running_service() as service:
        async with served(service) as aci:
            assert (await aci.apply(tmp_path / "compose.yaml", name="other")).name == "other"
            definition = wanted()
            assert (await aci.apply(definition, name="mine")).action == "create"
            assert (await aci.plan(definition, name="mine")).action == "none"
            assert definition.name == "web"  # what the caller has stays as it is
            made = [group.name async for group in aci.container_groups.list_by_resource_group("hythe")]
            assert sorted(made) == ["mine", "other"]


async def test_files_of_three_kinds(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("name: com\nservices: {a: {image: i}}")
    (tmp_path / "pod.yaml").write_text("kind: Pod\nmetadata: {name: pod}\nspec: {containers: [{name: a, image: i}]}")
    (tmp_path / "mine.yaml").write_text(msgspec.structs.replace(wanted(), name=None).to_yaml())
    with running_service() as service:
        async with served(service) as aci:
            for file, name in (("compose.yaml", "com"), ("pod.yaml", "pod"), ("mine.yaml", "mine")):
                plan = await aci.apply(tmp_path / file)
                assert (plan.name, plan.action) == (name, "create")
                assert (await aci.plan(str(tmp_path / file))).action == "none", str(await aci.plan(tmp_path / file))
            (tmp_path / "none.yaml").write_text("a: b")
            with pytest.raises(ValueError, match="no compose file, no pod"):
                await aci.plan(tmp_path / "none.yaml")
            with pytest.raises(ValueError, match="without a name"):
                await aci.plan(msgspec.structs.replace(wanted(), name=None))
            with pytest.raises(NotFound):
                await aci.container_groups.get("hythe", "web")
