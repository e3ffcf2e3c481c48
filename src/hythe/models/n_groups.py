"""NGroups: sets of container groups made from profiles.

Source: the REST contract of Microsoft.ContainerInstance, api-version 2026-07-01.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from . import enums
from ._base import Model, words
from .common import SystemData
from .container_group import (
    AzureFileVolume,
    ContainerGroupSubnetId,
    IdentityType,
    UserAssignedIdentities,
    VolumeMount,
)

UpdateMode = Annotated[str, words(enums.NGroupUpdateMode)]


class ApiEntityReference(Model, kw_only=True):
    """A resource, by its ARM id."""

    id: str | None = None


class LoadBalancerBackendAddressPool(Model, kw_only=True):
    """A back-end pool of a load balancer."""

    resource: str | None = None


class LoadBalancer(Model, kw_only=True):
    """Load balancers that lead to the groups of a set."""

    backend_address_pools: list[LoadBalancerBackendAddressPool] | None = None


class ApplicationGatewayBackendAddressPool(Model, kw_only=True):
    """A back-end pool of an application gateway."""

    resource: str | None = None


class ApplicationGateway(Model, kw_only=True):
    """An application gateway that leads to the groups of a set."""

    resource: str | None = None
    backend_address_pools: list[ApplicationGatewayBackendAddressPool] | None = None


class NetworkProfile(Model, kw_only=True):
    """What leads to the groups of a set."""

    load_balancer: LoadBalancer | None = None
    application_gateway: ApplicationGateway | None = None


class FileShareProperties(Model, kw_only=True):
    """How a share is used: Shared by all groups, or Exclusive to each."""

    share_access_type: str | None = None
    share_access_tier: str | None = None


class FileShare(Model, kw_only=True):
    """A share that the groups of a set use."""

    name: str | None = None
    resource_group_name: str | None = None
    storage_account_name: str | None = None
    properties: FileShareProperties | None = None


class StorageProfile(Model, kw_only=True):
    """The shares of a set."""

    file_shares: list[FileShare] | None = None


class NGroupCGPropertyVolume(Model, kw_only=True):
    """A volume that a set adds to those of a profile."""

    name: str
    azure_file: AzureFileVolume | None = None


class NGroupCGPropertyContainerProperties(Model, kw_only=True):
    """What a set adds to a container of a profile."""

    volume_mounts: list[VolumeMount] | None = None


class NGroupCGPropertyContainer(Model, kw_only=True):
    """A container of a profile, by name."""

    name: str | None = None
    properties: NGroupCGPropertyContainerProperties | None = None


class NGroupContainerGroupProperties(Model, kw_only=True):
    """What a set adds to the groups made from a profile."""

    subnet_ids: list[ContainerGroupSubnetId] | None = None
    volumes: list[NGroupCGPropertyVolume] | None = None
    containers: list[NGroupCGPropertyContainer] | None = None


class ContainerGroupProfileStub(Model, kw_only=True):
    """A profile that groups of a set are made from; the newest revision unless one is named."""

    resource: ApiEntityReference | None = None
    revision: int | None = None
    network_profile: NetworkProfile | None = None
    storage_profile: StorageProfile | None = None
    container_group_properties: NGroupContainerGroupProperties | None = None


class ElasticProfileContainerGroupNamingPolicyGuidNamingPolicy(Model, kw_only=True):
    """Names made of a prefix and a GUID."""

    prefix: str | None = None


class ElasticProfileContainerGroupNamingPolicy(Model, kw_only=True):
    """How the groups of a set are named."""

    guid_naming_policy: ElasticProfileContainerGroupNamingPolicyGuidNamingPolicy | None = None


class ElasticProfile(Model, kw_only=True):
    """How many groups there should be, and whether one that was deleted is replaced."""

    desired_count: int | None = None
    maintain_desired_count: bool | None = None
    container_group_naming_policy: ElasticProfileContainerGroupNamingPolicy | None = None


class PlacementProfile(Model, kw_only=True):
    """How groups are spread."""

    fault_domain_count: int | None = None


class UpdateProfileRollingUpdateProfile(Model, kw_only=True):
    """How a rolling update goes on: per cent of all groups at a time; the pause is an ISO 8601 duration."""

    max_batch_percent: int | None = None
    max_unhealthy_percent: int | None = None
    pause_time_between_batches: str | None = None
    in_place_update: bool | None = None


class UpdateProfile(Model, kw_only=True):
    """How groups follow a changed profile: Manual, or Rolling."""

    update_mode: UpdateMode | None = None
    rolling_update_profile: UpdateProfileRollingUpdateProfile | None = None


class NGroupIdentity(Model, kw_only=True):
    """Managed identities of a set."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"principal_id", "tenant_id"})

    principal_id: str | None = None
    tenant_id: str | None = None
    type: IdentityType | None = None
    user_assigned_identities: dict[str, UserAssignedIdentities] | None = None


class NGroupProperties(Model, kw_only=True):
    """What a set is, but for its name, place, tags and identity."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"provisioning_state"})

    elastic_profile: ElasticProfile | None = None
    placement_profile: PlacementProfile | None = None
    container_group_profiles: list[ContainerGroupProfileStub] | None = None
    provisioning_state: str | None = None
    update_profile: UpdateProfile | None = None


class NGroup(NGroupProperties, kw_only=True):
    """A set of container groups made from profiles."""

    __arm_type__: ClassVar[str] = "Microsoft.ContainerInstance/ngroups"
    __outer__: ClassVar[tuple[str, ...]] = (
        "id", "name", "type", "location", "tags", "zones", "identity", "system_data",
    )  # fmt: skip
    __read_only__: ClassVar[frozenset[str]] = NGroupProperties.__read_only__ | {"id", "type", "system_data"}

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    zones: list[str] | None = None
    identity: NGroupIdentity | None = None
    system_data: SystemData | None = None

    @property
    def properties(self) -> NGroupProperties:
        """Be what stands under ``properties`` on the wire; a change of it is one of this."""
        return self


class NGroupPatch(NGroupProperties, kw_only=True):
    """The parts of a set that PATCH changes; what is left out stays as it is."""

    __outer__: ClassVar[tuple[str, ...]] = ("tags", "zones", "identity", "system_data")
    __read_only__: ClassVar[frozenset[str]] = NGroupProperties.__read_only__ | {"system_data"}

    tags: dict[str, str] | None = None
    zones: list[str] | None = None
    identity: NGroupIdentity | None = None
    system_data: SystemData | None = None

    @property
    def properties(self) -> NGroupProperties:
        """Be what stands under ``properties`` on the wire; a change of it is one of this."""
        return self


class NGroupsListResult(Model, kw_only=True):
    """One page of sets."""

    value: list[NGroup]
    next_link: str | None = None
