"""Names the groups of operations of the asynchronous client, for annotations; a client makes them, nobody else."""

from __future__ import annotations

from ..client._async.container_groups import ContainerGroupsOperations
from ..client._async.containers import ContainersOperations
from ..client._async.locations import (
    ContainerGroupUsageOperations,
    LocationOperations,
    Operations,
    SubnetServiceAssociationLinkOperations,
)
from ..client._async.n_groups import NGroupsOperations
from ..client._async.profiles import (
    CGProfileOperations,
    CGProfilesOperations,
    ContainerGroupProfileOperations,
    ContainerGroupProfilesOperations,
)
from ..client._async.sandbox_groups import SandboxGroupsOperations

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
