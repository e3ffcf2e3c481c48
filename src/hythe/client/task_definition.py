"""Makes the definition of a group that runs one command to its end.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from hythe.models import (
    Container,
    ContainerGroup,
    EnvironmentVariable,
    ImageRegistryCredential,
    ResourceRequests,
    ResourceRequirements,
    Volume,
    VolumeMount,
)


class TaskOptions(TypedDict, total=False):
    """What a task may be given beside image and command."""

    location: str
    """Of the group; that of the resource group unless said."""
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    """Environment variables that no answer shows."""
    cpu: float
    """Cores; 1 unless said."""
    memory_in_gb: float
    """GB of 2**30 bytes; 1.5 unless said."""
    image_registry_credentials: Sequence[ImageRegistryCredential]
    volumes: Sequence[Volume]
    volume_mounts: Sequence[VolumeMount]
    tags: Mapping[str, str]


CONTAINER = "task"


def define(image: str, command: Sequence[str] | None, location: str, options: TaskOptions) -> ContainerGroup:
    """Write the definition: one container, never restarted."""
    known = TaskOptions.__annotations__
    for name in options:
        if name not in known:
            raise TypeError(f"cannot run {image!r} with {name}=: known are {', '.join(known)}")
    variables = [EnvironmentVariable(name=name, value=value) for name, value in options.get("environment", {}).items()]
    variables += [
        EnvironmentVariable(name=name, secure_value=value) for name, value in options.get("secrets", {}).items()
    ]
    requests = ResourceRequests(cpu=options.get("cpu", 1.0), memory_in_gb=options.get("memory_in_gb", 1.5))
    container = Container(
        name=CONTAINER,
        image=image,
        command=list(command) if command is not None else None,
        environment_variables=variables or None,
        resources=ResourceRequirements(requests=requests),
        volume_mounts=list(options.get("volume_mounts", ())) or None,
    )
    return ContainerGroup(
        location=location,
        containers=[container],
        os_type="Linux",
        restart_policy="Never",
        image_registry_credentials=list(options.get("image_registry_credentials", ())) or None,
        volumes=list(options.get("volumes", ())) or None,
        tags=dict(options["tags"]) if "tags" in options else None,
    )
