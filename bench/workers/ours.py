"""Creates a group with Hythe's own client for each line of input, until it runs; says how long it took."""

import sys
import time

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
from hythe.models import (
    Container,
    ContainerGroup,
    ContainerPort,
    IpAddress,
    Port,
    ResourceRequests,
    ResourceRequirements,
)

with (
    get_client_from_auth_file(ResourceManagementClient) as resources,
    get_client_from_auth_file(ContainerInstanceManagementClient) as aci,
):
    resources.resource_groups.create_or_update("bench", {"location": "eastus"})
    for number, _ in enumerate(sys.stdin):
        name = f"own-{number}"
        group = ContainerGroup(
            location="eastus",
            os_type="Linux",
            containers=[
                Container(
                    name="web",
                    image="microsoft/aci-helloworld",
                    resources=ResourceRequirements(requests=ResourceRequests(memory_in_gb=1, cpu=1)),
                    ports=[ContainerPort(port=80)],
                )
            ],
            ip_address=IpAddress(type="Public", ports=[Port(port=80)]),
        )
        begun = time.perf_counter()
        made = aci.container_groups.begin_create_or_update("bench", name, group).result()
        took = time.perf_counter() - begun
        assert made.provisioning_state == "Succeeded"
        assert aci.container_groups.get("bench", name).instance_view.state == "Running"
        aci.container_groups.begin_delete("bench", name).result()
        print(took, flush=True)
