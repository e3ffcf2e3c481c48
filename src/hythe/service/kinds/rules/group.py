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
    yield from _priority(group, name)
    yield from _network_profiles(group, name)
    yield from _timeout(group, name)
    yield from _diagnostics(group, name)
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
    yield from _credentials(group, name, count)


def _priority(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check what a group that may be evicted can't have."""
    if group.priority not in (None, "Regular", "Spot"):
        yield Detail(
            code="PriorityNotSpecified",
            message=f"The 'Priority' must be one of 'Regular,Spot' for container group '{name}'.",
            target="properties.priority",
        )
    if group.priority != "Spot":
        return

    def no(code: str, what: str, target: str) -> Detail:
        message = f"The container group '{name}' has the priority 'Spot', which does not support {what}."
        return Detail(code=code, message=message, target=target)

    if group.ip_address is not None and group.ip_address.type == "Public":
        yield no("SpotPriorityContainerGroupNotSupportedForInboundConnectivity", "a public IP address",
                 "properties.ipAddress")  # fmt: skip
    if group.sku not in (None, "NotSpecified", "Standard"):
        yield no("SpotPriorityContainerGroupNotSupportedInSku", f"the sku '{group.sku}'", "properties.sku")
    if group.subnet_ids:
        yield no("SpotPriorityContainerGroupNotSupportedInVirtualNetwork", "a subnet", "properties.subnetIds")
    if group.zones:
        yield no("SpotPriorityContainerGroupNotSupportedInZones", "zones", "zones")
    requests = [one.resources.requests for one in group.containers or () if one.resources]
    if any(each and each.gpu for each in requests):
        yield no("SpotPriorityContainerGroupWithGPUResourcesNotSupported", "GPUs", "properties.containers")


def _network_profiles(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check that no network profile is named: older clients name one where newer ones name a subnet."""
    for index, subnet in enumerate(group.subnet_ids or ()):
        if "/networkprofiles/" in subnet.id.lower():
            yield Detail(
                code="NetworkProfileNotFound",
                message=f"Network profile '{subnet.id}' is not found for container group '{name}'.",
                target=f"properties.subnetIds[{index}].id",
            )


def _credentials(group: ContainerGroup, name: str, count: int) -> Iterator[Detail]:
    credentials = group.image_registry_credentials or ()
    if group.containers and len(credentials) > count:
        yield Detail(
            code="MoreImageRegistryCredentialsThanContainers",
            message=f"More image registry credentials provided than containers in container group '{name}'.",
            target="properties.imageRegistryCredentials",
        )
    for index, each in enumerate(credentials):
        whole = each.username and each.password
        if not each.server or not (whole or each.identity or each.password_reference):
            yield Detail(
                code="InvalidImageRegistryCredential",
                message=f"The image registry credential of server '{each.server}' in container group '{name}' is "
                "invalid. It needs a server, and a username with a password or an identity.",
                target=f"properties.imageRegistryCredentials[{index}]",
            )


def _diagnostics(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check that metadata comes with the log type that has it; Azure refuses it with the other even when empty."""
    asked = group.diagnostics.log_analytics if group.diagnostics else None
    if asked is None:
        return
    if asked.log_type not in (None, "ContainerInsights", "ContainerInstanceLogs"):
        yield Detail(
            code="InvalidLogAnalyticsLogType",
            message=f"The log type '{asked.log_type}' of the log analytics in container group '{name}' is invalid. "
            "The value must be one of 'ContainerInsights,ContainerInstanceLogs'.",
            target="properties.diagnostics.logAnalytics.logType",
        )
    elif asked.metadata is not None and (
        asked.log_type == "ContainerInstanceLogs" or (asked.log_type is None and asked.metadata)
    ):
        yield Detail(
            code="LogAnalyticsMetadataNotAllowed",
            message=f"The metadata of the log analytics in container group '{name}' is not allowed with the log type "
            f"'{asked.log_type or '<null>'}'. Only 'ContainerInsights' has metadata.",
            target="properties.diagnostics.logAnalytics.metadata",
        )


def _timeout(group: ContainerGroup, name: str) -> Iterator[Detail]:
    timeout = group.provisioning_timeout_in_seconds
    if timeout is not None and not 1 <= timeout <= _LONGEST_PROVISIONING:
        yield Detail(
            code="InvalidProvisioningTimeout",
            message=f"The 'provisioningTimeoutInSeconds' '{timeout}' of container group '{name}' is invalid. "
            f"The value must be between 1 and {_LONGEST_PROVISIONING}.",
            target="properties.provisioningTimeoutInSeconds",
        )
