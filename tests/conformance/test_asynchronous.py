"""What holds of the asynchronous client on Hythe and on Azure alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hythe.aio import ContainerInstanceManagementClient
from hythe.client._sync.group import Group
from hythe.errors import NotFound

from .conftest import FOLDER, Endpoint


async def test_a_group_is_created_followed_and_deleted(
    async_aci: ContainerInstanceManagementClient, endpoint: Endpoint, name: Callable[[str], str]
) -> None:
    called = name("async")
    begun = await async_aci.container_groups.begin_create_or_update(FOLDER, called, endpoint.definition("talks"))
    assert (await begun.result(endpoint.patience)).name == called
    group = async_aci.group(called, FOLDER)
    assert sorted([line.text async for line in group.logs(follow=True)]) == ["one", "two"]
    assert "exit code 3" in await group.why()
    assert called in [each.name async for each in async_aci.container_groups.list_by_resource_group(FOLDER)]
    assert (await group.delete()).name == called
    with pytest.raises(NotFound):
        await group.get()


async def test_many_questions_at_once(async_aci: ContainerInstanceManagementClient, make: Callable[..., Group]) -> None:
    made = await asyncio.to_thread(make, "waits")
    found = await asyncio.gather(*(async_aci.container_groups.get(FOLDER, made.name) for _ in range(20)))
    assert {group.name for group in found} == {made.name}


async def test_an_operation_is_gone_on_with_by_its_token(
    async_aci: ContainerInstanceManagementClient, endpoint: Endpoint, name: Callable[[str], str]
) -> None:
    called = name("token")
    begun = await async_aci.container_groups.begin_create_or_update(FOLDER, called, endpoint.definition("waits"))
    again = await async_aci.container_groups.begin_create_or_update(
        FOLDER, called, endpoint.definition("waits"), continuation_token=begun.continuation_token()
    )
    assert (await again.result(endpoint.patience)).provisioning_state == "Succeeded"
