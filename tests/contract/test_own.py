"""Our own description of the API: complete, and kept by the answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hythe.engines.sim import Outcome
from hythe.service.openapi import SHAPES, document
from hythe.service.routes import ROUTES, SOCKET
from hythe.wire import versions
from tests.service.harness import FOLDER, GROUPS, SUBSCRIPTION, Service, container, group, running

from .schema import Document

NONE: frozenset[str] = frozenset()
OWN = Document(json.loads(document(ROUTES)))
LOCATION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/locations/eastus"

BODY = group(
    container("web", ports=[{"port": 80}], environmentVariables=[{"name": "A", "value": "b"}]),
    initContainers=[{"name": "first", "properties": {"image": "image", "command": ["true"]}}],
    ipAddress={"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "hello"},
    restartPolicy="Always",
) | {"tags": {"a": "b"}}

STEPS: list[tuple[str, str, Any, int, str]] = [
    ("GET", "/providers/Microsoft.ContainerInstance/operations", None, 200, "Operations_List"),
    ("GET", f"{LOCATION}/usages", None, 200, "Location_ListUsage"),
    ("GET", f"{LOCATION}/capabilities", None, 200, "Location_ListCapabilities"),
    ("GET", f"{LOCATION}/cachedImages", None, 200, "Location_ListCachedImages"),
    ("PUT", FOLDER, {"location": "eastus"}, 201, "ResourceGroups_CreateOrUpdate"),
    ("GET", FOLDER, None, 200, "ResourceGroups_Get"),
    ("PUT", f"{GROUPS}/web", BODY, 201, "ContainerGroups_CreateOrUpdate"),
    ("PUT", f"{GROUPS}/web", BODY, 200, "ContainerGroups_CreateOrUpdate"),
    ("PUT", f"{GROUPS}/Bad", {"properties": {}}, 400, "ContainerGroups_CreateOrUpdate"),
    ("GET", f"{GROUPS}/web", None, 200, "ContainerGroups_Get"),
    ("GET", f"{GROUPS}/none", None, 404, "ContainerGroups_Get"),
    ("GET", GROUPS, None, 200, "ContainerGroups_ListByResourceGroup"),
    ("GET", f"{FOLDER}/resources", None, 200, "Resources_ListByResourceGroup"),
    ("PATCH", f"{GROUPS}/web", {"tags": {"c": "d"}}, 200, "ContainerGroups_Update"),
    ("GET", f"{GROUPS}/web/outboundNetworkDependenciesEndpoints", None, 200,
     "ContainerGroups_GetOutboundNetworkDependenciesEndpoints"),
    ("POST", f"{GROUPS}/web/restart", None, 204, "ContainerGroups_Restart"),
    ("GET", f"{GROUPS}/web/containers/web/logs", None, 200, "Containers_ListLogs"),
    ("POST", f"{GROUPS}/web/stop", None, 204, "ContainerGroups_Stop"),
    ("POST", f"{GROUPS}/web/start", None, 202, "ContainerGroups_Start"),
    ("DELETE", f"{GROUPS}/web", None, 200, "ContainerGroups_Delete"),
    ("DELETE", f"{GROUPS}/web", None, 204, "ContainerGroups_Delete"),
    ("DELETE", FOLDER, None, 202, "ResourceGroups_Delete"),
]  # fmt: skip


def responses(name: str) -> dict[str, Any]:
    (found,) = [
        each["responses"]
        for methods in OWN.content["paths"].values()
        for each in methods.values()
        if each["operationId"] == name
    ]
    return found


def complaints(name: str, status: int, raw: bytes) -> list[str]:
    answers = responses(name)
    described = answers.get(str(status)) if status < 400 else answers["default"]
    if described is None:
        return [f"{name} is not said to answer {status}"]
    if "content" not in described:
        return [f"{name} has a body with {status}"] if raw else []
    schema = described["content"]["application/json"]["schema"]
    return list(OWN.problems(schema, json.loads(raw), but=NONE))


@pytest.mark.proves("ContainerGroups_GetOutboundNetworkDependenciesEndpoints")
@pytest.mark.parametrize("version", [versions.NEWEST, "2023-05-01"])
async def test_answers_keep_to_the_description(version: str) -> None:
    async with running({"first": Outcome(runs_for=0.0)}) as service:
        for method, path, body, status, name in STEPS:
            reply = await service.ask(method, path, body, version=version)
            assert (name, reply.status) == (name, status), reply.raw
            assert complaints(name, reply.status, reply.raw) == []


def test_rubbish_is_noticed() -> None:
    assert complaints("ContainerGroups_Get", 200, b'{"properties": {"osType": 7}}')
    assert complaints("ContainerGroups_Get", 200, b'{"propertys": {}}')
    assert complaints("ContainerGroups_Get", 418, b"{}")
    assert complaints("ContainerGroups_Get", 204, b"")


def test_every_route_is_described_once() -> None:
    described = [each["operationId"] for methods in OWN.content["paths"].values() for each in methods.values()]
    assert sorted(described) == sorted(route.name for route in ROUTES if route.method != SOCKET)
    assert set(SHAPES) <= set(described)


async def raw_page(service: Service, path: str) -> Any:
    return await service.ask("GET", path, version=None, headers={"authorization": ""})


async def test_document_and_page_are_open_and_ask_nobody_else() -> None:
    async with running() as service:
        given = await raw_page(service, "/openapi.json")
        page = await raw_page(service, "/openapi")

    assert given.json == OWN.content
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert b"http://" not in page.raw.replace(b"http://www.w3.org", b"")
    assert b"https://" not in page.raw
