"""Step 2: run one container with a public address and ask it for its page."""

from urllib.request import urlopen

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
from hythe.models import (
    Container,
    ContainerGroup,
    ContainerGroupNetworkProtocol,
    ContainerPort,
    IpAddress,
    OperatingSystemTypes,
    Port,
    ResourceRequests,
    ResourceRequirements,
)

with (
    get_client_from_auth_file(ResourceManagementClient) as resources,
    get_client_from_auth_file(ContainerInstanceManagementClient) as aci,
):
    resources.resource_groups.create_or_update("hythe-examples", {"location": "eastus"})

    group = ContainerGroup(
        location="eastus",
        os_type=OperatingSystemTypes.linux,
        containers=[
            Container(
                name="web",
                image="microsoft/aci-helloworld",
                resources=ResourceRequirements(requests=ResourceRequests(memory_in_gb=1, cpu=1)),
                ports=[ContainerPort(port=80)],
            )
        ],
        ip_address=IpAddress(
            type="Public",
            ports=[Port(protocol=ContainerGroupNetworkProtocol.tcp, port=80)],
            dns_name_label="hythe-single",
        ),
    )
    group = aci.container_groups.create_or_update("hythe-examples", "single", group).result()

    print(f"{group.name} has the address {group.ip_address.ip} and the name {group.ip_address.fqdn}")
    with urlopen(f"http://{group.ip_address.ip}/") as page:
        print(page.read().decode())
