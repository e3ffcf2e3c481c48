"""Uses Microsoft's clients on a service of `hythe.testing`, as somebody's code would; run by test_microsofts.py."""

import asyncio

from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient as AsyncClient
from azure.mgmt.containerinstance.models import Container, ContainerGroup, ResourceRequests, ResourceRequirements

from hythe.testing import Outcome, running_service

NEEDS = ResourceRequirements(requests=ResourceRequests(memory_in_gb=1, cpu=1.0))
TASK = ContainerGroup(
    location="eastus", os_type="Linux", restart_policy="Never",
    containers=[Container(name="task", image="any/image", resources=NEEDS)],
)  # fmt: skip


def use(client: ContainerInstanceManagementClient) -> None:
    made = client.container_groups.begin_create_or_update("rg", "one", TASK, polling_interval=0.05).result()
    assert made.name == "one"
    assert client.containers.list_logs("rg", "one", "task").content == "hello\n"
    client.container_groups.begin_delete("rg", "one").result()
    try:
        client.container_groups.get("rg", "one")
    except ResourceNotFoundError:
        return
    raise AssertionError("it is still there")


async def use_async(client: AsyncClient) -> None:
    async with client:
        poller = await client.container_groups.begin_create_or_update("rg", "two", TASK, polling_interval=0.05)
        assert (await poller.result()).name == "two"
        assert [group.name async for group in client.container_groups.list()] == ["two"]


with running_service({"task": Outcome(runs_for=60, log="hello\n")}) as service:
    with service.client() as ours:
        ours.ensure_resource_group("rg")
    with ContainerInstanceManagementClient(**service.arguments()) as theirs:
        use(theirs)
    with service.in_environment():
        by_environment = ContainerInstanceManagementClient(
            DefaultAzureCredential(), service.subscription_id, base_url=service.url,
            credential_scopes=[f"{service.url}/.default"],
        )  # fmt: skip
        with by_environment:
            use(by_environment)
    arguments = service.arguments(asynchronous=True)
    asyncio.run(use_async(AsyncClient(**arguments)))
print("ended well")
