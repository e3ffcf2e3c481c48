"""Every example of Azure's own contract, sent to the service; the answers are checked against Azure's swagger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hythe.service.routes import ROUTES
from hythe.service.store import Subscription
from tests.service.harness import Service, container, group, running

from .schema import Document

CONTRACT = Path(__file__).parents[3] / "shared" / "contract"
SWAGGER = CONTRACT / "containerInstance-2026-07-01.json"
EXAMPLES = sorted((CONTRACT / "examples-2026-07-01").glob("*.json"))
VERSION = "2026-07-01"

pytestmark = pytest.mark.skipif(not SWAGGER.exists(), reason="the contract is not beside this checkout")

REFUSED = {
    "ContainerGroupCreateConfidential": "confidential computing",
    "ContainerGroupCreateOrUpdateStandbyPool": "a standby pool",
    "ContainerGroupsCreateOrUpdate": "a GPU; and a public address in a subnet, which Azure refuses too",
    "ContainerGroupsCreateOrUpdateManagedIdentityAzureFileshare": "as above",
    "ContainerGroupsCreateOrUpdateSecretReference": "a key vault",
    "ContainerGroupProfileCreateOrUpdate_CreateConfidential": "confidential computing",
    "ContainerGroupProfilesCreateOrUpdate": "a GPU",
}
"""Examples that ask for what this service does not offer: refused with every reason, never half accepted."""

BEYOND = frozenset({"provisioningTimeoutInSeconds", "isCustomProvisioningTimeout"})
"""Members that real Azure sends although its swagger does not list them."""


def _find(reference: str) -> Path:
    return CONTRACT / "common-types" / reference.partition("common-types/")[2]


@pytest.fixture(scope="module")
def swagger() -> Document:
    return Document.read(SWAGGER, _find)


def operations(swagger: Document) -> dict[str, tuple[str, str, dict[str, Any]]]:
    return {
        each["operationId"]: (method.upper(), path, each)
        for path, methods in swagger.content["paths"].items()
        for method, each in methods.items()
    }


def test_every_operation_is_there(swagger: Document) -> None:
    assert set(operations(swagger)) <= {route.name for route in ROUTES}


def test_every_route_of_the_contract_has_its_path_and_method(swagger: Document) -> None:
    theirs = operations(swagger)
    for route in ROUTES:
        if route.name in theirs:
            method, path, _ = theirs[route.name]
            assert (route.method, route.path.lower()) == (method, path.lower())


async def _named(service: Service, body: dict[str, Any]) -> None:
    """Make the profile, the identities and the subnet that a group of an example names."""
    profile = body.get("properties", {}).get("containerGroupProfile", {}).get("id")
    identities = (body.get("identity") or {}).get("userAssignedIdentities") or {}
    for each in [*([profile] if profile else []), *identities]:
        subscription, folder = each.split("/")[2], each.partition("/providers/")[0]
        if service.store.subscription(subscription) is None:
            service.store.add_subscription(Subscription(id=subscription, name="example", tenant="t"))
        await service.make_folder(folder)
        definition = group(container(ports=[{"port": 80}])) if each == profile else {"location": "eastus"}
        version = VERSION if each == profile else "2023-01-31"
        assert (await service.ask("PUT", each, definition, version=version)).status == 201
    network = body.get("properties", {}).get("networkProfile") or {}
    for each in (*body.get("properties", {}).get("subnetIds", ()), *network.get("subnets", ())):
        if "[" in each["id"]:
            continue  # an expression of a template, left over in the example
        path, _, name = each["id"].partition("/subnets/")
        delegation = {"name": "d", "properties": {"serviceName": "Microsoft.ContainerInstance/containerGroups"}}
        subnet = {"name": name, "properties": {"addressPrefix": "10.0.0.0/24", "delegations": [delegation]}}
        definition = {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]}}
        await service.make_folder(path.partition("/providers/")[0])
        made = await service.ask("PUT", path, {"location": body["location"]} | definition, version="2022-01-01")
        assert made.status == 201, made.raw


async def _world(service: Service, example: dict[str, Any], operation: str) -> None:
    """Make what an example takes for granted."""
    parameters = example["parameters"]
    subscription = parameters.get("subscriptionId")
    if subscription is None:
        return
    service.store.add_subscription(Subscription(id=subscription, name="example", tenant="t"))
    folder = f"/subscriptions/{subscription}/resourceGroups/{parameters.get('resourceGroupName', 'demo')}"
    await service.make_folder(folder)
    await _named(service, parameters.get("containerGroup") or parameters.get("resource") or {})
    provider = f"{folder}/providers/Microsoft.ContainerInstance"
    profile = parameters.get("containerGroupProfileName", "cgp1")
    body = group(container(ports=[{"port": 80}]))
    for _ in range(0 if operation == "CGProfile_CreateOrUpdate" else int(parameters.get("revisionNumber", 1))):
        made = await service.ask("PUT", f"{provider}/containerGroupProfiles/{profile}", body, version=VERSION)
        assert made.status in (200, 201), made.raw
    if operation.startswith("NGroups") and operation != "NGroups_CreateOrUpdate" and "ngroupsName" in parameters:
        stub = {"resource": {"id": f"{provider}/containerGroupProfiles/{profile}"}}
        body = {"location": "eastus", "properties": {"containerGroupProfiles": [stub]}}
        made = await service.ask("PUT", f"{provider}/ngroups/{parameters['ngroupsName']}", body, version=VERSION)
        assert made.status == 201, made.raw
    if operation != "SandboxGroups_CreateOrUpdate" and "sandboxGroupName" in parameters:
        path = f"{provider}/sandboxGroups/{parameters['sandboxGroupName']}"
        made = await service.ask("PUT", path, {"location": "eastus"}, version=VERSION)
        assert made.status == 201, made.raw
    if operation.startswith("ContainerGroups_CreateOrUpdate"):
        return
    name = parameters.get("containerGroupName", "demo1")
    body = group(container(parameters.get("containerName", "web"), ports=[{"port": 80}]), restartPolicy="Always")
    path = f"{folder}/providers/Microsoft.ContainerInstance/containerGroups/{name}"
    assert (await service.ask("PUT", path, body)).status == 201


@pytest.mark.parametrize("file", EXAMPLES, ids=[path.stem for path in EXAMPLES])
async def test_example(file: Path, swagger: Document) -> None:
    example = json.loads(file.read_text())
    own = example["parameters"].get("subscriptionId", "")  # which the subnet of one example is not in
    example = json.loads(file.read_text().replace("00000000-0000-0000-0000-00000000/", f"{own}/"))
    parameters = dict(example["parameters"])
    operation = example["operationId"]
    method, path, described = operations(swagger)[operation]
    body, query = None, []
    for each in described["parameters"]:
        real = swagger.at(each["$ref"])[1] if "$ref" in each else each
        value = parameters.pop(real["name"], None)
        if real["in"] == "path":
            path = path.replace(f"{{{real['name']}}}", str(value))
        elif real["in"] == "body":
            # some examples name the body otherwise than the operation does
            body = value if value is not None else parameters.pop("properties", None)
            assert not list(swagger.problems(real["schema"], body, but=BEYOND)) or file.stem in REFUSED
        elif value is not None and real["name"] != "api-version":
            query.append(f"{real['name']}={value}")
    async with running() as service:
        await _world(service, example, operation)
        reply = await service.ask(method, path, body, version=VERSION, query="&".join(query))

    refused = file.stem in REFUSED
    if refused:
        assert reply.status == 400, reply.raw
    else:
        assert str(reply.status) in described["responses"], reply.raw
    schema = described["responses"]["default" if refused else str(reply.status)].get("schema")
    if schema is None or not reply.raw:
        assert (schema is None or reply.status == 204) and not reply.raw
    else:
        assert not list(swagger.problems(schema, reply.json, but=BEYOND))
    if refused:
        details = reply.json["error"].get("details") or [reply.json["error"]]
        assert "FeatureNotSupported" in {each["code"] for each in details}


@pytest.mark.parametrize("file", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_their_answers_fit_their_swagger_by_this_check(file: Path, swagger: Document) -> None:
    """A check that finds fault with Azure's own answers would prove nothing; one that finds none in rubbish neither."""
    example = json.loads(file.read_text())
    _, _, described = operations(swagger)[example["operationId"]]
    for status, answer in example["responses"].items():
        schema = described["responses"][status].get("schema")
        if schema is not None and answer.get("body") is not None:
            assert not list(swagger.problems(schema, answer["body"], but=BEYOND))
            assert list(swagger.problems(schema, 7, but=BEYOND))
