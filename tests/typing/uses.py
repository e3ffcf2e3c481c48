"""Uses the library as people do; never run, only read by type checkers."""

from __future__ import annotations

from typing import assert_type

import hythe
from hythe import ContainerInstanceManagementClient, ExecResult, LogLine, Plan, RunResult, aio
from hythe.models import Container, ContainerGroup, EnvironmentVariable, ResourceRequests, ResourceRequirements

NEEDS = ResourceRequirements(requests=ResourceRequests(cpu=1.0, memory_in_gb=1.5))


def define() -> ContainerGroup:
    variables = [EnvironmentVariable(name="A", value="1"), EnvironmentVariable(name="B", secure_value="s")]
    web = Container(name="web", image="nginx", resources=NEEDS, environment_variables=variables)
    return ContainerGroup(location="eastus", os_type="Linux", containers=[web], restart_policy="Never")


def drive(client: ContainerInstanceManagementClient) -> None:
    poller = client.container_groups.begin_create_or_update("rg", "web", define(), polling_interval=1)
    assert_type(poller.result(), ContainerGroup)
    assert_type(client.container_groups.get("rg", "web", timeout=5).name, str | None)
    for group in client.container_groups.list():
        assert_type(group, ContainerGroup)
    for page in client.container_groups.list_by_resource_group("rg").by_page():
        for group in page:
            assert_type(group, ContainerGroup)
    assert_type(client.containers.list_logs("rg", "web", "web").content, str | None)


def tasks() -> None:
    with hythe.connect() as client:
        assert_type(client, ContainerInstanceManagementClient)
        assert_type(client.run("image", ["a"], cpu=0.5, environment={"A": "b"}), RunResult)
        assert_type(client.map("image", ["a", "b"], parallel=2), list[RunResult])
        assert_type(client.apply("compose.yaml"), Plan)
        group = client.group("web")
        assert_type(group.exec(["ls"], input=b"x"), ExecResult)
        for line in group.logs(follow=True):
            assert_type(line, LogLine)
        with group.forward(80) as forward, group.open("sh", tty=True) as session:
            assert_type(forward.port, int)
            assert_type(session.exit_code, int | None)
    assert_type(hythe.estimate(define(), 24).total, float)
    assert_type(hythe.to_pod(hythe.from_pod("")), str)


async def asynchronous() -> None:
    async with await aio.connect() as client:
        assert_type(client, aio.ContainerInstanceManagementClient)
        assert_type(await client.run("image"), RunResult)
        poller = await client.container_groups.begin_create_or_update("rg", "web", define())
        assert_type(await poller.result(), ContainerGroup)
        async for group in client.container_groups.list():
            assert_type(group, ContainerGroup)
        async for line in client.group("web").logs(follow=True):
            assert_type(line, LogLine)
