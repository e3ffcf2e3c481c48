"""The sentences of refusals, word for word as Azure's service was seen to say them: programs match on them."""

from __future__ import annotations

from typing import Any

import pytest

from hythe.engines.sim import Outcome

from .harness import GROUPS, container, group, running

ADDRESS = {"type": "Public", "ports": [{"port": 80, "protocol": "TCP"}, {"port": 443, "protocol": "TCP"}]}
HALF = {"requests": {"memoryInGB": 6}}
LIMITED = {"requests": {"cpu": 1, "memoryInGB": 1}, "limits": {"cpu": 0.5, "memoryInGB": 1}}
BEYOND = {"requests": {"cpu": 0.3, "memoryInGB": 1}, "limits": {"cpu": 1.5, "memoryInGB": 1}}
VARIABLE = {"name": "X", "value": "a", "secureValue": "b"}
REGISTRY = {"server": "r.example", "username": "u", "password": "p"}
VOLUME = {"name": "v", "emptyDir": {}}
NO_SYSTEM = {"location": "eastus", "properties": {"containers": [container()]}}

TEXTS: list[tuple[str, Any, str, str]] = [
    (
        "g",
        NO_SYSTEM,
        "InvalidOsType",
        "The 'osType' for container group '<null>' is invalid. The value must be one of 'Windows,Linux'.",
    ),
    (
        "g",
        group(container("c", resources=None)),
        "ResourceRequestsNotSpecified",
        "The resource requests are not specified in container 'c' of contain group 'g'. Both memory and CPU requests "
        "are required since API version '2017-07-01-preview'.",
    ),
    (
        "g",
        group(container("c", resources=HALF)),
        "ResourceSomeRequestsNotSpecified",
        "The 'Cpu' request is not specified in 'MemoryInGB '6' Cpu ''' in container 'c' of contain group 'g'. It is "
        "required since API version '2017-07-01-preview'.",
    ),
    (
        "g",
        group(container("me", resources=BEYOND)),
        "ContainerLimitGreaterThanContainerGroupTotalRequest",
        "The 'Cpu' limit '1.5' in container 'me' is greater than the total request '0.3' of container group 'g'.",
    ),
    (
        "x",
        group(container("X")),
        "InvalidContainerName",
        "The container name 'X' in container group 'x' is invalid. The container name must contain no more than 63 "
        "characters and must match the regex '[a-z0-9]([-a-z0-9]*[a-z0-9])?' (e.g. 'my-name').",
    ),
    (
        "g",
        group(container("c", ports=[{"port": 0}])),
        "InvalidContainerPorts",
        "The ports '0' are invalid for container 'c' in container group 'g'. The port must be beteween 1 and 65535.",
    ),
    (
        "g",
        group(ipAddress={"type": "Public", "ports": []}),
        "MissingIpAddressPorts",
        "The ports in the 'ipAddress' of container group 'g' cannot be empty.",
    ),
    (
        "g",
        group(ipAddress=ADDRESS | {"ports": [*reversed(ADDRESS["ports"])]}),
        "UnreferencedIpAddressPorts",
        "Following ports '443,80' in the 'ipAddress' are not used by any container in container group 'g'.",
    ),
    (
        "g",
        group(container("c", environmentVariables=[{"name": "1", "value": "x"}])),
        "InvalidContainerEnvironmentVariable",
        "The environment variable name in container 'c' of container group 'g' is invalid. A valid environment "
        "variable name must start with alphabetic character or '_', followed by a string of alphanumeric characters "
        "or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName').",
    ),
    (
        "g",
        group(container("c", environmentVariables=[VARIABLE])),
        "InvalidEnvironmentVariable",
        "The environment variable 'X' in container 'c' of container group 'g' is invalid. One and only one property of "
        "'value' and 'secureValue' can be specified in an environment variable.",
    ),
    (
        "g",
        group(container("c", image="img")),
        "InaccessibleImage",
        "The image 'img' in container group 'g' is not accessible. Please check the image and registry credential.",
    ),
    (
        "g",
        group(imageRegistryCredentials=[REGISTRY, REGISTRY | {"server": "s.example"}]),
        "MoreImageRegistryCredentialsThanContainers",
        "More image registry credentials provided than containers in container group 'g'.",
    ),
    (
        "node",
        group(container(ports=[{"port": 80}, {"port": 443}]), ipAddress=ADDRESS | {"dnsNameLabel": "node"}),
        "InvalidDnsNameLabel",
        "The DNS name label 'node' in container group 'node' is invalid. It can contain only lowercase letters, "
        "numbers and hyphens. The first character must be a letter. The last character must be a letter or number. "
        "The value must be between 5 and 63 characters long.",
    ),
    ("g", group(volumes=[VOLUME, VOLUME]), "DuplicateVolumes", "Duplicate volumes 'v' are found."),
    (
        "g",
        group(container(ports=[{"port": 80}]), ipAddress={"type": "Private", "ports": [{"port": 80}]}),
        "InvalidIpAddressTypeForNetworkProfile",
        "IP Address type in container group 'g' is invalid. Private IP address is only supported when network profile "
        "is defined.",
    ),
    (
        "xyz",
        group(priority="Sometimes"),
        "PriorityNotSpecified",
        "The 'Priority' must be one of 'Regular,Spot' for container group 'xyz'.",
    ),
]


