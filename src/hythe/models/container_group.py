"""A container group and everything in it, at the shape of api-version 2026-07-01.

Every field may be left out unless it has no default.  Fields that the service fills (and ignores when sent) are
marked "read-only".  Source: the REST contract of Microsoft.ContainerInstance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec

from . import enums
from ._base import Model, words
from .common import SystemData

_USER_INFO = re.compile("//[^/]*@")

RestartPolicy = Annotated[str, words(enums.ContainerGroupRestartPolicy)]
Protocol = Annotated[str, words(enums.ContainerNetworkProtocol)]
IpAddressType = Annotated[str, words(enums.ContainerGroupIpAddressType)]
OsType = Annotated[str, words(enums.OperatingSystemTypes)]
Sku = Annotated[str, words(enums.ContainerGroupSku)]
Priority = Annotated[str, words(enums.ContainerGroupPriority)]
LabelScope = Annotated[str, words(enums.DnsNameLabelReusePolicy)]
LogType = Annotated[str, words(enums.LogAnalyticsLogType)]
IdentityType = Annotated[str, words(enums.ResourceIdentityType)]
HttpScheme = Annotated[str, words(enums.Scheme)]


class Event(Model, kw_only=True):
    """Something that happened to a group or a container; repeats raise ``count``.  Read-only."""

    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    name: str | None = None
    message: str | None = None
    type: str | None = None


class ContainerState(Model, kw_only=True):
    """What a container does: state is Waiting, Running or Terminated.  Read-only."""

    state: str | None = None
    start_time: datetime | None = None
    exit_code: int | None = None
    finish_time: datetime | None = None
    detail_status: str | None = None


class ContainerPropertiesInstanceView(Model, kw_only=True):
    """The state of a container now and before.  Read-only."""

    restart_count: int | None = None
    current_state: ContainerState | None = None
    previous_state: ContainerState | None = None
    events: list[Event] | None = None


InitContainerPropertiesDefinitionInstanceView = ContainerPropertiesInstanceView
"""Microsoft's package has a class of its own for init containers, with the same members."""


class ContainerGroupPropertiesInstanceView(Model, kw_only=True):
    """The state of a group: Pending, Running, Stopped, Succeeded or Failed.  Read-only."""

    events: list[Event] | None = None
    state: str | None = None


class ContainerPort(Model, kw_only=True):
    """A port, 1 to 65535, on which a container listens; protocol TCP unless said."""

    protocol: Protocol | None = None
    port: int


class Port(Model, kw_only=True):
    """A port, 1 to 65535, of the group's address."""

    protocol: Protocol | None = None
    port: int


class IpAddress(Model, kw_only=True):
    """The address of a group: Public or Private, with its open ports and its DNS name label."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"fqdn"})

    ports: list[Port] | None = None
    type: IpAddressType | None = None
    ip: str | None = None
    dns_name_label: str | None = None
    auto_generated_domain_name_label_scope: LabelScope | None = None
    fqdn: str | None = None


class EnvironmentVariable(Model, kw_only=True):
    """A variable: exactly one of ``value`` and ``secure_value`` (which no answer shows)."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"secure_value"})

    name: str
    value: str | None = None
    secure_value: str | None = None
    secure_value_reference: str | None = None


class GpuResource(Model, kw_only=True):
    """GPUs of a container."""

    count: int
    sku: str


class ResourceRequests(Model, kw_only=True):
    """What a container is sure to get: memory in GB (of 2**30 bytes), CPU in cores."""

    memory_in_gb: float | None = None
    cpu: float | None = None
    gpu: GpuResource | None = None


class ResourceLimits(Model, kw_only=True):
    """What a container can't exceed; the requests unless given."""

    memory_in_gb: float | None = None
    cpu: float | None = None
    gpu: GpuResource | None = None


class ResourceRequirements(Model, kw_only=True):
    """Requests and limits of a container."""

    requests: ResourceRequests | None = None
    limits: ResourceLimits | None = None


