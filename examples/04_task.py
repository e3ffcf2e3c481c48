"""Step 4: run tasks, which end by themselves: one with variables, one of a single command, one of several."""

import time

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
from hythe.models import (
    Container,
    ContainerGroup,
    ContainerGroupRestartPolicy,
    EnvironmentVariable,
    OperatingSystemTypes,
    ResourceRequests,
    ResourceRequirements,
)

TEXT = "http://shakespeare.mit.edu/romeo_juliet/full.html"


def task(command: list[str], **variables: str) -> ContainerGroup:
    """Describe a group whose container runs a command in place of its image's own, once."""
    return ContainerGroup(
        location="eastus",
        os_type=OperatingSystemTypes.linux,
        restart_policy=ContainerGroupRestartPolicy.never,
        containers=[
            Container(
                name="task",
                image="microsoft/aci-wordcount",
                command=command,
                environment_variables=[
                    EnvironmentVariable(name=name, value=value) for name, value in variables.items()
                ],
                resources=ResourceRequirements(requests=ResourceRequests(memory_in_gb=1, cpu=1)),
            )
        ],
    )


tasks = {
    "words": task(["python", "wordcount.py", TEXT], NumWords="5", MinLength="8"),
    "echo": task(["echo", "FOO", "BAR"]),
    "shell": task(["/bin/sh", "-c", "echo FOO BAR && tail -f /dev/null"]),
}

with (
    get_client_from_auth_file(ResourceManagementClient) as resources,
    get_client_from_auth_file(ContainerInstanceManagementClient) as aci,
):
    resources.resource_groups.create_or_update("hythe-examples", {"location": "eastus"})
    for name, group in tasks.items():
        poller = aci.container_groups.create_or_update("hythe-examples", name, group)
        while not poller.done():
            print(f"{name}: {poller.status()}")
            time.sleep(1)
        print(f"{name}: {poller.status()}")
        print(aci.containers.list_logs("hythe-examples", name, "task").content)
