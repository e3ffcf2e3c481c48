"""Writes what CRI wants to know: the configuration of a sandbox and of a container.  Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ...models import Container
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


def sandbox_config(place: Place, uid: Uid, attempt: int, seccomp: cri.SecurityProfile) -> cri.PodSandboxConfig:
    """Describe the sandbox of a group: with what every group has, so that it can be made before its group is known."""
    return cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(name=uid, uid=uid, namespace=place.network, attempt=attempt),
        hostname=host_name(uid),
        log_directory=str(place.logs / uid),
        labels={INSTALLATION: place.installation, UID: uid},
        linux=cri.LinuxPodSandboxConfig(
            security_context=cri.LinuxSandboxSecurityContext(
                namespace_options=cri.NamespaceOption(pid=cri.CONTAINER),
                seccomp=seccomp,
            )
        ),
    )


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
    """Narrow the rights of a container as its definition asks."""
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
        context.capabilities.drop_capabilities.extend(asked.capabilities.drop or ())


def find(want: Want, name: str) -> AnyContainer | None:
    """Give the definition of a container by its name."""
    every: list[AnyContainer] = [*(want.group.init_containers or ()), *(want.group.containers or ())]
    return next((one for one in every if one.name == name), None)


def is_main(container: AnyContainer) -> bool:
    """Tell an ordinary container from an init container."""
    return isinstance(container, Container)