class VolumeMount(Model, kw_only=True):
    """Where a container sees a volume."""

    name: str
    mount_path: str
    read_only: bool | None = None


class ContainerExec(Model, kw_only=True):
    """A command run in the container; exit code 0 is success."""

    command: list[str] | None = None


class HttpHeader(Model, kw_only=True):
    """A header of a probe."""

    name: str | None = None
    value: str | None = None


class ContainerHttpGet(Model, kw_only=True):
    """A request to the container; 200 to 399 is success."""

    path: str | None = None
    port: int
    scheme: HttpScheme | None = None
    http_headers: list[HttpHeader] | None = None


class ContainerProbe(Model, kw_only=True):
    """A check of a container: exactly one of ``exec_property`` and ``http_get``; times in seconds."""

    __aliases__: ClassVar[Mapping[str, str]] = {"exec_": "exec_property", "_exec": "exec_property"}

    exec_property: ContainerExec | None = None
    http_get: ContainerHttpGet | None = None
    initial_delay_seconds: int | None = None
    period_seconds: int | None = None
    failure_threshold: int | None = None
    success_threshold: int | None = None
    timeout_seconds: int | None = None

    @property
    def exec_(self) -> ContainerExec | None:
        """Be a shorter name of ``exec_property``."""
        return self.exec_property


class SecurityContextCapabilitiesDefinition(Model, kw_only=True):
    """Capabilities added to and dropped from a container."""

    add: list[str] | None = None
    drop: list[str] | None = None


class SecurityContextDefinition(Model, kw_only=True):
    """Rights of a container; ``seccomp_profile`` is base64 of the JSON profile."""

    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    capabilities: SecurityContextCapabilitiesDefinition | None = None
    run_as_group: int | None = None
    run_as_user: int | None = None
    seccomp_profile: str | None = None


class ConfigMap(Model, kw_only=True):
    """Files under /mnt/configmap/<container>/, by name."""

    key_value_pairs: dict[str, str] | None = None


class ContainerProperties(Model, kw_only=True):
    """What a container is, but for its name."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"instance_view"})

    image: str | None = None
    command: list[str] | None = None
    ports: list[ContainerPort] | None = None
    environment_variables: list[EnvironmentVariable] | None = None
    instance_view: ContainerPropertiesInstanceView | None = None
    resources: ResourceRequirements | None = None
    volume_mounts: list[VolumeMount] | None = None
    liveness_probe: ContainerProbe | None = None
    readiness_probe: ContainerProbe | None = None
    security_context: SecurityContextDefinition | None = None
    config_map: ConfigMap | None = None


class Container(ContainerProperties, kw_only=True):
    """A container of a group.  ``command`` replaces the image's entry point and is not given to a shell."""

    __outer__: ClassVar[tuple[str, ...]] = ("name",)

    name: str

    @property
    def properties(self) -> ContainerProperties:
        """Be what stands under ``properties`` on the wire; a change of it is one of this."""
        return self


class InitContainerPropertiesDefinition(Model, kw_only=True):
    """What an init container is, but for its name."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"instance_view"})

    image: str | None = None
    command: list[str] | None = None
    environment_variables: list[EnvironmentVariable] | None = None
    instance_view: ContainerPropertiesInstanceView | None = None
    volume_mounts: list[VolumeMount] | None = None
    security_context: SecurityContextDefinition | None = None


class InitContainerDefinition(InitContainerPropertiesDefinition, kw_only=True):
    """A container that must end with exit code 0 before the next one starts."""

    __outer__: ClassVar[tuple[str, ...]] = ("name",)

    name: str

    @property
    def properties(self) -> InitContainerPropertiesDefinition:
        """Be what stands under ``properties`` on the wire; a change of it is one of this."""
        return self


class ImageRegistryCredential(Model, kw_only=True):
    """How images of one registry are pulled."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"password"})

    server: str
    username: str | None = None
    password: str | None = None
    password_reference: str | None = None
    identity: str | None = None
    identity_url: str | None = None


