"""What a group as a whole must be.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ....models import ContainerGroup
from ....wire.faults import Detail
from .names import named

_MOST_CONTAINERS = 60
_LONGEST_PROVISIONING = 1800


def group_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check name, system, policy, and how many containers there are."""
    if not named(name) or "--" in name:
        yield Detail(
            code="InvalidContainerGroupName",
            message=f"The container group name '{name}' is invalid. It must contain no more than 63 characters, only "
            "lowercase letters, numbers and hyphens, no hyphen at an end and no two in a row (e.g. 'my-name').",
            target="name",
        )
    if group.os_type not in ("Linux", "Windows"):
        yield Detail(
            code="InvalidOsType",
            message=f"The 'osType' for container group '{group.os_type or '<null>'}' is invalid. "
            "The value must be one of 'Windows,Linux'.",
            target="properties.osType",
        )
    if group.restart_policy not in (None, "Always", "OnFailure", "Never"):
        yield Detail(
            code="InvalidRestartPolicy",
            message=f"The 'restartPolicy' '{group.restart_policy}' for container group '{name}' is invalid. "
            "The value must be one of 'Always,OnFailure,Never'.",
            target="properties.restartPolicy",
        )
    timeout = group.provisioning_timeout_in_seconds
    if timeout is not None and not 1 <= timeout <= _LONGEST_PROVISIONING:
        yield Detail(
            code="InvalidProvisioningTimeout",
            message=f"The 'provisioningTimeoutInSeconds' '{timeout}' of container group '{name}' is invalid. "
            f"The value must be between 1 and {_LONGEST_PROVISIONING}.",
            target="properties.provisioningTimeoutInSeconds",
        )
    count = len(group.containers or ()) + len(group.init_containers or ())
    if not group.containers:
        yield Detail(
            code="MissingContainers",
            message=f"The 'containers' of container group '{name}' cannot be empty.",
            target="properties.containers",
        )
    elif count > _MOST_CONTAINERS:
        yield Detail(
            code="TooManyContainers",
            message=f"The container group '{name}' has {count} containers. It can have at most {_MOST_CONTAINERS}.",
            target="properties.containers",
        )
    credentials = group.image_registry_credentials or ()
    if group.containers and len(credentials) > count:
        yield Detail(
            code="MoreImageRegistryCredentialsThanContainers",
            message=f"More image registry credentials provided than containers in container group '{name}'.",
            target="properties.imageRegistryCredentials",
        )
