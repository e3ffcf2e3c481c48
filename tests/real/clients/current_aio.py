"""The six steps with Microsoft's current asynchronous clients; used as `current.py` is, with SSL_CERT_FILE."""

import asyncio
import os
import time

from azure.identity.aio import ClientSecretCredential
from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient
from current import RG, SIDECAR, URL, WEB, address, group, has_page, task


async def wait_for(condition):
    deadline = time.monotonic() + 30
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


async def main():
    where = {"base_url": URL, "credential_scopes": [f"{URL}/.default"]} if URL else {}
    whom = {"authority": URL, "disable_instance_discovery": True} if URL else {}
    subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
    async with (
        ClientSecretCredential(
            os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["AZURE_CLIENT_SECRET"], **whom
        ) as credential,
        ResourceManagementClient(credential, subscription, **where) as resources,
        ContainerInstanceManagementClient(credential, subscription, **where) as aci,
    ):
        await steps(resources, aci)
    print("all six steps are as they should be")


async def steps(resources, aci):
    async def create(name, what):
        return await (await aci.container_groups.begin_create_or_update(RG, name, what)).result()

    async def log(name, container):
        return (await aci.containers.list_logs(RG, name, container)).content

    async def state(name):
        return (await aci.container_groups.get(RG, name)).instance_view.state

    async def asked():
        return "200 OK" in await log("pair", "sidecar")

    async def counted():
        return await state("words") == "Succeeded"

    await resources.resource_groups.create_or_update(RG, {"location": "eastus"})
    made, _ = await asyncio.gather(
        create("web", group(WEB, ip_address=address(RG))), create("pair", group(WEB, SIDECAR, ip_address=address()))
    )
    await wait_for(lambda: asyncio.to_thread(has_page, made.ip_address.ip))
    await wait_for(asked)

    await create("words", task("words", ["python", "wordcount.py"], {"NumWords": "3", "MinLength": "9"}))
    await wait_for(counted)
    words = await log("words", "words")
    print(words)
    assert words.count("('") == 3, words
    await create("echo", task("echo", ["echo", "FOO", "BAR"], {}))
    assert await log("echo", "echo") == "FOO BAR\n"
    await create("shell", task("shell", ["/bin/sh", "-c", "echo FOO BAR && tail -f /dev/null"], {}))
    assert await log("shell", "shell") == "FOO BAR\n"

    names = {"web", "pair", "words", "echo", "shell"}
    assert {each.name async for each in aci.container_groups.list_by_resource_group(RG)} == names
    assert names <= {each.name async for each in aci.container_groups.list()}
    assert await state("pair") == "Running"

    await (await aci.container_groups.begin_delete(RG, "web")).result()
    await (await resources.resource_groups.begin_delete(RG)).result()
    assert not await resources.resource_groups.check_existence(RG)


asyncio.run(main())
