"""Run a flow's container with Prefect's worker for Azure Container Instances; nothing in here knows of Hythe.

Usage: python prefect_worker.py RESOURCE-GROUP; AZURE_{TENANT_ID,CLIENT_ID,CLIENT_SECRET,SUBSCRIPTION_ID} are set.
"""

import asyncio
import os
import sys

from azure.identity import DefaultAzureCredential
from azure.mgmt.resource import ResourceManagementClient
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness
from prefect_azure.workers.container_instance import AzureContainerJobConfiguration, AzureContainerWorker

RG = sys.argv[1]
SUBSCRIPTION = os.environ["AZURE_SUBSCRIPTION_ID"]


@flow
def greeting():
    """Stand for a flow: the container runs a command of its own."""


async def run(worker, command):
    async with get_client() as client:
        flow_run = await client.create_flow_run(greeting)
    values = {
        "resource_group_name": RG,
        "subscription_id": SUBSCRIPTION,
        "image": "microsoft/aci-wordcount",
        "entrypoint": None,
        "command": command,
        "cpu": 0.5,
        "memory": 0.5,
        "stream_output": True,
        "task_watch_poll_interval": 0.5,
    }
    template = worker.get_default_base_job_template()
    configuration = await AzureContainerJobConfiguration.from_template_and_values(template, values)
    configuration.prepare_for_flow_run(flow_run)
    return await worker.run(flow_run, configuration)


async def main():
    resources = ResourceManagementClient(DefaultAzureCredential(), SUBSCRIPTION)
    resources.resource_groups.create_or_update(RG, {"location": "eastus"})
    async with AzureContainerWorker(work_pool_name="pool") as worker:
        done = await run(worker, "sh -c 'echo a flow ran here; sleep 2'")
        assert done.status_code == 0, done
        failed = await run(worker, "sh -c 'exit 3'")
        assert failed.status_code == 3, failed
    assert not [each.name for each in resources.resources.list_by_resource_group(RG)]
    resources.resource_groups.begin_delete(RG).result()
    print("the worker did what it should")


if __name__ == "__main__":
    with prefect_test_harness():
        asyncio.run(main())
