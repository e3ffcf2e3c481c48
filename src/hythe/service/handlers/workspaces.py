"""Log workspaces and their keys."""

from __future__ import annotations

from ...models.workspaces import SharedKeys
from ...wire.ids import ResourceId
from ..answers import Answer, shown
from ..call import Call
from ..kinds import WORKSPACES
from .api import Api


def _identity(call: Call) -> ResourceId:
    return ResourceId(
        subscription=call.subscription,
        resource_group=call.params["resourceGroupName"],
        type=WORKSPACES.type,
        name=call.params["workspaceName"],
    )


def list_all(api: Api, call: Call) -> Answer:
    """List the workspaces of a subscription."""
    return api.resources.list_(WORKSPACES, call)


def list_in(api: Api, call: Call) -> Answer:
    """List the workspaces of a resource group."""
    return api.resources.list_(WORKSPACES, call, api.resources.folder(call).resource_group)


def get(api: Api, call: Call) -> Answer:
    """Show a workspace."""
    return api.resources.get(WORKSPACES, _identity(call), call)


async def put(api: Api, call: Call) -> Answer:
    """Create or update a workspace."""
    return await api.resources.put(WORKSPACES, _identity(call), call)


async def patch(api: Api, call: Call) -> Answer:
    """Replace a workspace's tags."""
    return await api.resources.patch(WORKSPACES, _identity(call), call)


async def delete(api: Api, call: Call) -> Answer:
    """Delete a workspace."""
    return await api.resources.delete(WORKSPACES, _identity(call), call)


def shared_keys(api: Api, call: Call) -> Answer:
    """Show the keys of a workspace: they follow from its uid, and stay as long as it lives."""
    row = api.resources.row(WORKSPACES, _identity(call), call)
    first, second = (api.derive(f"workspace {which}", row.uid) for which in ("primary", "secondary"))
    return shown(SharedKeys(primary_shared_key=first, secondary_shared_key=second))
