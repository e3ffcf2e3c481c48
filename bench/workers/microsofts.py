"""Creates a group with Microsoft's current client for each line of input, until it runs; says how long it took."""

import os
import sys
import time

from azure.identity import ClientSecretCredential
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.models import (
    Container,
    ContainerGroup,
    ContainerPort,
    IpAddress,
    Port,
    ResourceRequests,
    ResourceRequirements,
)
from azure.mgmt.resource.resources import ResourceManagementClient

URL = os.environ["HYTHE_URL"]
credential = ClientSecretCredential(
    os.environ["AZURE_TENANT_ID"],
    os.environ["AZURE_CLIENT_ID"],
    os.environ["AZURE_CLIENT_SECRET"],
    authority=URL,
    disable_instance_discovery=True,
)
where = {"base_url": URL, "credential_scopes": [f"{URL}/.default"]}
aci = ContainerInstanceManagementClient(credential, os.environ["AZURE_SUBSCRIPTION_ID"], **where)
ResourceManagementClient(credential, os.environ["AZURE_SUBSCRIPTION_ID"], **where).resource_groups.create_or_update(
    "bench", {"location": "eastus"}
)

for number, _ in enumerate(sys.stdin):
    name = f"sdk-{number}"
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
