"""NGroups: sets of container groups."""

from __future__ import annotations

from ...wire.ids import ResourceId
from ..answers import Answer
from ..call import Call
from ..kinds import N_GROUPS
from .api import Api


def _identity(call: Call) -> ResourceId:
    return call.resource(N_GROUPS.type, "ngroupsName")


def list_all(api: Api, call: Call) -> Answer:
    """List the sets of a subscription."""
    return api.resources.list_(N_GROUPS, call)


def list_in(api: Api, call: Call) -> Answer:
    """List the sets of a resource group."""
    return api.resources.list_(N_GROUPS, call, api.resources.folder(call).resource_group)


def get(api: Api, call: Call) -> Answer:
    """Show a set."""
    return api.resources.get(N_GROUPS, _identity(call), call)


async def put(api: Api, call: Call) -> Answer:
    """Create or update a set."""
    return await api.resources.put(N_GROUPS, _identity(call), call)


async def patch(api: Api, call: Call) -> Answer:
    """Change parts of a set."""
    return await api.resources.patch(N_GROUPS, _identity(call), call)


async def delete(api: Api, call: Call) -> Answer:
    """Delete a set and the groups in it."""
    return await api.resources.delete(N_GROUPS, _identity(call), call)


async def start(api: Api, call: Call) -> Answer:
    """Start the groups of a set."""
    return await api.resources.act(N_GROUPS, _identity(call), "start", call)


async def stop(api: Api, call: Call) -> Answer:
    """Stop the groups of a set."""
    return await api.resources.act(N_GROUPS, _identity(call), "stop", call)


async def restart(api: Api, call: Call) -> Answer:
    """Restart the groups of a set."""
    return await api.resources.act(N_GROUPS, _identity(call), "restart", call)
