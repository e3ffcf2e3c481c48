"""The kinds of resource: what each is made of, what it must be, how it is shown."""

from .base import Admission, Kind, Ports, Shown, any_port
from .container_groups import ContainerGroups, takes_warm
from .n_groups import NGroups
from .profiles import Profiles
from .resource_groups import ResourceGroups
from .sandbox_groups import Sandboxes, SandboxGroups

__all__ = [
    "BY_NAME",
    "CONTAINER_GROUPS",
    "N_GROUPS",
    "PROFILES",
    "RESOURCE_GROUPS",
    "SANDBOXES",
    "SANDBOX_GROUPS",
    "Admission",
    "Kind",
    "Ports",
    "Shown",
    "any_port",
    "takes_warm",
]

CONTAINER_GROUPS: Kind = ContainerGroups()
RESOURCE_GROUPS: Kind = ResourceGroups()
PROFILES: Kind = Profiles()
N_GROUPS = NGroups()
SANDBOX_GROUPS: Kind = SandboxGroups()
SANDBOXES: Kind = Sandboxes()

BY_NAME: dict[str, Kind] = {
    kind.name: kind for kind in (CONTAINER_GROUPS, RESOURCE_GROUPS, PROFILES, N_GROUPS, SANDBOX_GROUPS)
}
"""Every kind by `Row.kind`, but sandboxes: no list of ARM's shows them."""