class AzureFileVolume(Model, kw_only=True):
    """A file share."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"storage_account_key"})

    share_name: str
    read_only: bool | None = None
    storage_account_name: str
    storage_account_key: str | None = None
    storage_account_key_reference: str | None = None
    user_assigned_identity_client_id: str | None = None


class GitRepoVolume(Model, kw_only=True):
    """A git repository, cloned before the containers start; user info in its URL is a secret."""

    directory: str | None = None
    repository: str
    revision: str | None = None

    def masked(self) -> GitRepoVolume:
        """Give the same with ``***`` in place of the user info in the URL."""
        return msgspec.structs.replace(self, repository=_USER_INFO.sub("//***@", self.repository, count=1))

    def __repr__(self) -> str:
        return super(GitRepoVolume, self.masked()).__repr__()


class Volume(Model, kw_only=True):
    """A volume: a name and exactly one source.  ``secret`` maps file names to base64 text."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"secret"})

    name: str
    azure_file: AzureFileVolume | None = None
    empty_dir: dict[str, Any] | None = None
    secret: dict[str, str] | None = None
    secret_reference: dict[str, str] | None = None
    git_repo: GitRepoVolume | None = None


class LogAnalytics(Model, kw_only=True):
    """A log workspace."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"workspace_key", "workspace_resource_id"})

    workspace_id: str
    workspace_key: str | None = None
    log_type: LogType | None = None
    metadata: dict[str, str] | None = None
    workspace_resource_id: str | None = None


class ContainerGroupDiagnostics(Model, kw_only=True):
    """Where logs are sent."""

    log_analytics: LogAnalytics | None = None


class ContainerGroupSubnetId(Model, kw_only=True):
    """A subnet that the group joins."""

    id: str
    name: str | None = None


ContainerGroupNetworkProfile = ContainerGroupSubnetId
"""What stood in its place before 2021-07-01: the id of a network profile, which leads to a subnet."""


class DnsConfiguration(Model, kw_only=True):
    """Name servers of a group; search domains and options are space-separated."""

    name_servers: list[str]
    search_domains: str | None = None
    options: str | None = None


class EncryptionProperties(Model, kw_only=True):
    """Key that encrypts a group's data."""

    vault_base_url: str
    key_name: str
    key_version: str
    identity: str | None = None


class DeploymentExtensionSpecProperties(Model, kw_only=True):
    """What an extension is, but for its name."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"protected_settings"})

    extension_type: str | None = None
    version: str | None = None
    settings: Any = None
    protected_settings: Any = None


class DeploymentExtensionSpec(DeploymentExtensionSpecProperties, kw_only=True):
    """An extension of a group."""

    __outer__: ClassVar[tuple[str, ...]] = ("name",)

    name: str

    @property
    def properties(self) -> DeploymentExtensionSpecProperties:
        """Be what stands under ``properties`` on the wire; a change of it is one of this."""
        return self


class ConfidentialComputeProperties(Model, kw_only=True):
    """Policy of a confidential group."""

    cce_policy: str | None = None


class IdentityAccessControl(Model, kw_only=True):
    """Who may use one identity."""

    access: str | None = None
    identity: str | None = None


class IdentityAcls(Model, kw_only=True):
    """Who may use the identities of a group."""

    default_access: str | None = None
    acls: list[IdentityAccessControl] | None = None


class ContainerGroupProfileReferenceDefinition(Model, kw_only=True):
    """The profile that a group is made from."""

    id: str | None = None
    revision: int | None = None


class StandbyPoolProfileDefinition(Model, kw_only=True):
    """The pool that a group is taken from."""

    id: str | None = None
    fail_container_group_create_on_reuse_failure: bool | None = None


class SecretReference(Model, kw_only=True):
    """A secret in a key vault."""

    name: str
    identity: str
    secret_reference_uri: str


class UserAssignedIdentities(Model, kw_only=True):
    """A user-assigned identity.  Read-only."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"principal_id", "client_id"})

    principal_id: str | None = None
    client_id: str | None = None


UserAssignedIdentity = UserAssignedIdentities
ContainerGroupIdentityUserAssignedIdentitiesValue = UserAssignedIdentities
"""Other names that Microsoft's packages have for it."""


