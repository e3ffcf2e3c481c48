"""What each container must be, and what they must be together.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from ....models import Container, ContainerGroup, EnvironmentVariable, InitContainerDefinition
from ....wire.faults import Detail
from .names import LAST_PORT, named
from .names import variable as named_variable
from .ports import protocol_problems

_MOST_CPU, _MOST_MEMORY, _LEAST_MEMORY = 1024, 65536, 0.001
"""More than any machine has, and less than any process needs: beyond that the figures of a runtime overflow."""

AnyContainer = Container | InitContainerDefinition


def container_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check every container, and the ports that they share."""
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
        if not named(one.name):
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
        if not named_variable(variable.name):
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
    wrong = [str(each.port) for each in one.ports or () if not 1 <= each.port <= LAST_PORT]
    if wrong:
        yield Detail(
            code="InvalidContainerPorts",
            message=f"The ports '{','.join(wrong)}' are invalid for container '{one.name}' in container group "
            f"'{name}'. The port must be beteween 1 and 65535.",
            target=f"{path}.properties.ports",
        )
    where = f"container '{one.name}' of container group '{name}'"
    yield from protocol_problems(one.ports or (), where, f"{path}.properties.ports")


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
    if not (0 < cpu <= _MOST_CPU and _LEAST_MEMORY <= memory <= _MOST_MEMORY):
        yield Detail(
            code="InvalidResourceRequests",
            message=f"The resource requests in container '{one.name}' of container group '{name}' are invalid. "
            f"CPU must be greater than 0 and at most {_MOST_CPU}, memory {_LEAST_MEMORY:g} to "
            f"{_MOST_MEMORY} GB.",
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
