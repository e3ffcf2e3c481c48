"""Makes the definition of a container group from what was written on the command line.  Pure."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence

import click
from msgspec import Struct

from ..models import (
    AzureFileVolume,
    ConfidentialComputeProperties,
    ConfigMap,
    Container,
    ContainerGroup,
    ContainerGroupDiagnostics,
    ContainerGroupIdentity,
    ContainerGroupProfileReferenceDefinition,
    ContainerGroupSubnetId,
    ContainerPort,
    EnvironmentVariable,
    GitRepoVolume,
    ImageRegistryCredential,
    IpAddress,
    LogAnalytics,
    Port,
    ResourceRequests,
    ResourceRequirements,
    SecurityContextCapabilitiesDefinition,
    SecurityContextDefinition,
    StandbyPoolProfileDefinition,
    UserAssignedIdentities,
    Volume,
    VolumeMount,
)


class Written(Struct, kw_only=True):
    """The options of `create`, under az's names."""

    image: str | None = None
    location: str | None = None
    cpu: float | None = None
    memory: float | None = None
    os_type: str | None = None
    restart_policy: str | None = None
    command_line: str | None = None
    environment_variables: Sequence[str] = ()
    secure_environment_variables: Sequence[str] = ()
    config_map: Sequence[str] = ()
    ip_address: str | None = None
    ports: Sequence[int] = (80,)
    protocol: str | None = None
    dns_name_label: str | None = None
    subnet: str | None = None
    registry_login_server: str | None = None
    registry_username: str | None = None
    registry_password: str | None = None
    acr_identity: str | None = None
    azure_file_volume_share_name: str | None = None
    azure_file_volume_account_name: str | None = None
    azure_file_volume_account_key: str | None = None
    azure_file_volume_mount_path: str | None = None
    secrets: Sequence[str] = ()
    secrets_mount_path: str | None = None
    gitrepo_url: str | None = None
    gitrepo_dir: str | None = None
    gitrepo_revision: str | None = None
    gitrepo_mount_path: str | None = None
    log_analytics_workspace: str | None = None
    log_analytics_workspace_key: str | None = None
    assign_identity: Sequence[str] | None = None
    zone: str | None = None
    priority: str | None = None
    sku: str | None = None
    cce_policy: str | None = None
    allow_escalation: bool | None = None
    privileged: bool | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    seccomp_profile: str | None = None
    add_capabilities: Sequence[str] = ()
    drop_capabilities: Sequence[str] = ()
    container_group_profile_id: str | None = None
    container_group_profile_revision: int | None = None
    standby_pool_profile_id: str | None = None
    fail_container_group_create_on_reuse_failure: bool | None = None


def pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """Read NAME=VALUE words; what is wrong with one is said without its value, which may be secret."""
    made = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{option} takes NAME=VALUE words, and '{name}' has no '='.")
        made[name] = value
    return made


def variables(plain: dict[str, str], secret: dict[str, str]) -> list[EnvironmentVariable] | None:
    """Make environment variables."""
    made = [EnvironmentVariable(name=name, value=value) for name, value in plain.items()]
    made += [EnvironmentVariable(name=name, secure_value=value) for name, value in secret.items()]
    return made or None


def _together(written: Written, *options: str) -> bool:
    """Tell whether these options are given; all of them have to be, or none."""
    given = [name for name in options if getattr(written, name)]
    if given and len(given) != len(options):
        missing = next(name for name in options if name not in given)
        raise click.UsageError(f"--{given[0].replace('_', '-')} needs --{missing.replace('_', '-')} too.")
    return bool(given)


def _volumes(written: Written) -> tuple[list[Volume], list[VolumeMount]]:
    volumes, mounts = [], []
    if _together(
        written, "azure_file_volume_share_name", "azure_file_volume_account_name", "azure_file_volume_account_key",
        "azure_file_volume_mount_path",
    ):  # fmt: skip
        share = AzureFileVolume(
            share_name=written.azure_file_volume_share_name or "",
            storage_account_name=written.azure_file_volume_account_name or "",
            storage_account_key=written.azure_file_volume_account_key,
        )
        volumes.append(Volume(name="azurefile", azure_file=share))
        mounts.append(VolumeMount(name="azurefile", mount_path=written.azure_file_volume_mount_path or ""))
    if _together(written, "secrets", "secrets_mount_path"):
        files = {
            name: base64.b64encode(value.encode()).decode()
            for name, value in pairs(written.secrets, "--secrets").items()
        }
        volumes.append(Volume(name="secrets", secret=files))
        mounts.append(VolumeMount(name="secrets", mount_path=written.secrets_mount_path or ""))
    if _together(written, "gitrepo_url", "gitrepo_mount_path"):
        repository = GitRepoVolume(
            repository=written.gitrepo_url or "", directory=written.gitrepo_dir, revision=written.gitrepo_revision
        )
        volumes.append(Volume(name="gitrepo", git_repo=repository))
        mounts.append(VolumeMount(name="gitrepo", mount_path=written.gitrepo_mount_path or ""))
    return volumes, mounts


