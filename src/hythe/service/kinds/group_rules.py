"""What a container group must be: every rule adds its problem, none stops at the first.  Pure.

Codes and sentences are those of Azure's service (with its own typos): programs match on them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

from ...models import Container, ContainerGroup, EnvironmentVariable, InitContainerDefinition
from ...wire.faults import Detail

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_NAME = 63
_SHORTEST_LABEL = 5
_LAST_PORT = 65535
_MOST_CONTAINERS, _MOST_ADDRESS_PORTS = 60, 5

AnyContainer = Container | InitContainerDefinition
_No = Callable[[str, str], Detail]


def problems(group: ContainerGroup, name: str) -> list[Detail]:
    """Give everything that is wrong with a definition, in the order in which Azure finds it."""
    return [*_group(group, name), *_containers(group, name), *_address(group, name), *_refused(group, name)]


def _named(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) is not None


def _group(group: ContainerGroup, name: str) -> Iterator[Detail]:
    if not _named(name) or "--" in name:
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


def _containers(group: ContainerGroup, name: str) -> Iterator[Detail]:
    every: list[tuple[str, AnyContainer]] = [
        *((f"properties.containers[{i}]", one) for i, one in enumerate(group.containers or ())),
        *((f"properties.initContainers[{i}]", one) for i, one in enumerate(group.init_containers or ())),
    ]
    for held, times in Counter(one.name for _, one in every).items():
        if times > 1:
            yield Detail(
                code="DuplicateContainerNames",
                message=f"The container name '{held}' is used more than once in container group '{name}'.",
                target="properties.containers",
            )
    for path, one in every:
        if not _named(one.name):
            yield Detail(
                code="InvalidContainerName",
                message=f"The container name '{one.name}' in container group '{name}' is invalid. The container name "
                "must contain no more than 63 characters and must match the regex '[a-z0-9]([-a-z0-9]*[a-z0-9])?' "
                "(e.g. 'my-name').",
                target=f"{path}.name",
            )
        if not one.image or any(letter.isspace() for letter in one.image):
            yield Detail(
                code="InvalidImageName",
                message=f"The image name '{one.image or ''}' of container '{one.name}' in container group '{name}' "
                "is invalid.",
                target=f"{path}.properties.image",
            )
        yield from _environment(one.environment_variables or (), one.name, name, path)
        if isinstance(one, Container):
            yield from _ports(one, name, path)
            yield from _resources(one, group, name, path)
    yield from _shared_ports(group, name)


def _environment(
    variables: list[EnvironmentVariable] | tuple[()], container: str, name: str, path: str
) -> Iterator[Detail]:
    for index, variable in enumerate(variables):
        where = f"{path}.properties.environmentVariables[{index}]"
        if not _VARIABLE.fullmatch(variable.name) or len(variable.name) > _LONGEST_NAME:
            yield Detail(
                code="InvalidContainerEnvironmentVariable",
                message=f"The environment variable name in container '{container}' of container group '{name}' is "
                "invalid. A valid environment variable name must start with alphabetic character or '_', followed by "
                "a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName').",
                target=f"{where}.name",
            )
        if (variable.value is None) == (variable.secure_value is None) and not variable.secure_value_reference:
            yield Detail(
                code="InvalidEnvironmentVariable",
                message=f"The environment variable '{variable.name}' in container '{container}' of container group "
                f"'{name}' is invalid. One and only one property of 'value' and 'secureValue' can be specified in an "
                "environment variable.",
                target=where,
            )


def _ports(one: Container, name: str, path: str) -> Iterator[Detail]:
    wrong = [str(each.port) for each in one.ports or () if not 1 <= each.port <= _LAST_PORT]
    if wrong:
        yield Detail(
            code="InvalidContainerPorts",
            message=f"The ports '{','.join(wrong)}' are invalid for container '{one.name}' in container group "
            f"'{name}'. The port must be beteween 1 and 65535.",
            target=f"{path}.properties.ports",
        )


def _shared_ports(group: ContainerGroup, name: str) -> Iterator[Detail]:
    used = Counter((each.port, each.protocol or "TCP") for one in group.containers or () for each in one.ports or ())
    for (port, protocol), times in used.items():
        if times > 1:
            yield Detail(
                code="DuplicateContainerPorts",
                message=f"The port '{port}' ({protocol}) is used by more than one container in container group "
                f"'{name}'. Containers of a group share one network.",
                target="properties.containers",
            )


def _resources(one: Container, group: ContainerGroup, name: str, path: str) -> Iterator[Detail]:
    where = f"{path}.properties.resources"
    requests = one.resources.requests if one.resources else None
    cpu = requests.cpu if requests else None
    memory = requests.memory_in_gb if requests else None
    since = "since API version '2017-07-01-preview'"
    if cpu is None and memory is None:
        yield Detail(
            code="ResourceRequestsNotSpecified",
            message=f"The resource requests are not specified in container '{one.name}' of contain group '{name}'. "
            f"Both memory and CPU requests are required {since}.",
            target=where,
        )
        return
    if cpu is None or memory is None:
        missing = "Cpu" if cpu is None else "MemoryInGB"
        shown = f"MemoryInGB '{'' if memory is None else f'{memory:g}'}' Cpu '{'' if cpu is None else f'{cpu:g}'}'"
        yield Detail(
            code="ResourceSomeRequestsNotSpecified",
            message=f"The '{missing}' request is not specified in '{shown}' in container '{one.name}' of contain "
            f"group '{name}'. It is required {since}.",
            target=f"{where}.requests",
        )
        return
    if cpu <= 0 or memory <= 0:
        yield Detail(
            code="InvalidResourceRequests",
            message=f"The resource requests in container '{one.name}' of container group '{name}' are invalid. "
            "CPU and memory must be greater than 0.",
            target=f"{where}.requests",
        )
    limits = one.resources.limits if one.resources else None
    if limits is None:
        return
    for word, limit, request in (("Cpu", limits.cpu, cpu), ("MemoryInGB", limits.memory_in_gb, memory)):
        if limit is None:
            continue
        total = _total(group, word)
        if limit < request:
            yield Detail(
                code="ResourceLimitsLessThanRequests",
                message=f"The resource requirement '{msgspec.json.encode(one.resources).decode()}' in container "
                f"'{one.name}' of contain group '{name}' is invalid. The '{word}' limit value must be greater than "
                "or equal to the request value.",
                target=f"{where}.limits",
            )
        elif limit > total:
            yield Detail(
                code="ContainerLimitGreaterThanContainerGroupTotalRequest",
                message=f"The '{word}' limit '{limit:g}' in container '{one.name}' is greater than the total request "
                f"'{total:g}' of container group '{name}'.",
                target=f"{where}.limits",
            )


def _total(group: ContainerGroup, word: str) -> float:
    total = 0.0
    for one in group.containers or ():
        requests = one.resources.requests if one.resources else None
        if requests is not None:
            total += (requests.cpu if word == "Cpu" else requests.memory_in_gb) or 0.0
    return total


def _address(group: ContainerGroup, name: str) -> Iterator[Detail]:
    address = group.ip_address
    if address is None:
        return
    where = "properties.ipAddress"
    if not address.ports:
        yield Detail(
            code="MissingIpAddressPorts",
            message=f"The ports in the 'ipAddress' of container group '{name}' cannot be empty.",
            target=f"{where}.ports",
        )
    elif len(address.ports) > _MOST_ADDRESS_PORTS:
        yield Detail(
            code="TooManyIpAddressPorts",
            message=f"The 'ipAddress' of container group '{name}' has {len(address.ports)} ports. "
            f"It can have at most {_MOST_ADDRESS_PORTS}.",
            target=f"{where}.ports",
        )
    used = {(each.port, each.protocol or "TCP") for one in group.containers or () for each in one.ports or ()}
    loose = [each.port for each in address.ports or () if (each.port, each.protocol or "TCP") not in used]
    if loose:
        yield Detail(
            code="UnreferencedIpAddressPorts",
            message=f"Following ports '{','.join(map(str, loose))}' in the 'ipAddress' are not used by any container "
            f"in container group '{name}'.",
            target=f"{where}.ports",
        )
    if address.type not in ("Public", "Private"):
        yield Detail(
            code="InvalidIpAddressType",
            message=f"The 'type' '{address.type or '<null>'}' of the 'ipAddress' of container group '{name}' is "
            "invalid. The value must be one of 'Public,Private'.",
            target=f"{where}.type",
        )
    label = address.dns_name_label
    if label is not None and not (
        _SHORTEST_LABEL <= len(label) <= _LONGEST_NAME and _LABEL.fullmatch(label) is not None
    ):
        yield Detail(
            code="InvalidDnsNameLabel",
            message=f"The DNS name label '{label}' in container group '{name}' is invalid. It can contain only "
            "lowercase letters, numbers and hyphens. The first character must be a letter. The last character must "
            "be a letter or number. The value must be between 5 and 63 characters long.",
            target=f"{where}.dnsNameLabel",
        )


def _refused(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Refuse what this service can't give: a definition is never accepted and then ignored."""

    def no(what: str, target: str) -> Detail:
        return Detail(
            code="FeatureNotSupported",
            message=f"The container group '{name}' asks for {what}, which this service does not offer.",
            target=f"properties.{target}",
        )

    if group.os_type == "Windows":
        yield no("Windows containers", "osType")
    if group.sku not in (None, "NotSpecified", "Standard"):
        yield no(f"the sku '{group.sku}'", "sku")
    if group.ip_address is not None and group.ip_address.type == "Private" and not group.subnet_ids:
        yield Detail(
            code="InvalidIpAddressTypeForNetworkProfile",
            message=f"IP Address type in container group '{name}' is invalid. Private IP address is only supported "
            "when network profile is defined.",
            target="properties.ipAddress.type",
        )
    scope = group.ip_address.auto_generated_domain_name_label_scope if group.ip_address else None
    for asked, what, target in (
        (group.volumes, "volumes", "volumes"),
        (group.subnet_ids, "a subnet", "subnetIds"),
        (group.dns_config, "name servers of its own", "dnsConfig"),
        (group.identity and group.identity.type not in (None, "None"), "a managed identity", "identity"),
        (group.confidential_compute_properties, "confidential computing", "confidentialComputeProperties"),
        (group.secret_references, "secrets of a key vault", "secretReferences"),
        (group.identity_acls, "access control of identities", "identityAcls"),
        (group.container_group_profile, "a container group profile", "containerGroupProfile"),
        (group.standby_pool_profile, "a standby pool", "standbyPoolProfile"),
        (group.provisioning_timeout_in_seconds and group.is_custom_provisioning_timeout,
         "a provisioning timeout of its own", "provisioningTimeoutInSeconds"),
        (scope not in (None, "Unsecure"), f"the label scope '{scope}'",
         "ipAddress.autoGeneratedDomainNameLabelScope"),
        (any(each.identity or each.password_reference for each in group.image_registry_credentials or ()),
         "registry credentials without a password", "imageRegistryCredentials"),
    ):  # fmt: skip
        if asked:
            yield no(what, target)
    for index, one in enumerate(group.containers or ()):
        yield from _refused_of_container(one, f"containers[{index}].properties", no)
    for index, init in enumerate(group.init_containers or ()):
        yield from _refused_of_container(init, f"initContainers[{index}].properties", no)


def _refused_of_container(one: AnyContainer, path: str, no: _No) -> Iterator[Detail]:
    rights = one.security_context
    if rights is not None:
        if rights.privileged:
            yield no("a privileged container", f"{path}.securityContext.privileged")
        if rights.capabilities and rights.capabilities.add:
            yield no("added capabilities", f"{path}.securityContext.capabilities.add")
        if rights.seccomp_profile:
            yield no("a seccomp profile of its own", f"{path}.securityContext.seccompProfile")
    if one.volume_mounts:
        yield no("volume mounts", f"{path}.volumeMounts")
    if any(each.secure_value_reference for each in one.environment_variables or ()):
        yield no("secrets of a key vault", f"{path}.environmentVariables")
    if isinstance(one, InitContainerDefinition):
        return
    if one.liveness_probe or one.readiness_probe:
        yield no("probes", f"{path}.livenessProbe" if one.liveness_probe else f"{path}.readinessProbe")
    if one.config_map and one.config_map.key_value_pairs:
        yield no("a config map", f"{path}.configMap")
    resources = one.resources
    if resources and any(part and part.gpu for part in (resources.requests, resources.limits)):
        yield no("a GPU", f"{path}.resources")
