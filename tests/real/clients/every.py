"""Every operation on container groups that a version of azure-mgmt-containerinstance has, synchronous or not.

Usage: python every.py RESOURCE-GROUP [aio]; HYTHE_URL and AZURE_{TENANT_ID,CLIENT_ID,CLIENT_SECRET,SUBSCRIPTION_ID}
are set, SSL_CERT_FILE and REQUESTS_CA_BUNDLE name whom to trust.  Prints `proved: OPERATION` for each that did what
it should.
"""

import asyncio
import importlib
import inspect
import os
import re
import sys
import time

from azure.mgmt.containerinstance.models import (
    Container,
    ContainerExecRequest,
    ContainerExecRequestTerminalSize,
    ContainerGroup,
    ResourceRequests,
    ResourceRequirements,
)

RG = sys.argv[1]
SUFFIX = ".aio" if sys.argv[2:] == ["aio"] else ""
URL = os.environ["HYTHE_URL"]
LINES = "trap exit TERM; i=0; while true; do i=$((i+1)); echo line $i; sleep 0.1; done"

STAY = ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"]


def proved(operation):
    print(f"proved: {operation}", flush=True)


async def answer(called):
    """Give what a call of either client gives: the asynchronous ones are awaited, what is begun is waited for."""
    given = await called if inspect.isawaitable(called) else called
    return await answer(given.result()) if hasattr(given, "polling_method") else given


async def items(pages):
    return [each async for each in pages] if hasattr(pages, "__aiter__") else list(pages)


async def wait_for(condition):
    deadline = time.monotonic() + 30
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


def group(command, restart_policy="Always"):
    needs = ResourceRequirements(requests=ResourceRequests(memory_in_gb=0.5, cpu=0.5))
    container = Container(name="c", image="microsoft/aci-wordcount", resources=needs, command=command)
    return ContainerGroup(location="eastus", containers=[container], os_type="Linux", restart_policy=restart_policy)


