"""Every kind of resource answers every verb alike: HEAD, PUT, GET, both lists, PATCH, DELETE, by id and in any case."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import FOLDER, SUBSCRIPTION, Service, container, group, running
from .test_arm import ASSIGNMENTS, GUID, SOMEBODY
from .test_deployments import DEPLOYMENTS, body, template

S = f"/subscriptions/{SUBSCRIPTION}"
NEW = "2026-07-01"
ACI = "Microsoft.ContainerInstance"
NETWORK = "Microsoft.Network"
SUBNET = f"{FOLDER}/providers/{NETWORK}/virtualNetworks/net/subnets/s"
SPACE = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
SUBNETS = {"subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]}
LEADS = {"ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": SUBNET}}}]}
PROFILE = f"{FOLDER}/providers/{ACI}/containerGroupProfiles/p"
MEMBERS = {
    "containerGroupProfiles": [{"resource": {"id": PROFILE}}],
    "elasticProfile": {"desiredCount": 1},
}

RESOURCES: dict[str, dict[str, Any]] = {
    f"{ACI}/containerGroups": group(),
    f"{ACI}/containerGroupProfiles": group(container()),
    f"{ACI}/ngroups": {"location": "eastus", "properties": MEMBERS},
    f"{ACI}/sandboxGroups": {"location": "eastus"},
    f"{ACI}/aiAgentsGroups": {"location": "eastus"},
    "Microsoft.ManagedIdentity/userAssignedIdentities": {"location": "eastus"},
    f"{NETWORK}/virtualNetworks": {"location": "eastus", "properties": SPACE},
    f"{NETWORK}/networkProfiles": {
        "location": "eastus",
        "properties": {"containerNetworkInterfaceConfigurations": [{"name": "eth0", "properties": LEADS}]},
    },
    "Microsoft.OperationalInsights/workspaces": {"location": "eastus"},
}


async def prepare(service: Service) -> None:
    """Make what some of them refer to."""
    await service.make_folder()
    network = SUBNET.partition("/subnets")[0]
    made = await service.ask("PUT", network, {"location": "eastus", "properties": SPACE | SUBNETS}, version=NEW)
    assert made.status == 201
    assert (await service.ask("PUT", PROFILE, group(), version=NEW)).status == 201


@pytest.mark.parametrize("type_", RESOURCES)
async def test_every_verb(type_: str) -> None:
    path = f"{FOLDER}/providers/{type_}/thing"
    odd = path.replace("resourceGroups", "resourcegroups").replace(type_, type_.upper())
    async with running() as service:
        await prepare(service)

        async def status(method: str, where: str, sent: object = None) -> int:
            return (await service.ask(method, where, sent, version=NEW)).status

        async def listed(where: str) -> list[str]:
            reply = await service.ask("GET", f"{where}/providers/{type_}", version=NEW)
            return [each["name"] for each in reply.json["value"]]

        assert (await status("HEAD", path), await status("GET", path)) == (404, 404)
        assert await status("PUT", path, RESOURCES[type_]) in (200, 201)
        assert (await status("HEAD", path), await status("HEAD", odd)) == (204, 204)
        one = (await service.ask("GET", odd, version=NEW)).json
        assert (one["name"], one["location"]) == ("thing", "eastus")
        assert "thing" in await listed(FOLDER) and "thing" in await listed(S)
        assert await status("PATCH", path, {"tags": {"a": "b"}}) in (200, 202)
        assert (await service.ask("GET", path, version=NEW)).json["tags"] == {"a": "b"}
        gone = await service.ask("DELETE", path, version=NEW)
        if "location" in gone.headers:
            await service.ask("GET", gone.headers["location"])
        assert (gone.status in (200, 202, 204), await status("HEAD", path)) == (True, 404)


async def test_parts_and_extensions_of_resources() -> None:
    assignment = f"{FOLDER}{ASSIGNMENTS}/{GUID(8)}"
    async with running() as service:
        await prepare(service)
        subnets = await service.ask("GET", SUBNET.rpartition("/")[0], version=NEW)
        role = f"{S}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
        given = {"properties": {"principalId": SOMEBODY, "roleDefinitionId": role}}
        before = (await service.ask("HEAD", assignment, version=NEW)).status
        assert (await service.ask("PUT", assignment, given, version=NEW)).status == 201
        got = await service.ask("GET", assignment, version=NEW)
        after = (await service.ask("HEAD", assignment, version=NEW)).status
        tags = (await service.ask("HEAD", f"{FOLDER}/providers/Microsoft.Resources/tags/default", version=NEW)).status

    assert [each["name"] for each in subnets.json["value"]] == ["s"]
    assert got.json["properties"]["principalId"] == SOMEBODY
    assert (before, after, tags) == (404, 204, 204)


async def test_tags_of_a_resource_group_are_patched() -> None:
    async with running() as service:
        await service.make_folder()
        patched = await service.ask("PATCH", FOLDER, {"tags": {"env": "test"}}, version="2021-04-01")
        got = await service.ask("GET", FOLDER, version="2021-04-01")

    assert (patched.status, got.json["tags"]) == (200, {"env": "test"})


async def test_a_deployment_to_a_subscription_answers_as_one_to_a_resource_group() -> None:
    where = DEPLOYMENTS.replace(FOLDER, S)
    made = {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2021-04-01", "name": "new",
            "location": "eastus"}  # fmt: skip
    document = template(made)
    asked = body(document) | {"location": "eastus"}
    async with running() as service:
        checked = await service.ask("POST", f"{where}/d/validate", asked, version=NEW)
        compared = await service.ask("POST", f"{where}/d/whatIf", asked, version=NEW)
        before = (await service.ask("HEAD", f"{where}/d", version=NEW)).status
        created = await service.ask("PUT", f"{where}/d", asked, version=NEW, headers={"prefer": "wait=9"})
        if monitor := created.headers.get("azure-asyncoperation"):
            await service.ask("GET", monitor)
        after = (await service.ask("HEAD", f"{where}/d", version=NEW)).status
        steps = (await service.ask("GET", f"{where}/d/operations", version=NEW)).json["value"]
        step = await service.ask("GET", f"{where}/d/operations/{steps[0]['operationId']}", version=NEW)
        exported = await service.ask("POST", f"{where}/d/exportTemplate", version=NEW)
        canceled = await service.ask("POST", f"{where}/d/cancel", version=NEW)
        deleted = (await service.ask("DELETE", f"{where}/d", version=NEW)).status
        gone = (await service.ask("HEAD", f"{where}/d", version=NEW)).status

    assert checked.json["properties"]["provisioningState"] == "Succeeded"
    assert [each["changeType"] for each in compared.json["properties"]["changes"]] == ["Create"]
    assert (before, after, deleted, gone) == (404, 204, 204, 404)
    assert step.json["properties"]["targetResource"]["resourceName"] == "new"
    assert exported.json["template"] == document
    assert canceled.code == "DeploymentCannotBeCanceled"
