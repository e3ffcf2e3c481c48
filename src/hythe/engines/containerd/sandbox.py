"""Writes what CRI wants to know: the configuration of a sandbox and of a container."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import uuid
from collections.abc import Iterator, Sequence

from ...models import ContainerGroup
from ..base import Uid, Want
from ..pod import allowance
from ..pod.spec import CPU_PERIOD, AnyContainer
from .config import Place
from .proto import cri_pb2 as cri

INSTALLATION = "hythe.installation"
UID = "hythe.uid"
EPOCH = "hythe.epoch"
SPEC = "hythe.spec"
INPUT_TAG = "hythe.stdin"
"""Tag of a group that names its containers with an open standard input, with commas between them."""

# What a container must not see or change of the host's kernel; CRI leaves both lists to its caller.
PROTECTED_PATHS = (
    "/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
    "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
)  # fmt: skip
READ_ONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def host_name(uid: str) -> str:
    """Give the host name inside a group, in the form that Azure's have."""
    digits = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8], "big") % 10**18
    return f"SandboxHost-{digits:018}"


def log_path(container: str, epoch: int, attempt: int) -> str:
    """Give the log file of one attempt, below the group's folder."""
    return f"{container}/{epoch}-{attempt}.log"


def sandbox_config(
    place: Place, uid: Uid, attempt: int, seccomp: cri.SecurityProfile, group: ContainerGroup | None = None
) -> cri.PodSandboxConfig:
    """Describe the sandbox of a group: without ``group``, with what every group has, to be made ahead."""
    return cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(name=uid, uid=uid, namespace=place.network, attempt=attempt),
        hostname=host_name(uid),
        log_directory=str(place.logs / uid),
        dns_config=_dns(group),
        labels={INSTALLATION: place.installation, UID: uid},
        linux=cri.LinuxPodSandboxConfig(
            security_context=cri.LinuxSandboxSecurityContext(
                privileged=_privileged(group),
                namespace_options=cri.NamespaceOption(pid=cri.CONTAINER),
                seccomp=seccomp,
            )
        ),
    )


def _dns(group: ContainerGroup | None) -> cri.DNSConfig | None:
    """Give the name servers that a group asks for; without them it gets the host's."""
    asked = group.dns_config if group else None
    if asked is None:
        return None
    return cri.DNSConfig(
        servers=asked.name_servers,
        searches=(asked.search_domains or "").split(),
        options=(asked.options or "").split(),
    )


def _privileged(group: ContainerGroup | None) -> bool:
    """Tell whether a container is privileged: CRI allows that only in a sandbox that is so too."""
    every: list[AnyContainer] = [*(group.init_containers or ()), *(group.containers or ())] if group else []
    return any(one.security_context is not None and one.security_context.privileged for one in every)


def container_config(
    place: Place,
    want: Want,
    container: AnyContainer,
    *,
    image: str,
    attempt: int,
    spec: str,
    seccomp: cri.SecurityProfile,
    mounts: Sequence[cri.Mount] = (),
) -> cri.ContainerConfig:
    """Describe one attempt of a container."""
    allowed = allowance(container)
    config = cri.ContainerConfig(
        metadata=cri.ContainerMetadata(name=f"{want.epoch}-{container.name}", attempt=attempt),
        image=cri.ImageSpec(image=image),
        command=container.command or (),
        envs=[
            cri.KeyValue(key=each.name, value=each.secure_value if each.value is None else each.value)
            for each in container.environment_variables or ()
        ],
        mounts=mounts,
        labels={INSTALLATION: place.installation, UID: want.uid, EPOCH: str(want.epoch), SPEC: spec},
        log_path=log_path(container.name, want.epoch, attempt),
        stdin=wants_input(want.group.tags, container.name),
        linux=cri.LinuxContainerConfig(
            resources=cri.LinuxContainerResources(
                cpu_period=CPU_PERIOD if allowed.cpu_quota else 0,
                cpu_quota=allowed.cpu_quota,
                cpu_shares=allowed.cpu_shares,
                memory_limit_in_bytes=allowed.memory_bytes,
            ),
            security_context=cri.LinuxContainerSecurityContext(
                namespace_options=cri.NamespaceOption(pid=cri.CONTAINER),
                capabilities=cri.Capability(drop_capabilities=["NET_RAW"]),
                seccomp=seccomp,
                masked_paths=PROTECTED_PATHS,
                readonly_paths=READ_ONLY_PATHS,
            ),
        ),
    )
    _secure(config, container)
    return config


def wants_input(tags: dict[str, str] | None, container: str) -> bool:
    """Tell whether a container is made with an open standard input; Azure's have none."""
    return container in {name.strip() for name in (tags or {}).get(INPUT_TAG, "").split(",")}


def _secure(config: cri.ContainerConfig, container: AnyContainer) -> None:
    """Give a container the rights that its definition asks for."""
    asked = container.security_context
    if asked is None:
        return
    context = config.linux.security_context
    context.no_new_privs = asked.allow_privilege_escalation is False
    if asked.run_as_user is not None:
        context.run_as_user.value = asked.run_as_user
    if asked.run_as_group is not None:
        context.run_as_group.value = asked.run_as_group
    if asked.capabilities is not None:
        added = [_plain(name) for name in asked.capabilities.add or ()]
        dropped = [_plain(name) for name in asked.capabilities.drop or ()]
        withheld = [] if {"ALL", "NET_RAW"} & {*added} else ["NET_RAW"]
        context.capabilities.add_capabilities.extend(added)
        context.capabilities.drop_capabilities[:] = list(dict.fromkeys([*withheld, *dropped]))
    if asked.privileged:
        context.privileged = True
        context.capabilities.drop_capabilities[:] = []
        context.masked_paths[:] = []
        context.readonly_paths[:] = []
        context.seccomp.CopyFrom(cri.SecurityProfile(profile_type=cri.SecurityProfile.Unconfined))


def _plain(capability: str) -> str:
    return capability.upper().removeprefix("CAP_")


@contextlib.contextmanager
def seccomp_file(place: Place, container: AnyContainer, config: cri.ContainerConfig) -> Iterator[None]:
    """Lay down a container's own seccomp profile as long as containerd needs to read it: while it is created."""
    profile = container.security_context.seccomp_profile if container.security_context else None
    if not profile or config.linux.security_context.privileged:
        yield
        return
    folder = place.root / "seccomp"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.json"
    path.write_bytes(base64.b64decode(profile))
    context = config.linux.security_context
    context.seccomp.CopyFrom(cri.SecurityProfile(profile_type=cri.SecurityProfile.Localhost, localhost_ref=str(path)))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
