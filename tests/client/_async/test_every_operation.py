"""Tests what every operation of every group sends, and what it makes of the answer, in one table."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from hythe import models
from hythe.models import ContainerGroupProfilePatch, NGroup, SandboxGroup, SandboxGroupTagsUpdate
from hythe.wire.versions import NEWEST

from ..script import BASE, SUBSCRIPTION, answer
from .subject import ContainerInstanceManagementClient as Client
from .subject import client, pytestmark

__all__ = ["pytestmark"]

S = f"/subscriptions/{SUBSCRIPTION}"
ACI = "providers/Microsoft.ContainerInstance"
G = f"{S}/resourceGroups/rg/{ACI}"
PROFILE = {"name": "p", "location": "eastus", "properties": {"revision": 2, "containers": []}}
SET = {"name": "n", "properties": {"provisioningState": "Succeeded", "elasticProfile": {"desiredCount": 2}}}
SANDBOX = {"name": "s", "location": "eastus", "properties": {"provisioningState": "Succeeded"}}
TOKEN = {"endpoint": "https://x", "accessToken": "t", "notAfter": "2026-01-01T00:00:00Z"}
IMAGE = {"osType": "Linux", "image": "alpine"}
MOST = {"location": "eastus", "osType": "Linux", "capabilities": {"maxCpu": 4, "maxMemoryInGB": 16}}
SUBNET = f"{S}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/n/{ACI}"

Use = Callable[[Client], Any]


def many(item: object) -> dict[str, object]:
    return {"value": [item], "nextLink": None}


# what is called, what is sent, what is answered, a member of the result
READS: list[tuple[str, Use, str, object, str]] = [
    ("location.list_cached_images", lambda c: c.location.list_cached_images("eastus"),
     f"GET {S}/{ACI}/locations/eastus/cachedImages", many(IMAGE), "image"),
    ("location.list_capabilities", lambda c: c.location.list_capabilities("eastus"),
     f"GET {S}/{ACI}/locations/eastus/capabilities", many(MOST), "os_type"),
    ("cg_profiles.list_by_subscription", lambda c: c.cg_profiles.list_by_subscription(),
     f"GET {S}/{ACI}/containerGroupProfiles", many(PROFILE), "name"),
    ("cg_profiles.list_by_resource_group", lambda c: c.cg_profiles.list_by_resource_group("rg"),
     f"GET {G}/containerGroupProfiles", many(PROFILE), "name"),
    ("container_group_profiles.list", lambda c: c.container_group_profiles.list(),
     f"GET {S}/{ACI}/containerGroupProfiles", many(PROFILE), "name"),
    ("container_group_profiles.list_by_resource_group",
     lambda c: c.container_group_profiles.list_by_resource_group("rg"),
     f"GET {G}/containerGroupProfiles", many(PROFILE), "name"),
    ("container_group_profile.list_all_revisions", lambda c: c.container_group_profile.list_all_revisions("rg", "p"),
     f"GET {G}/containerGroupProfiles/p/revisions", many(PROFILE), "revision"),
    ("cg_profile.list_all_revisions", lambda c: c.cg_profile.list_all_revisions("rg", "p"),
     f"GET {G}/containerGroupProfiles/p/revisions", many(PROFILE), "revision"),
    ("ngroups.list", lambda c: c.ngroups.list(), f"GET {S}/{ACI}/ngroups", many(SET), "name"),
    ("ngroups.list_by_resource_group", lambda c: c.ngroups.list_by_resource_group("rg"),
     f"GET {G}/ngroups", many(SET), "name"),
    ("sandbox_groups.list_by_subscription", lambda c: c.sandbox_groups.list_by_subscription(),
     f"GET {S}/{ACI}/sandboxGroups", many(SANDBOX), "name"),
    ("sandbox_groups.list_by_resource_group", lambda c: c.sandbox_groups.list_by_resource_group("rg"),
     f"GET {G}/sandboxGroups", many(SANDBOX), "name"),
]  # fmt: skip

CALLS: list[tuple[str, Use, str, object, object]] = [
    ("container_group_profile.get_by_revision_number",
     lambda c: c.container_group_profile.get_by_revision_number("rg", "p", "2"),
     f"GET {G}/containerGroupProfiles/p/revisions/2", PROFILE, None),
    ("cg_profile.get_by_revision_number", lambda c: c.cg_profile.get_by_revision_number("rg", "p", 2),
     f"GET {G}/containerGroupProfiles/p/revisions/2", PROFILE, None),
    ("cg_profile.get", lambda c: c.cg_profile.get("rg", "p"), f"GET {G}/containerGroupProfiles/p", PROFILE, None),
    ("container_group_profiles.get", lambda c: c.container_group_profiles.get("rg", "p"),
     f"GET {G}/containerGroupProfiles/p", PROFILE, None),
    ("cg_profile.create_or_update", lambda c: c.cg_profile.create_or_update("rg", "p", {"os_type": "Linux"}),
     f"PUT {G}/containerGroupProfiles/p", PROFILE, {"properties": {"osType": "Linux"}}),
    ("container_group_profiles.create_or_update",
     lambda c: c.container_group_profiles.create_or_update("rg", "p", io.BytesIO(b'{"location": "eastus"}')),
     f"PUT {G}/containerGroupProfiles/p", PROFILE, {"location": "eastus"}),
    ("cg_profile.update", lambda c: c.cg_profile.update("rg", "p", ContainerGroupProfilePatch(tags={"a": "b"})),
     f"PATCH {G}/containerGroupProfiles/p", PROFILE, {"tags": {"a": "b"}}),
    ("container_group_profiles.patch", lambda c: c.container_group_profiles.patch("rg", "p", {"tags": {"a": "b"}}),
     f"PATCH {G}/containerGroupProfiles/p", PROFILE, {"tags": {"a": "b"}}),
    ("cg_profile.delete", lambda c: c.cg_profile.delete("rg", "p"),
     f"DELETE {G}/containerGroupProfiles/p", None, None),
    ("container_group_profiles.delete", lambda c: c.container_group_profiles.delete("rg", "p"),
     f"DELETE {G}/containerGroupProfiles/p", None, None),
    ("ngroups.get", lambda c: c.ngroups.get("rg", "n"), f"GET {G}/ngroups/n", SET, None),
    ("ngroups.stop", lambda c: c.ngroups.stop("rg", "n"), f"POST {G}/ngroups/n/stop", None, None),
    ("sandbox_groups.get", lambda c: c.sandbox_groups.get("rg", "s"), f"GET {G}/sandboxGroups/s", SANDBOX, None),
    ("sandbox_groups.connect", lambda c: c.sandbox_groups.connect("rg", "s"),
     f"POST {G}/sandboxGroups/s/connect", TOKEN, None),
]  # fmt: skip

BEGINS: list[tuple[str, Use, str, object, object]] = [
    ("ngroups.begin_create_or_update",
     lambda c: c.ngroups.begin_create_or_update("rg", "n", NGroup(elastic_profile={"desired_count": 2})),
     f"PUT {G}/ngroups/n", SET, {"properties": {"elasticProfile": {"desiredCount": 2}}}),
    ("ngroups.begin_update",
     lambda c: c.ngroups.begin_update("rg", "n", {"elastic_profile": {"desired_count": 2}}),
     f"PATCH {G}/ngroups/n", SET, {"properties": {"elasticProfile": {"desiredCount": 2}}}),
    ("ngroups.begin_delete", lambda c: c.ngroups.begin_delete("rg", "n"), f"DELETE {G}/ngroups/n", None, None),
    ("ngroups.begin_start", lambda c: c.ngroups.begin_start("rg", "n"), f"POST {G}/ngroups/n/start", None, None),
    ("ngroups.begin_restart", lambda c: c.ngroups.begin_restart("rg", "n"),
     f"POST {G}/ngroups/n/restart", None, None),
    ("sandbox_groups.begin_create_or_update",
     lambda c: c.sandbox_groups.begin_create_or_update("rg", "s", SandboxGroup(location="eastus")),
     f"PUT {G}/sandboxGroups/s", SANDBOX, {"location": "eastus"}),
    ("sandbox_groups.begin_update",
     lambda c: c.sandbox_groups.begin_update("rg", "s", SandboxGroupTagsUpdate(tags={"a": "b"})),
     f"PATCH {G}/sandboxGroups/s", SANDBOX, {"tags": {"a": "b"}}),
    ("sandbox_groups.begin_delete", lambda c: c.sandbox_groups.begin_delete("rg", "s"),
     f"DELETE {G}/sandboxGroups/s", None, None),
    ("subnet_service_association_link.begin_delete",
     lambda c: c.subnet_service_association_link.begin_delete("rg", "v", "n"),
     f"DELETE {SUBNET}/serviceAssociationLinks/default", None, None),
]  # fmt: skip

TESTED_ELSEWHERE = {
    "container_groups": {"begin_create_or_update", "create_or_update", "get", "list", "list_by_resource_group",
                         "update", "begin_delete", "delete", "begin_start", "start", "begin_restart", "restart",
                         "stop", "get_outbound_network_dependencies_endpoints"},
    "containers": {"list_logs", "execute_command", "attach"},
    "location": {"list_usage"},
    "operations": {"list"},
    "container_group_usage": {"list"},
    "subnet_service_association_link": {"delete"},
    "container_group_profiles": {"update"},
}  # fmt: skip


@pytest.mark.parametrize(("name", "use", "sent", "answered", "member"), READS, ids=[row[0] for row in READS])
async def test_lists(name: str, use: Use, sent: str, answered: dict[str, Any], member: str) -> None:
    aci, script, _ = client(answer(200, answered))
    (item,) = [item async for item in use(aci)]
    assert script.asked == [sent]
    assert getattr(item, member) is not None
    assert f"api-version={NEWEST}" in script.requests[0].url


@pytest.mark.parametrize(("name", "use", "sent", "answered", "body"), CALLS, ids=[row[0] for row in CALLS])
async def test_calls(name: str, use: Use, sent: str, answered: object, body: object) -> None:
    aci, script, _ = client(answer(200, answered))
    result = await use(aci)
    assert script.asked == [sent]
    assert json.loads(script.requests[0].body or "null") == body
    assert result == (answered and models.from_builtins(type(result), answered))


@pytest.mark.parametrize(("name", "use", "sent", "answered", "body"), BEGINS, ids=[row[0] for row in BEGINS])
async def test_begins(name: str, use: Use, sent: str, answered: object, body: object) -> None:
    aci, script, _ = client(answer(200, answered))
    result = await (await use(aci)).result()
    assert script.asked == [sent]
    assert json.loads(script.requests[0].body or "null") == body
    assert result == (answered and models.from_builtins(type(result), answered))


async def test_freeing_a_subnet_by_its_older_name() -> None:
    aci, script, _ = client(answer(204))
    await aci.service_association_link.delete("rg", "v", "n")
    assert script.asked == [f"DELETE {SUBNET}/serviceAssociationLinks/default"]


async def test_the_tags_of_a_profile_by_either_name() -> None:
    aci, script, _ = client(answer(200, PROFILE))
    assert (await aci.container_group_profiles.update("rg", "p", {"tags": {}})).revision == 2
    assert script.asked == [f"PATCH {G}/containerGroupProfiles/p"]


async def test_no_operation_is_left_out() -> None:
    aci, _, _ = client()
    tested = {row[0] for row in (*READS, *CALLS, *BEGINS)}
    tested |= {f"{group}.{name}" for group, names in TESTED_ELSEWHERE.items() for name in names}
    missing = []
    older = {"container", "service_association_link"}  # the same objects under older names
    for group, operations in vars(aci).items():
        if not type(operations).__name__.endswith("Operations") or group in older:
            continue
        for name, _function in inspect.getmembers(operations, callable):
            if not name.startswith("_") and f"{group}.{name}" not in tested:
                missing.append(f"{group}.{name}")
    assert missing == []


async def test_options_of_one_call() -> None:
    seen = []
    aci, script, _ = client(answer(200, SET, x_ms_request_id="r1"))
    name = await aci.ngroups.get(
        "rg", "n", headers={"X-Mark": "a"}, params={"b": 1}, api_version="2025-09-01", read_timeout=3,
        connection_timeout=2, raw_response_hook=seen.append,
        cls=lambda response, made, headers: (made.name, headers["x-ms-request-id"]),
    )  # fmt: skip
    (request,) = script.requests
    assert name == ("n", "r1")
    assert request.url.endswith("?api-version=2025-09-01&b=1")
    assert request.headers["x-mark"] == "a"
    assert (request.timeout, request.connect_timeout) == (3, 2)
    assert [response.status for response in seen] == [200]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"nonsense": 1}, TypeError),
        ({"logging_enable": True}, TypeError),
        ({"polling": False}, TypeError),
        ({"raw": True}, TypeError),
        ({"content_type": "text/plain"}, ValueError),
        ({"timeout": 0}, ValueError),
    ],
)
async def test_an_option_that_there_is_not_is_refused(options: dict[str, Any], error: type[Exception]) -> None:
    aci, script, _ = client()
    with pytest.raises(error, match="cannot get NGroup 'n' with"):
        await aci.ngroups.get("rg", "n", **options)
    assert not script.requests


async def test_a_request_of_ones_own() -> None:
    class Request:
        method = "GET"
        url = "/subscriptions?api-version=2022-12-01"
        headers = {"X-Mark": "a"}  # noqa: RUF012
        content = "{}"

    aci, script, _ = client(answer(404, {"error": {}}))
    assert (await aci.send_request(Request())).status == 404
    assert script.requests[0].url == f"{BASE}/subscriptions?api-version=2022-12-01"
    assert script.requests[0].headers["authorization"] == "Bearer t0ken"
    assert script.requests[0].body == b"{}"
