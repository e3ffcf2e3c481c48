"""Container groups and their containers."""

from __future__ import annotations

from msgspec.structs import replace

from ...wire.versions import idle_start_answers_202, start_answers_202
from ..answers import Answer, plain
from ..call import Call, Lro
from ..kinds import CONTAINER_GROUPS
from .api import Api

_OLD_START = Lro(done=204, pending=204, idle=204)


def list_all(api: Api, call: Call) -> Answer:
    """List the groups of a subscription."""
    return api.resources.list_(CONTAINER_GROUPS, call)


def list_in(api: Api, call: Call) -> Answer:
    """List the groups of a resource group."""
    return api.resources.list_(CONTAINER_GROUPS, call, api.resources.folder(call).resource_group)


def get(api: Api, call: Call) -> Answer:
    """Show a group."""
    return api.resources.get(CONTAINER_GROUPS, call.container_group, call)


async def put(api: Api, call: Call) -> Answer:
    """Create or update a group."""
    return await api.resources.put(CONTAINER_GROUPS, call.container_group, call)


async def patch(api: Api, call: Call) -> Answer:
    """Replace a group's tags."""
    return await api.resources.patch(CONTAINER_GROUPS, call.container_group, call)


async def delete(api: Api, call: Call) -> Answer:
    """Delete a group."""
    return await api.resources.delete(CONTAINER_GROUPS, call.container_group, call)


async def start(api: Api, call: Call) -> Answer:
    """Start a group; the oldest clients take 204 only, those of 2021 take 202 only."""
    if not start_answers_202(call.api_version):
        call.lro = _OLD_START
    elif idle_start_answers_202(call.api_version):
        call.lro = replace(call.lro, idle=202)
    return await api.resources.act(CONTAINER_GROUPS, call.container_group, "start", call)


async def stop(api: Api, call: Call) -> Answer:
    """Stop a group."""
    return await api.resources.act(CONTAINER_GROUPS, call.container_group, "stop", call)


async def restart(api: Api, call: Call) -> Answer:
    """Restart a group."""
    return await api.resources.act(CONTAINER_GROUPS, call.container_group, "restart", call)


def outbound(api: Api, call: Call) -> Answer:
    """Name what a group needs to reach: nothing."""
    api.resources.row(CONTAINER_GROUPS, call.container_group, call)
    return plain([])


async def operation(api: Api, call: Call) -> Answer:
    """Show how an operation stands."""
    api.check_operation(call)
    return await api.resources.operation(call)
