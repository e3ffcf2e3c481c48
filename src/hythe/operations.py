"""Names the groups of operations of the synchronous client, for annotations; a client makes them, nobody else.

``from azure.mgmt.containerinstance.operations import ContainerGroupsOperations`` becomes ``from hythe.operations ...``.
"""

from __future__ import annotations

from .client._sync.container_groups import ContainerGroupsOperations
from .client._sync.containers import ContainersOperations
from .client._sync.locations import (
    ContainerGroupUsageOperations,
    LocationOperations,
    Operations,
    SubnetServiceAssociationLinkOperations,
)
from .client._sync.n_groups import NGroupsOperations
from .client._sync.profiles import (
    CGProfileOperations,
    CGProfilesOperations,
    ContainerGroupProfileOperations,
    ContainerGroupProfilesOperations,
)
from .client._sync.sandbox_groups import SandboxGroupsOperations

ContainerOperations = ContainersOperations
ServiceAssociationLinkOperations = SubnetServiceAssociationLinkOperations
"""The older names of two."""

__all__ = [
    "CGProfileOperations",
    "CGProfilesOperations",
    "ContainerGroupProfileOperations",
    "ContainerGroupProfilesOperations",
    "ContainerGroupUsageOperations",
    "ContainerGroupsOperations",
    "ContainerOperations",
    "ContainersOperations",
    "LocationOperations",
    "NGroupsOperations",
    "Operations",
    "SandboxGroupsOperations",
    "ServiceAssociationLinkOperations",
    "SubnetServiceAssociationLinkOperations",
]
