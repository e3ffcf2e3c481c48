"""Resource groups: the folders that resources are in."""

from __future__ import annotations

import msgspec

from ...models import GenericResourceExpanded
from ...wire.faults import resource_group_not_found
from ..answers import Answer, empty, listed
from ..call import Call
from ..kinds import BY_NAME, RESOURCE_GROUPS
from .api import Api


def list_all(api: Api, call: Call) -> Answer:
    """List the resource groups of a subscription."""
    return api.resources.list_(RESOURCE_GROUPS, call)


def check(api: Api, call: Call) -> Answer:
    """Tell whether a resource group is there."""
    api.resources.subscription(call)
    if api.store.get(call.resource_group.key) is None:
        raise resource_group_not_found(call.params["resourceGroupName"])
    return empty(204)


def get(api: Api, call: Call) -> Answer:
    """Show a resource group."""
    api.resources.folder(call)
    return api.resources.get(RESOURCE_GROUPS, call.resource_group, call)


async def put(api: Api, call: Call) -> Answer:
    """Create or update a resource group."""
    return await api.resources.put(RESOURCE_GROUPS, call.resource_group, call)


async def patch(api: Api, call: Call) -> Answer:
    """Replace a resource group's tags."""
    api.resources.folder(call)
    return await api.resources.patch(RESOURCE_GROUPS, call.resource_group, call)


def delete(api: Api, call: Call) -> Answer:
    """Delete a resource group and what is in it."""
    return api.resources.delete_folder(call)


async def operation_result(api: Api, call: Call) -> Answer:
    """Show whether a deletion has ended."""
    return await api.resources.operation_result(call)


def list_resources(api: Api, call: Call) -> Answer:
    """List what is in a resource group."""
    folder = api.resources.folder(call)
    shown = []
    for row in api.store.listed(None, folder.subscription, folder.resource_group):
        if row.kind in BY_NAME and row.kind != RESOURCE_GROUPS.name:
            held = msgspec.json.decode(row.spec)
            shown.append(
                GenericResourceExpanded(
                    id=row.id,
                    name=row.name,
                    type=BY_NAME[row.kind].type,
                    location=held.get("location"),
                    tags=held.get("tags"),
                )
            )
    return listed(shown)
