"""Step 2: run one container with a public address and ask it for its page."""

import time
from urllib.error import URLError
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


def page_of(address: str) -> str:
    """Get the page of a group, which runs a moment before its server listens."""
    for _ in range(50):
        try:
            with urlopen(f"http://{address}/") as page:
                return page.read().decode()
        except URLError:
            time.sleep(0.1)
    raise SystemExit(f"nobody answers at http://{address}/")


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
    print(page_of(group.ip_address.ip))