def _security(written: Written) -> SecurityContextDefinition | None:
    capabilities = None
    if written.add_capabilities or written.drop_capabilities:
        capabilities = SecurityContextCapabilitiesDefinition(
            add=list(written.add_capabilities) or None, drop=list(written.drop_capabilities) or None
        )
    made = SecurityContextDefinition(
        privileged=written.privileged,
        allow_privilege_escalation=written.allow_escalation,
        capabilities=capabilities,
        run_as_user=written.run_as_user,
        run_as_group=written.run_as_group,
        seccomp_profile=written.seccomp_profile,
    )
    return made if made != SecurityContextDefinition() else None


def _registry(written: Written) -> list[ImageRegistryCredential] | None:
    if written.acr_identity:
        server = written.registry_login_server or (written.image or "").partition("/")[0]
        return [ImageRegistryCredential(server=server, identity=written.acr_identity)]
    if not (written.registry_login_server or written.registry_username or written.registry_password):
        return None
    server = written.registry_login_server or (written.image or "").partition("/")[0]
    if "." not in server and ":" not in server:
        raise click.UsageError("the registry is not known: give --registry-login-server.")
    _together(written, "registry_username", "registry_password")
    if not written.registry_username:
        raise click.UsageError("--registry-login-server needs --registry-username too, or --acr-identity.")
    return [
        ImageRegistryCredential(server=server, username=written.registry_username, password=written.registry_password)
    ]


def _identity(words: Sequence[str] | None) -> ContainerGroupIdentity | None:
    if words is None:
        return None
    users = {word: UserAssignedIdentities() for word in words if word != "[system]"}
    system = "[system]" in words or not words
    kind = "SystemAssigned, UserAssigned" if system and users else "SystemAssigned" if system else "UserAssigned"
    return ContainerGroupIdentity(type=kind, user_assigned_identities=users or None)


def _diagnostics(written: Written) -> ContainerGroupDiagnostics | None:
    if not written.log_analytics_workspace:
        return None
    return ContainerGroupDiagnostics(
        log_analytics=LogAnalytics(
            workspace_id=written.log_analytics_workspace, workspace_key=written.log_analytics_workspace_key
        )
    )


def _container(name: str, written: Written, mounts: list[VolumeMount], ports: list[int]) -> Container:
    try:
        command = shlex.split(written.command_line) if written.command_line else None
    except ValueError as why:
        raise click.UsageError(f"--command-line can't be split into words: {why}.") from None
    config = pairs(written.config_map, "--config-map")
    plain = pairs(written.environment_variables, "--environment-variables")
    secret = pairs(written.secure_environment_variables, "--secure-environment-variables")
    return Container(
        name=name,
        image=written.image,
        command=command,
        environment_variables=variables(plain, secret),
        resources=needs(written),
        ports=[ContainerPort(port=port, protocol=written.protocol) for port in ports] or None,
        volume_mounts=mounts or None,
        config_map=ConfigMap(key_value_pairs=config) if config else None,
        security_context=_security(written),
    )


def needs(written: Written) -> ResourceRequirements | None:
    """Make the resources of a container: 1 core and 1.5 GB unless said, or those of the profile."""
    if written.container_group_profile_id and written.cpu is None and written.memory is None:
        return None
    requests = ResourceRequests(cpu=written.cpu or 1.0, memory_in_gb=written.memory or 1.5)
    return ResourceRequirements(requests=requests)


def define(name: str, written: Written, location: str) -> ContainerGroup:
    """Make the definition of a group with one container of the same name, as `az container create` does."""
    volumes, mounts = _volumes(written)
    private = written.subnet is not None
    kind = written.ip_address or ("Public" if written.dns_name_label else "Private" if private else None)
    ports = list(written.ports) if kind else []
    address = None
    if kind:
        address = IpAddress(
            type=kind, dns_name_label=written.dns_name_label,
            ports=[Port(port=port, protocol=written.protocol or "TCP") for port in ports],
        )  # fmt: skip
    from_profile = written.container_group_profile_id is not None
    profile = None
    if from_profile:
        profile = ContainerGroupProfileReferenceDefinition(
            id=written.container_group_profile_id, revision=written.container_group_profile_revision
        )
    standby = None
    if written.standby_pool_profile_id:
        standby = StandbyPoolProfileDefinition(
            id=written.standby_pool_profile_id,
            fail_container_group_create_on_reuse_failure=written.fail_container_group_create_on_reuse_failure,
        )
    confidential = ConfidentialComputeProperties(cce_policy=written.cce_policy) if written.cce_policy else None
    return ContainerGroup(
        location=location,
        os_type=written.os_type or (None if from_profile else "Linux"),
        containers=[_container(name, written, mounts, ports)] if written.image or not from_profile else None,
        restart_policy=written.restart_policy,
        ip_address=address,
        volumes=volumes or None,
        image_registry_credentials=_registry(written),
        subnet_ids=[ContainerGroupSubnetId(id=written.subnet or "")] if private else None,
        diagnostics=_diagnostics(written),
        identity=_identity(written.assign_identity),
        zones=[written.zone] if written.zone else None,
        priority=written.priority,
        sku=written.sku,
        confidential_compute_properties=confidential,
        container_group_profile=profile,
        standby_pool_profile=standby,
    )
