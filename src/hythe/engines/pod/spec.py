"""Reads from a container group what the planner and the runtimes need to know.  Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import Struct

from ...models import Container, ContainerGroup, InitContainerDefinition, Volume
from ..base import Record

AnyContainer = Container | InitContainerDefinition

_ENCODER = msgspec.json.Encoder(order="deterministic")


def effective_policy(group: ContainerGroup, *, init: bool = False) -> str:
    """Give the restart policy of a container: Always unless said; an init container is never run for ever."""
    policy = group.restart_policy or "Always"
    return "OnFailure" if init and policy == "Always" else policy


def find(group: ContainerGroup, name: str) -> AnyContainer | None:
    """Give the definition of a container by its name, an init container's too."""
    every: list[AnyContainer] = [*(group.init_containers or ()), *(group.containers or ())]
    return next((one for one in every if one.name == name), None)


def ended(policy: str, record: Record) -> bool:
    """Tell whether a container has ended for good in its epoch, under its own (effective) restart policy."""
    if record.last is None or record.running or record.stopped:
        return False
    return policy == "Never" or (policy == "OnFailure" and record.last.exit_code == 0 and not record.unhealthy)


def digest(container: AnyContainer, volumes: Sequence[Volume] | None = None) -> str:
    """Give a short digest of everything in a definition that the running container was made from.

    The volumes that it mounts are part of that, of all ``volumes`` of its group.  A config map is left out: it
    changes in the running container.
    """
    plain = msgspec.structs.replace(container, instance_view=None)
    if isinstance(plain, Container):
        plain = msgspec.structs.replace(plain, config_map=None)
    names = {mount.name for mount in container.volume_mounts or ()}
    mounted = [volume for volume in volumes or () if volume.name in names]
    return _digest((plain, mounted) if mounted else plain)


def volume_digest(volume: Volume) -> str:
    """Give a short digest of a volume's definition."""
    return _digest(volume)


def config_maps(group: ContainerGroup) -> dict[str, dict[str, str]]:
    """Give the files of every config map that has any, by container."""
    every = {one.name: one.config_map.key_value_pairs for one in group.containers or () if one.config_map}
    return {name: files for name, files in every.items() if files}


def config_digest(files: dict[str, str] | None) -> str:
    """Give a short digest of the files of a config map; empty for none."""
    return _digest(files) if files else ""


def _digest(value: object) -> str:
    return hashlib.sha256(_ENCODER.encode(value)).hexdigest()[:16]


def has_network(group: ContainerGroup) -> bool:
    """Tell whether a group may reach anything but itself: not if its tag ``hythe.network`` says ``none``."""
    return (group.tags or {}).get("hythe.network") != "none"


def grace_of(group: ContainerGroup, default: int) -> int:
    """Give a group's own seconds between being asked to end and being killed: its tag ``hythe.shutdown-grace``."""
    asked = (group.tags or {}).get("hythe.shutdown-grace", "")
    try:
        return round(float(asked) if asked.isdecimal() else msgspec.convert(asked, timedelta).total_seconds())
    except msgspec.ValidationError:
        return default


def images(group: ContainerGroup) -> list[str]:
    """Give every image of a group once, in the order of its containers."""
    every: list[AnyContainer] = [*(group.init_containers or ()), *(group.containers or ())]
    return list(dict.fromkeys(container.image for container in every if container.image))


class Allowance(Struct, frozen=True, kw_only=True):
    """What a container may use, in the units of cgroups."""

    cpu_shares: int
    """Weight when cores are scarce: 1024 for each core requested."""
    cpu_quota: int
    """Microseconds of CPU in each period of 100,000; 0 for no limit."""
    memory_bytes: int
    """Most memory, in bytes; 0 for no limit."""


CPU_PERIOD = 100_000


def allowance(container: AnyContainer) -> Allowance:
    """Work out what a container may use: its limits where given, else its requests (as Azure does)."""
    resources = container.resources if isinstance(container, Container) else None
    requests = resources.requests if resources else None
    limits = resources.limits if resources else None
    cpu_request = (requests.cpu if requests else None) or 0.0
    cpu = (limits.cpu if limits else None) or cpu_request
    memory = (limits.memory_in_gb if limits else None) or (requests.memory_in_gb if requests else None) or 0.0
    return Allowance(
        cpu_shares=max(2, round(cpu_request * 1024)),
        cpu_quota=max(1000, round(cpu * CPU_PERIOD)) if cpu else 0,
        memory_bytes=round(memory * 2**30),
    )
