"""Makes a group what a definition says, and changes nothing that is so already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from hythe.client.changes import Plan, compare
from hythe.errors import NotFound
from hythe.models import ContainerGroup

from .group import Group

if TYPE_CHECKING:
    from .container_instances import ContainerInstanceManagementClient

Definition = ContainerGroup | str | os.PathLike[str]
"""A group, or the path of a file: compose, pod, or the YAML of ``az container create``."""


async def plan(
    client: ContainerInstanceManagementClient, definition: Definition, resource_group: str, name: str | None
) -> tuple[Plan, ContainerGroup]:
    """Compare; see `ContainerInstanceManagementClient.plan`."""
    from hythe.client.definitions import read_definition  # what reads YAML takes its time to load

    wanted = definition if isinstance(definition, ContainerGroup) else read_definition(definition)
    named = name or wanted.name
    if not named:
        raise ValueError("cannot apply a definition without a name: give name=")
    if wanted.name != named:  # the argument wins, and what is sent says nothing else
        wanted = msgspec.structs.replace(wanted, name=named)
    try:
        there = await client.container_groups.get(resource_group, named)
    except NotFound:
        there = None
    return compare(named, resource_group, wanted, there), wanted


async def apply(
    client: ContainerInstanceManagementClient,
    definition: Definition,
    *,
    resource_group: str,
    name: str | None,
    force: bool,
    timeout: float | None,
) -> Plan:
    """Compare, then do what is needed; see `ContainerInstanceManagementClient.apply`."""
    found, wanted = await plan(client, definition, resource_group, name)
    groups = client.container_groups
    action = "update" if force and found.action in ("none", "tags") else found.action
    if action == "none":
        return found
    if action == "tags":
        await groups.update(resource_group, found.name, tags=wanted.tags or {})
        return found
    if action == "replace":
        await Group(client, resource_group, found.name).delete()
    if wanted.location is None:
        wanted = msgspec.structs.replace(wanted, location=await client.ensure_resource_group(resource_group))
    else:
        await client.ensure_resource_group(resource_group, wanted.location)
    await (await groups.begin_create_or_update(resource_group, found.name, wanted)).result(timeout)
    return msgspec.structs.replace(found, action=action)
