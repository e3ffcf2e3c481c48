"""Looking inside: logs, exec, attach, ports, files."""

from __future__ import annotations

from ..answers import Answer
from ..call import Call
from ..kinds import CONTAINER_GROUPS
from ..store import Row
from .api import Api


def _row(api: Api, call: Call) -> Row:
    return api.resources.row(CONTAINER_GROUPS, call.container_group, call)


async def logs(api: Api, call: Call) -> Answer:
    """Show what a container wrote, or writes."""
    return await api.streams.logs(_row(api, call), call)


def exec(api: Api, call: Call) -> Answer:
    """Open a session that runs a command in a container."""
    return api.streams.exec(_row(api, call), call)


async def attach(api: Api, call: Call) -> Answer:
    """Open a session that shows a container's output."""
    return await api.streams.attach(_row(api, call), call)


def exec_session(api: Api, call: Call) -> Answer:
    """Begin the session of an exec."""
    return api.streams.exec_session(call)


def attach_session(api: Api, call: Call) -> Answer:
    """Begin the session of an attach."""
    return api.streams.attach_session(call)


async def forward(api: Api, call: Call) -> Answer:
    """Connect to a port inside a group."""
    return await api.streams.forward(_row(api, call), call)


async def copy_out(api: Api, call: Call) -> Answer:
    """Give files of a container."""
    return await api.streams.copy_out(_row(api, call), call)


async def copy_in(api: Api, call: Call) -> Answer:
    """Put files into a container."""
    return await api.streams.copy_in(_row(api, call), call)