class Steps:
    def __init__(self, aci):
        self.aci = aci

    async def state(self):
        return (await answer(self.aci.container_groups.get(RG, "one"))).instance_view.state

    async def is_running(self):
        return await self.state() == "Running"

    async def is_stopped(self):
        return await self.state() == "Stopped"

    async def groups(self):
        groups = self.aci.container_groups
        made = await answer(groups.begin_create_or_update(RG, "one", group(["sh", "-c", LINES])))
        assert made.provisioning_state == "Succeeded" and made.name == "one", made
        proved("ContainerGroups_CreateOrUpdate")
        await wait_for(self.is_running)
        got = await answer(groups.get(RG, "one"))
        assert got.containers[0].instance_view.current_state.state == "Running", got
        proved("ContainerGroups_Get")
        assert "one" in [each.name for each in await items(groups.list())]
        proved("ContainerGroups_List")
        assert [each.name for each in await items(groups.list_by_resource_group(RG))] == ["one"]
        proved("ContainerGroups_ListByResourceGroup")
        patched = await answer(groups.update(RG, "one", {"tags": {"a": "b"}}))
        assert patched.tags == {"a": "b"}, patched
        proved("ContainerGroups_Update")
        if hasattr(groups, "get_outbound_network_dependencies_endpoints"):
            needed = await answer(groups.get_outbound_network_dependencies_endpoints(RG, "one"))
            assert isinstance(needed, list), needed
            proved("ContainerGroups_GetOutboundNetworkDependenciesEndpoints")

    async def containers(self):
        containers = self.aci.containers
        known = inspect.signature(containers.list_logs).parameters
        stamped = {"timestamps": True} if "timestamps" in known else {}
        (line,) = (await answer(containers.list_logs(RG, "one", "c", tail=1, **stamped))).content.splitlines()
        assert re.fullmatch(r"\d{4}-\S+Z line \d+" if stamped else r"line \d+", line), line
        proved("Containers_ListLogs")
        asked = ContainerExecRequest(
            command="/bin/sh", terminal_size=ContainerExecRequestTerminalSize(rows=24, cols=80)
        )
        session = await answer(containers.execute_command(RG, "one", "c", asked))
        assert session.web_socket_uri.startswith("wss://") and session.password, session.web_socket_uri
        proved("Containers_ExecuteCommand")
        if hasattr(containers, "attach"):
            session = await answer(containers.attach(RG, "one", "c"))
            assert session.web_socket_uri.startswith("wss://") and session.password, session.web_socket_uri
            proved("Containers_Attach")

    async def verbs(self):
        groups = self.aci.container_groups
        await answer(groups.stop(RG, "one"))
        await wait_for(self.is_stopped)
        proved("ContainerGroups_Stop")
        await answer(groups.begin_start(RG, "one"))
        await wait_for(self.is_running)
        proved("ContainerGroups_Start")
        await answer(groups.begin_restart(RG, "one"))
        await wait_for(self.is_running)
        proved("ContainerGroups_Restart")
        await answer(groups.begin_delete(RG, "one"))
        assert await items(groups.list_by_resource_group(RG)) == []
        proved("ContainerGroups_Delete")

    async def locations(self):
        location = self.aci.location
        usages = await items(location.list_usage("eastus"))
        assert {each.name.value for each in usages} >= {"ContainerGroups", "StandardCores"}, usages
        proved("Location_ListUsage")
        images = await items(location.list_cached_images("eastus"))
        assert all(each.os_type == "Linux" and each.image for each in images) and images
        proved("Location_ListCachedImages")
        (able, *_) = await items(location.list_capabilities("eastus"))
        assert able.capabilities.max_cpu > 0
        proved("Location_ListCapabilities")
        named = {each.name for each in await items(self.aci.operations.list())}
        assert "Microsoft.ContainerInstance/containerGroups/read" in named
        proved("Operations_List")

    async def subnets(self, folders):
        where = f"/subscriptions/{os.environ['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{RG}"
        network = {
            "location": "eastus",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.9.0.0/16"]},
                "subnets": [{"name": "s", "properties": {"addressPrefix": "10.9.0.0/24"}}],
            },
        }
        made = f"{where}/providers/Microsoft.Network/virtualNetworks/v"
        await answer(folders.resources.begin_create_or_update_by_id(made, network, api_version="2022-01-01"))
        await answer(self.aci.subnet_service_association_link.begin_delete(RG, "v", "s"))
        proved("SubnetServiceAssociationLink_Delete")

    async def profiles(self):
        one, all_ = self.aci.cg_profile, self.aci.cg_profiles
        needs = {"requests": {"cpu": 0.5, "memoryInGB": 0.5}}
        container = {
            "name": "c",
            "properties": {"image": "microsoft/aci-wordcount", "command": STAY, "resources": needs},
        }
        profile = {"location": "eastus", "properties": {"osType": "Linux", "containers": [container]}}
        for revision in (1, 2):
            made = await answer(one.create_or_update(RG, "p", profile))
            assert int(made.properties.revision) == revision, made
        proved("CGProfile_CreateOrUpdate")
        assert (await answer(one.get(RG, "p"))).id == made.id
        proved("CGProfile_Get")
        assert (await answer(one.get_by_revision_number(RG, "p", "1"))).properties.revision == 1
        proved("CGProfile_GetByRevisionNumber")
        assert len(await items(one.list_all_revisions(RG, "p"))) == 2
        proved("CGProfile_ListAllRevisions")
        assert (await answer(one.update(RG, "p", {"tags": {"a": "b"}}))).tags == {"a": "b"}
        proved("CGProfile_Update")
        assert [each.name for each in await items(all_.list_by_resource_group(RG))] == ["p"]
        proved("CGProfiles_ListByResourceGroup")
        assert made.id in [each.id for each in await items(all_.list_by_subscription())]
        proved("CGProfiles_ListBySubscription")
        return made.id

    async def sets(self, profile):
        sets = self.aci.ngroups
        asked = {
            "location": "eastus",
            "properties": {
                "elasticProfile": {"desiredCount": 2},
                "containerGroupProfiles": [{"resource": {"id": profile}, "revision": 2}],
            },
        }
        made = await answer(sets.begin_create_or_update(RG, "set", asked))
        assert made.properties.provisioning_state == "Succeeded", made
        proved("NGroups_CreateOrUpdate")
        assert (await answer(sets.get(RG, "set"))).properties.elastic_profile.desired_count == 2
        proved("NGroups_Get")

        async def are(state, count=2):
            names = [each.name for each in await items(self.aci.container_groups.list_by_resource_group(RG))]
            groups = [await answer(self.aci.container_groups.get(RG, name)) for name in names]
            return [each.properties.instance_view.state for each in groups] == [state] * count

        await wait_for(lambda: are("Running"))
        assert [each.name for each in await items(sets.list_by_resource_group(RG))] == ["set"]
        proved("NGroups_ListByResourceGroup")
        assert made.id in [each.id for each in await items(sets.list())]
        proved("NGroups_List")
        await answer(sets.stop(RG, "set"))
        await wait_for(lambda: are("Stopped"))
        proved("NGroups_Stop")
        await answer(sets.begin_start(RG, "set"))
        await wait_for(lambda: are("Running"))
        proved("NGroups_Start")
        await answer(sets.begin_restart(RG, "set"))
        await wait_for(lambda: are("Running"))
        proved("NGroups_Restart")
        fewer = {"properties": {"elasticProfile": {"desiredCount": 1}}}
        assert (await answer(sets.begin_update(RG, "set", fewer))).properties.elastic_profile.desired_count == 1
        await wait_for(lambda: are("Running", 1))
        proved("NGroups_Update")
        await answer(sets.begin_delete(RG, "set"))
        assert await items(sets.list_by_resource_group(RG)) == []
        proved("NGroups_Delete")
        await answer(self.aci.cg_profile.delete(RG, "p"))
        assert await items(self.aci.cg_profiles.list_by_resource_group(RG)) == []
        proved("CGProfile_Delete")

    async def sandboxes(self):
        sandboxes = self.aci.sandbox_groups
        made = await answer(sandboxes.begin_create_or_update(RG, "box", {"location": "eastus", "properties": {}}))
        assert made.properties.provisioning_state == "Succeeded", made
        proved("SandboxGroups_CreateOrUpdate")
        assert (await answer(sandboxes.get(RG, "box"))).id == made.id
        proved("SandboxGroups_Get")
        assert [each.name for each in await items(sandboxes.list_by_resource_group(RG))] == ["box"]
        proved("SandboxGroups_ListByResourceGroup")
        assert made.id in [each.id for each in await items(sandboxes.list_by_subscription())]
        proved("SandboxGroups_ListBySubscription")
        assert (await answer(sandboxes.begin_update(RG, "box", {"tags": {"a": "b"}}))).tags == {"a": "b"}
        proved("SandboxGroups_Update")
        token = await answer(sandboxes.connect(RG, "box"))
        assert token.endpoint.startswith("https://") and token.access_token and token.not_after, token.endpoint
        proved("SandboxGroups_Connect")
        await answer(sandboxes.begin_delete(RG, "box"))
        assert await items(sandboxes.list_by_resource_group(RG)) == []
        proved("SandboxGroups_Delete")


