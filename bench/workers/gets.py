"""Get one group 500 times at once, again and again, as one of two asynchronous clients; print gets per second.

python gets.py hythe|microsofts ROUNDS, with the environment that `hythe env` prints
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

AT_ONCE = 500
URL, SUBSCRIPTION = os.environ["HYTHE_URL"], os.environ["AZURE_SUBSCRIPTION_ID"]
FOLDER, NAME = os.environ["BENCH_GROUP"].split("/")


async def hythe(stack: AsyncExitStack) -> Callable[[], Awaitable[Any]]:
    """Make our client and the call."""
    from hythe.aio import ContainerInstanceManagementClient, get_client_from_auth_file

    client = await stack.enter_async_context(get_client_from_auth_file(ContainerInstanceManagementClient))
    return lambda: client.container_groups.get(FOLDER, NAME)


async def microsofts(stack: AsyncExitStack) -> Callable[[], Awaitable[Any]]:
    """Make Microsoft's client, on aiohttp, and the call."""
    from azure.identity.aio import ClientSecretCredential
    from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient

    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    credential = ClientSecretCredential(
        *(os.environ[name] for name in names), authority=URL, disable_instance_discovery=True
    )
    await stack.enter_async_context(credential)
    client = ContainerInstanceManagementClient(
        credential, SUBSCRIPTION, base_url=URL, credential_scopes=[f"{URL}/.default"]
    )
    await stack.enter_async_context(client)
    return lambda: client.container_groups.get(FOLDER, NAME)


async def main(who: str, rounds: int) -> None:
    """Take each round's rate; an error ends all."""
    async with AsyncExitStack() as stack:
        get = await {"hythe": hythe, "microsofts": microsofts}[who](stack)
        await asyncio.gather(*(get() for _ in range(AT_ONCE)))  # connections, token, and what is imported late
        for _ in range(rounds):
            begun = time.perf_counter()
            groups = await asyncio.gather(*(get() for _ in range(AT_ONCE)))
            took = time.perf_counter() - begun
            assert len(groups) == AT_ONCE and all(group.name == NAME for group in groups)
            assert groups[0].containers[0].instance_view.current_state.state == "Running"
            print(AT_ONCE / took, flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
