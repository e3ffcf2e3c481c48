"""The kinds of resource: what each is made of, what it must be, how it is shown."""

from .base import Admission, Kind, Ports, Shown, any_port
from .container_groups import ContainerGroups, takes_warm
from .resource_groups import ResourceGroups

__all__ = ["BY_NAME", "CONTAINER_GROUPS", "RESOURCE_GROUPS", "Admission", "Kind", "Ports", "Shown", "any_port",
           "takes_warm"]  # fmt: skip

CONTAINER_GROUPS: Kind = ContainerGroups()
RESOURCE_GROUPS: Kind = ResourceGroups()

BY_NAME: dict[str, Kind] = {kind.name: kind for kind in (CONTAINER_GROUPS, RESOURCE_GROUPS)}
"""Every kind by `Row.kind`."""
