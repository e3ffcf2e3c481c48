"""Offers the client of Microsoft.ContainerInstance: container groups and what belongs to them."""

from __future__ import annotations

from hythe.wire.versions import NEWEST

from .client import Client
from .container_groups import ContainerGroupsOperations
from .containers import ContainersOperations
from .locations import (
    ContainerGroupUsageOperations,
    LocationOperations,
    Operations,
    SubnetServiceAssociationLinkOperations,
)
from .n_groups import NGroupsOperations
from .profiles import (
    CGProfileOperations,
    CGProfilesOperations,
    ContainerGroupProfileOperations,
    ContainerGroupProfilesOperations,
)
from .sandbox_groups import SandboxGroupsOperations
from .session import Session


class ContainerInstanceManagementClient(Client):
    """Runs container groups, on Hythe or on Azure."""

    DEFAULT_API_VERSION = NEWEST

    def _add_operations(self, session: Session) -> None:
        self.container_groups = ContainerGroupsOperations(session)
        self.containers = self.container = ContainersOperations(session)
        self.location = LocationOperations(session)
        self.operations = Operations(session)
        self.subnet_service_association_link = SubnetServiceAssociationLinkOperations(session)
        self.cg_profile = CGProfileOperations(session)
        self.cg_profiles = CGProfilesOperations(session)
        self.ngroups = NGroupsOperations(session)
        self.sandbox_groups = SandboxGroupsOperations(session)
        # older names
        self.container_group_usage = ContainerGroupUsageOperations(session)
        self.service_association_link = self.subnet_service_association_link
        self.container_group_profiles = ContainerGroupProfilesOperations(session)
        self.container_group_profile = ContainerGroupProfileOperations(session)
