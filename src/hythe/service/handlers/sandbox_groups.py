"""Sandbox groups, and what their tokens open."""

from __future__ import annotations

from ...wire.ids import ResourceId
from ..answers import Answer
from ..call import Call
from ..kinds import SANDBOX_GROUPS
from .api import Api


def _identity(call: Call) -> ResourceId:
    return call.resource(SANDBOX_GROUPS.type, "sandboxGroupName")


def list_all(api: Api, call: Call) -> Answer:
    """List the sandbox groups of a subscription."""
    return api.resources.list_(SANDBOX_GROUPS, call)


def list_in(api: Api, call: Call) -> Answer:
    """List the sandbox groups of a resource group."""
    return api.resources.list_(SANDBOX_GROUPS, call, api.resources.folder(call).resource_group)


def get(api: Api, call: Call) -> Answer:
    """Show a sandbox group."""
    return api.resources.get(SANDBOX_GROUPS, _identity(call), call)


async def put(api: Api, call: Call) -> Answer:
    """Create or update a sandbox group."""
    return await api.resources.put(SANDBOX_GROUPS, _identity(call), call)


async def patch(api: Api, call: Call) -> Answer:
    """Replace a sandbox group's tags."""
    return await api.resources.patch(SANDBOX_GROUPS, _identity(call), call)


async def delete(api: Api, call: Call) -> Answer:
    """Delete a sandbox group and the sandboxes in it."""
    return await api.resources.delete(SANDBOX_GROUPS, _identity(call), call)


def connect(api: Api, call: Call) -> Answer:
    """Give a token for the sandboxes of a group."""
    return api.sandboxes.connect(api.resources.row(SANDBOX_GROUPS, _identity(call), call), call)


async def create_sandbox(api: Api, call: Call) -> Answer:
    """Make a sandbox."""
    return await api.sandboxes.create(call)


def list_sandboxes(api: Api, call: Call) -> Answer:
    """List sandboxes."""
    return api.sandboxes.list_(call)


def get_sandbox(api: Api, call: Call) -> Answer:
    """Show a sandbox."""
    return api.sandboxes.get(call)


async def delete_sandbox(api: Api, call: Call) -> Answer:
    """Delete a sandbox."""
    return await api.sandboxes.delete(call)


async def exec_sandbox(api: Api, call: Call) -> Answer:
    """Run a command in a sandbox."""
    return await api.sandboxes.exec(call)
