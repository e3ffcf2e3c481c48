"""Step 3: run an application and, beside it, a sidecar that reaches it over localhost and has a log of its own."""

import time

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
from hythe.models import (
    Container,
    ContainerGroup,
    ContainerPort,
    IpAddress,
    OperatingSystemTypes,
    Port,
    ResourceRequests,
    ResourceRequirements,
)

small = ResourceRequirements(requests=ResourceRequests(memory_in_gb=1, cpu=0.5))

with (
    get_client_from_auth_file(ResourceManagementClient) as resources,
    get_client_from_auth_file(ContainerInstanceManagementClient) as aci,
):
    resources.resource_groups.create_or_update("hythe-examples", {"location": "eastus"})

    group = ContainerGroup(
        location="eastus",
        os_type=OperatingSystemTypes.linux,
        containers=[
            Container(name="app", image="microsoft/aci-helloworld", resources=small, ports=[ContainerPort(port=80)]),
            Container(name="sidecar", image="microsoft/aci-tutorial-sidecar", resources=small),
        ],
        ip_address=IpAddress(type="Public", ports=[Port(protocol="TCP", port=80)]),
    )
    aci.container_groups.create_or_update("hythe-examples", "pair", group).result()

    time.sleep(1)  # the sidecar asks as soon as the application answers
    print(aci.containers.list_logs("hythe-examples", "pair", "sidecar").content)
