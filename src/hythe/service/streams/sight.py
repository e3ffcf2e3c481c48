"""Finds out which container a call is about, and whether it runs as far as the store knows."""

from __future__ import annotations

import msgspec

from ...models import ContainerGroup
from ...wire import faults
from ..call import Call
from ..kinds import CONTAINER_GROUPS
from ..store import Row, Status, View
from .trouble import not_running

_GROUP = "Microsoft.ContainerInstance/containerGroups"


def view_of(row: Row) -> View:
    """Give what control last saw of a group."""
    return msgspec.json.decode(row.status, type=Status).view if row.status else View()


def find(row: Row, call: Call) -> str:
    """Give the name of the call's container.  Raises ResourceNotFound."""
    asked = call.params["containerName"].lower()
    group: ContainerGroup = CONTAINER_GROUPS.read_again(row.spec)
    for one in (*(group.containers or ()), *(group.init_containers or ())):
        if one.name and one.name.lower() == asked:
            return str(one.name)
    name = f"{row.name}/containers/{call.params['containerName']}"
    raise faults.resource_not_found(_GROUP, name, call.params["resourceGroupName"])


def refuse_stopped(row: Row, call: Call) -> View:
    """Give the view of a group.  Raises ContainerGroupStopped."""
    view = view_of(row)
    if row.desired == "stop" or view.state == "Stopped":
        raise faults.stopped(row.name, call.params["resourceGroupName"])
    return view


def find_running(row: Row, call: Call) -> str:
    """Give the name of the call's container.  Raises what is the case if it does not run."""
    name = find(row, call)
    known = refuse_stopped(row, call).containers.get(name)
    state = known.current_state if known else None
    if state is None or state.state != "Running":
        raise not_running(name, row.name)
    return name