class ContainerGroupIdentity(Model, kw_only=True):
    """Managed identities of a group."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"principal_id", "tenant_id"})

    principal_id: str | None = None
    tenant_id: str | None = None
    type: IdentityType | None = None
    user_assigned_identities: dict[str, UserAssignedIdentities] | None = None


class ContainerGroupProperties(Model, kw_only=True):
    """What a container group is, but for its name, place, tags and identity."""

    __read_only__: ClassVar[frozenset[str]] = frozenset(
        {"provisioning_state", "instance_view", "is_custom_provisioning_timeout", "is_created_from_standby_pool"}
    )

    identity: ContainerGroupIdentity | None = None
    """Stands beside the properties on the wire, but Microsoft's package has it here too."""
    sku: Sku | None = None
    provisioning_state: str | None = None
    provisioning_timeout_in_seconds: int | None = None
    is_custom_provisioning_timeout: bool | None = None
    is_created_from_standby_pool: bool | None = None
    secret_references: list[SecretReference] | None = None
    containers: list[Container] | None = None
    init_containers: list[InitContainerDefinition] | None = None
    image_registry_credentials: list[ImageRegistryCredential] | None = None
    restart_policy: RestartPolicy | None = None
    ip_address: IpAddress | None = None
    os_type: OsType | None = None
    volumes: list[Volume] | None = None
    instance_view: ContainerGroupPropertiesInstanceView | None = None
    diagnostics: ContainerGroupDiagnostics | None = None
    subnet_ids: list[ContainerGroupSubnetId] | None = None
    dns_config: DnsConfiguration | None = None
    encryption_properties: EncryptionProperties | None = None
    extensions: list[DeploymentExtensionSpec] | None = None
    confidential_compute_properties: ConfidentialComputeProperties | None = None
    priority: Priority | None = None
    identity_acls: IdentityAcls | None = None
    container_group_profile: ContainerGroupProfileReferenceDefinition | None = None
    standby_pool_profile: StandbyPoolProfileDefinition | None = None
    orchestrator_id: str | None = None
    """Id of the set that made it.  Read-only; answered by the service, not in the contract."""


class ContainerGroup(ContainerGroupProperties, kw_only=True):
    """One or more containers that share an address, localhost, volumes and a life."""

    __arm_type__: ClassVar[str] = "Microsoft.ContainerInstance/containerGroups"
    __outer__: ClassVar[tuple[str, ...]] = (
        "id",
        "name",
        "type",
        "location",
        "tags",
        "zones",
        "identity",
        "system_data",
    )
    __read_only__: ClassVar[frozenset[str]] = ContainerGroupProperties.__read_only__ | {"id", "type", "system_data"}
    __aliases__: ClassVar[Mapping[str, str]] = {"network_profile": "subnet_ids", "networkProfile": "subnet_ids"}

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    zones: list[str] | None = None
    system_data: SystemData | None = None

    def _repr_html_(self) -> str:
        """Show the group in a notebook."""
        from ._html import group_html

        return group_html(self)

    @property
    def properties(self) -> ContainerGroupProperties:
        """Be what stands under ``properties`` on the wire; a change of it is one of this."""
        return self

    @property
    def network_profile(self) -> ContainerGroupSubnetId | None:
        """Be the first of ``subnet_ids``, under the name of 1.x; Azure takes network profiles no longer, Hythe does."""
        return self.subnet_ids[0] if self.subnet_ids else None

    @network_profile.setter
    def network_profile(self, profile: ContainerGroupSubnetId | None) -> None:
        self["subnetIds"] = None if profile is None else [profile]  # an assignment would be a declaration to checkers


class Resource(Model, kw_only=True):
    """The part of a resource that PATCH changes: its tags."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"id", "name", "type"})

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    zones: list[str] | None = None


class ContainerGroupListResult(Model, kw_only=True):
    """One page of groups."""

    value: list[ContainerGroup] | None = None
    next_link: str | None = None