@pytest.mark.parametrize(("name", "body", "code", "message"), TEXTS, ids=[code for _, _, code, _ in TEXTS])
async def test_what_is_wrong_is_said_in_azures_words(name: str, body: Any, code: str, message: str) -> None:
    async with running({"img": Outcome(pull_error="no")}) as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/{name}", body)

    error = reply.json["error"]
    assert (reply.status, error["code"], error["message"]) == (400, code, message)


async def test_limits_below_requests_are_told_with_the_requirement() -> None:
    async with running() as service:
        await service.make_folder()
        error = (await service.ask("PUT", f"{GROUPS}/g", group(container("c", resources=LIMITED)))).json["error"]

    assert error["code"] == "ResourceLimitsLessThanRequests"
    assert error["message"].startswith("The resource requirement '{")
    assert error["message"].endswith(
        "}' in container 'c' of contain group 'g' is invalid. The 'Cpu' limit value must be greater than or equal to "
        "the request value."
    )


async def test_what_is_in_the_way_is_said_in_azures_words() -> None:
    labelled = ADDRESS | {"dnsNameLabel": "aci-demo", "ports": [{"port": 80}]}
    async with running() as service:
        await service.make_folder()
        web = container("c", ports=[{"port": 80}])
        await service.ask("PUT", f"{GROUPS}/first", group(web, ipAddress=labelled))
        taken = await service.ask("PUT", f"{GROUPS}/g", group(web, ipAddress=labelled))
        changed = await service.ask("PUT", f"{GROUPS}/first", group(web, ipAddress=labelled, restartPolicy="Never"))
        await service.ask("POST", f"{GROUPS}/first/stop")
        stopped = await service.ask("POST", f"{GROUPS}/first/restart")
        missing = await service.ask("GET", f"{GROUPS}/x")

    said = {each.code: (each.status, each.json["error"]["message"]) for each in (taken, changed, stopped, missing)}
    assert said == {
        "DnsNameLabelAlreadyTaken": (
            400,
            "The DNS name label 'aci-demo' in container group 'g' is not available. Try using a different label.",
        ),
        "InvalidContainerGroupUpdate": (
            400,
            "The updates on container group 'first' are invalid. If you are going to update the os type, restart "
            "policy, network profile, CPU, memory or GPU resources for a container group, you must delete it first and "
            "then create a new one.",
        ),
        "ContainerGroupStopped": (409, "Container Group 'first' in resource group 'rg' is stopped."),
        "ResourceNotFound": (
            404,
            "The Resource 'Microsoft.ContainerInstance/containerGroups/x' under resource group 'rg' was not found.",
        ),
    }