async def main():
    identity = importlib.import_module(f"azure.identity{SUFFIX}")
    instances = importlib.import_module(f"azure.mgmt.containerinstance{SUFFIX}")
    resources = importlib.import_module(f"azure.mgmt.resource.resources{SUFFIX}")
    subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
    credential = identity.ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["AZURE_CLIENT_SECRET"],
        authority=URL, disable_instance_discovery=True,
    )  # fmt: skip
    where = {"base_url": URL, "credential_scopes": [f"{URL}/.default"]}
    folders = resources.ResourceManagementClient(credential, subscription, **where)
    aci = instances.ContainerInstanceManagementClient(credential, subscription, **where)
    await answer(folders.resource_groups.create_or_update(RG, {"location": "eastus"}))
    steps = Steps(aci)
    await steps.groups()
    await steps.containers()
    await steps.verbs()
    await steps.locations()
    if hasattr(aci, "subnet_service_association_link"):
        await steps.subnets(folders)
    if hasattr(aci, "ngroups"):
        await steps.sets(await steps.profiles())
        await steps.sandboxes()
    await answer(folders.resource_groups.begin_delete(RG))
    assert not await answer(folders.resource_groups.check_existence(RG))
    for each in (aci, folders, credential):
        await answer(each.close())


asyncio.run(main())
