"""Container group profiles: definitions of container groups, kept in numbered revisions.

Fields that the service fills (and ignores when sent) are marked "read-only".  Source: the REST contract of
Microsoft.ContainerInstance, api-version 2026-07-01.
"""

from __future__ import annotations

from typing import ClassVar

from ._base import Model
from .common import SystemData
from .container_group import (
    ConfidentialComputeProperties,
    Container,
    ContainerGroupDiagnostics,
    DeploymentExtensionSpec,
    EncryptionProperties,
    ImageRegistryCredential,
    InitContainerDefinition,
    IpAddress,
    OsType,
    Priority,
    RestartPolicy,
    SecurityContextDefinition,
    Sku,
    Volume,
)


class ContainerGroupProfileProperties(Model, kw_only=True):
    """What a profile is, but for its name, place and tags."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"revision", "registered_revisions"})

    sku: Sku | None = None
    encryption_properties: EncryptionProperties | None = None
    containers: list[Container] | None = None
    init_containers: list[InitContainerDefinition] | None = None
    extensions: list[DeploymentExtensionSpec] | None = None
    image_registry_credentials: list[ImageRegistryCredential] | None = None
    restart_policy: RestartPolicy | None = None
    shutdown_grace_period: str | None = None
    """A date and time in the contract: only how far it lies after 1970-01-01T00:00:00Z counts."""
    ip_address: IpAddress | None = None
    time_to_live: str | None = None
    """As `shutdown_grace_period`."""
    os_type: OsType | None = None
    volumes: list[Volume] | None = None
    diagnostics: ContainerGroupDiagnostics | None = None
    priority: Priority | None = None
    confidential_compute_properties: ConfidentialComputeProperties | None = None
    security_context: SecurityContextDefinition | None = None
    revision: int | None = None
    """Number of this revision, from 1.  Read-only."""
    registered_revisions: list[int] | None = None
    """Read-only."""
    use_krypton: bool | None = None


class ContainerGroupProfile(ContainerGroupProfileProperties, kw_only=True):
    """A definition that container groups are made from; each PUT makes a new revision and keeps the old ones."""

    __arm_type__: ClassVar[str] = "Microsoft.ContainerInstance/containerGroupProfiles"
    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type", "location", "tags", "zones", "system_data")
    __read_only__: ClassVar[frozenset[str]] = ContainerGroupProfileProperties.__read_only__ | {
        "id", "type", "system_data",
    }  # fmt: skip

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    zones: list[str] | None = None
    system_data: SystemData | None = None

    @property
    def properties(self) -> ContainerGroupProfileProperties:
        """Be what stands under ``properties`` on the wire; a change of it is one of this."""
        return self


class ContainerGroupProfileListResult(Model, kw_only=True):
    """One page of profiles."""

    value: list[ContainerGroupProfile] | None = None
    next_link: str | None = None


class ContainerGroupProfilePatch(Model, kw_only=True):
    """The part of a profile that PATCH changes: its tags."""

    tags: dict[str, str] | None = None
