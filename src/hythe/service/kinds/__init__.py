"""The kinds of resource: what each is made of, what it must be, how it is shown."""

from .authorization import RoleAssignments
from .base import Admission, Kind, Ports, Shown, any_port
from .container_groups import ContainerGroups, takes_warm
from .deployments import Deployments
from .identities import UserAssignedIdentities
from .n_groups import NGroups
from .network_profiles import NetworkProfiles
from .networks import VirtualNetworks
from .profiles import Profiles
from .resource_groups import ResourceGroups
from .sandbox_groups import Sandboxes, SandboxGroups
from .tags import SubscriptionTags
from .workspaces import Workspaces

__all__ = [
    "BY_NAME",
    "BY_TYPE",
    "CONTAINER_GROUPS",
    "DEPLOYMENTS",
    "IDENTITIES",
    "NETWORKS",
    "NETWORK_PROFILES",
    "N_GROUPS",
    "PROFILES",
    "RESOURCE_GROUPS",
    "ROLE_ASSIGNMENTS",
    "SANDBOXES",
    "SANDBOX_GROUPS",
    "SUBSCRIPTION_TAGS",
    "WORKSPACES",
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

ROLE_ASSIGNMENTS: Kind = RoleAssignments()
IDENTITIES: Kind = UserAssignedIdentities()
NETWORKS: Kind = VirtualNetworks()
NETWORK_PROFILES: Kind = NetworkProfiles()
DEPLOYMENTS: Kind = Deployments()
SUBSCRIPTION_TAGS: Kind = SubscriptionTags()
WORKSPACES: Kind = Workspaces()

BY_NAME: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        CONTAINER_GROUPS, RESOURCE_GROUPS, ROLE_ASSIGNMENTS, IDENTITIES, NETWORKS, DEPLOYMENTS, SUBSCRIPTION_TAGS,
        PROFILES, N_GROUPS, SANDBOX_GROUPS, WORKSPACES, NETWORK_PROFILES,
    )
}  # fmt: skip
"""Every kind by `Row.kind`, but sandboxes: no list of ARM's shows them."""

BY_TYPE: dict[str, Kind] = {kind.type.lower(): kind for kind in BY_NAME.values()}
"""Every kind by the type that ARM writes, in lower case."""
