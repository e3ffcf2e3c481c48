"""The kinds of resource: what each is made of, what it must be, how it is shown."""

from .authorization import RoleAssignments
from .base import Admission, Kind, Ports, Shown, any_port
from .container_groups import ContainerGroups, takes_warm
from .deployments import Deployments
from .identities import UserAssignedIdentities
from .networks import VirtualNetworks
from .resource_groups import ResourceGroups
from .tags import SubscriptionTags

__all__ = [
    "BY_NAME",
    "BY_TYPE",
    "CONTAINER_GROUPS",
    "DEPLOYMENTS",
    "IDENTITIES",
    "NETWORKS",
    "RESOURCE_GROUPS",
    "ROLE_ASSIGNMENTS",
    "SUBSCRIPTION_TAGS",
    "Admission",
    "Kind",
    "Ports",
    "Shown",
    "any_port",
    "takes_warm",
]

CONTAINER_GROUPS: Kind = ContainerGroups()
RESOURCE_GROUPS: Kind = ResourceGroups()
ROLE_ASSIGNMENTS: Kind = RoleAssignments()
IDENTITIES: Kind = UserAssignedIdentities()
NETWORKS: Kind = VirtualNetworks()
DEPLOYMENTS: Kind = Deployments()
SUBSCRIPTION_TAGS: Kind = SubscriptionTags()

BY_NAME: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        CONTAINER_GROUPS, RESOURCE_GROUPS, ROLE_ASSIGNMENTS, IDENTITIES, NETWORKS, DEPLOYMENTS, SUBSCRIPTION_TAGS,
    )
}  # fmt: skip
"""Every kind by `Row.kind`."""

BY_TYPE: dict[str, Kind] = {kind.type.lower(): kind for kind in BY_NAME.values()}
"""Every kind by the type that ARM writes, in lower case."""
