"""Tests what each operation sends and what it makes of the answer."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from hythe.errors import ConnectionFailed, ImageInaccessible, NotFound, ServiceError, Throttled, UnexpectedAnswer
from hythe.models import Container, ContainerExecRequest, ContainerGroup, Resource
from hythe.wire.versions import NEWEST

from ..script import BASE, SUBSCRIPTION, answer, fault, group
from .subject import client, pytestmark, resource_client

__all__ = ["pytestmark"]

PROVIDER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerInstance"
GROUP = f"{PROVIDER}/containerGroups/web"


async def test_create_sends_the_wire_form_and_reads_it_back() -> None:
    aci, script, _ = client(answer(201, group()))
    wanted = ContainerGroup(location="eastus", containers=[Container(name="c", image="i")], os_type="Linux")
    poller = await aci.container_groups.begin_create_or_update("rg", "web", wanted)
    assert await poller.done()
    made = await poller.result()
    (request,) = script.requests
    assert request.method == "PUT"
    assert request.url == f"{BASE}{GROUP}?api-version={NEWEST}"
    assert json.loads(request.body) == {
        "location": "eastus",
        "properties": {"containers": [{"name": "c", "properties": {"image": "i"}}], "osType": "Linux"},
    }
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.headers["user-agent"].startswith("hythe/")
    assert made.containers == [Container(name="c", image="i")]


async def test_create_takes_plain_dicts_with_models_inside() -> None:
    aci, script, _ = client(answer(200, group()))
    body = {"location": "eastus", "properties": {"containers": [Container(name="c", image="i")]}}
    await aci.container_groups.create_or_update("rg", "web", body)
    sent = json.loads(script.requests[0].body)
    assert sent["properties"]["containers"] == [{"name": "c", "properties": {"image": "i"}}]


async def test_every_request_has_an_id_of_its_own() -> None:
    aci, script, _ = client(answer(200, group()), answer(200, group()))
    await aci.container_groups.get("rg", "web")
    await aci.container_groups.get("rg", "web")
    first, second = (request.headers["x-ms-client-request-id"] for request in script.requests)
    assert first != second


async def test_small_operations() -> None:
    aci, script, _ = client(
        answer(200, group()),
        answer(200, group()),
        answer(204),
        answer(204),
        answer(204),
        answer(204),
        answer(200, group()),
        answer(200, ["a.example:443"]),
    )
    groups = aci.container_groups
    assert (await groups.update("rg", "web", Resource(tags={"a": "b"}))).name == "web"
    assert (await groups.update("rg", "web", tags={"a": "b"})).name == "web"
    await groups.stop("rg", "web")
    await (await groups.begin_start("rg", "web")).result()
    await (await groups.restart("rg", "web")).result()
    assert await groups.delete("rg", "web") is None
    gone = await groups.delete("rg", "web")
    assert gone is not None
    assert gone.name == "web"
    assert await groups.get_outbound_network_dependencies_endpoints("rg", "web") == ["a.example:443"]
    assert script.asked == [
        f"PATCH {GROUP}",
        f"PATCH {GROUP}",
        f"POST {GROUP}/stop",
        f"POST {GROUP}/start",
        f"POST {GROUP}/restart",
        f"DELETE {GROUP}",
        f"DELETE {GROUP}",
        f"GET {GROUP}/outboundNetworkDependenciesEndpoints",
    ]
    assert script.requests[0].body == script.requests[1].body == b'{"tags":{"a":"b"}}'


async def test_containers() -> None:
    session = {"webSocketUri": "wss://x/y", "password": "p4ss"}
    aci, script, _ = client(answer(200, {"content": "hi\n"}), *[answer(200, session)] * 3)
    assert (await aci.container.list_logs("rg", "web", "c", tail=2, timestamps=True)).content == "hi\n"
    assert script.requests[0].url.endswith(f"/containers/c/logs?api-version={NEWEST}&tail=2&timestamps=true")
    opened = await aci.containers.execute_command("rg", "web", "c", ContainerExecRequest(command="/bin/sh"))
    assert opened.password == "p4ss"
    assert "p4ss" not in repr(opened)
    await aci.containers.execute_command("rg", "web", "c", command="/bin/sh")
    assert script.requests[1].body == script.requests[2].body == b'{"command":"/bin/sh"}'
    assert (await aci.containers.attach("rg", "web", "c")).web_socket_uri == "wss://x/y"


async def test_usage_and_operations() -> None:
    usage = {"value": [{"unit": "Count", "currentValue": 1, "limit": 5, "name": {"value": "Cores"}}]}
    offered = {"value": [{"name": "a/b/read", "display": {"operation": "read"}}]}
    aci, script, _ = client(answer(200, usage), answer(200, usage), answer(200, offered))
    assert [one.limit async for one in aci.location.list_usage("eastus")] == [5]
    assert (await aci.container_group_usage.list("eastus")).value[0].current_value == 1
    assert [one.name async for one in aci.operations.list()] == ["a/b/read"]
    assert script.asked[2] == "GET /providers/Microsoft.ContainerInstance/operations"


async def test_resource_groups() -> None:
    folder = {"name": "rg", "location": "eastus"}
    resources = {"value": [{"name": "web", "type": "Microsoft.ContainerInstance/containerGroups"}]}
    arm, script = resource_client(
        answer(201, folder),
        answer(200, folder),
        answer(200, folder),
        answer(204),
        answer(404),
        answer(200, {"value": [folder]}),
        answer(200, resources),
        answer(202, location=f"{BASE}/operationresults/1", retry_after="1"),
        answer(202, retry_after="1"),
        answer(200),
    )
    assert (await arm.resource_groups.create_or_update("rg", {"location": "eastus"})).name == "rg"
    assert (await arm.resource_groups.get("rg")).location == "eastus"
    assert (await arm.resource_groups.update("rg", tags={"a": "b"})).name == "rg"
    assert await arm.resource_groups.check_existence("rg")
    assert not await arm.resource_groups.check_existence("rg")
    assert [one.name async for one in arm.resource_groups.list()] == ["rg"]
    assert [one.name async for one in arm.resources.list_by_resource_group("rg")] == ["web"]
    poller = await arm.resource_groups.delete("rg")
    await poller.result()
    assert script.asked[-2:] == ["GET /operationresults/1"] * 2
    assert all("api-version=2021-04-01" in request.url for request in script.requests[:-2])


async def test_lists_of_resources_are_narrowed() -> None:
    arm, script = resource_client(*[answer(200, {"value": []})] * 4)
    tagged = "tagName eq 'team' and tagValue eq 'a&b'"
    assert [one async for one in arm.resource_groups.list(tagged, 2)] == []
    assert [one async for one in arm.resource_groups.list(filter=tagged, top=2)] == []
    assert [one async for one in arm.resources.list_by_resource_group("rg", tagged, "changedTime", 2)] == []
    assert [one async for one in arm.resource_groups.list()] == []
    queries = [dict(parse_qsl(urlsplit(request.url).query)) for request in script.requests]
    version = {"api-version": "2021-04-01"}
    narrowed = {"$filter": tagged, "$top": "2", **version}
    assert queries == [narrowed, narrowed, narrowed | {"$expand": "changedTime"}, version]


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_name_that_would_change_the_path_is_refused(name: str) -> None:
    aci, script, _ = client()
    with pytest.raises(ValueError, match="as a name"):
        await aci.container_groups.get("rg", name)
    assert not script.requests


async def test_names_are_quoted() -> None:
    aci, script, _ = client(answer(200, group()))
    await aci.container_groups.get("rg", "a/b?c")
    assert "/containerGroups/a%2Fb%3Fc?" in script.requests[0].url


async def test_a_missing_group_is_not_found() -> None:
    aci, _, _ = client(fault(404, "ResourceNotFound", "The Resource was not found."))
    with pytest.raises(NotFound) as caught:
        await aci.container_groups.get("rg", "web")
    assert (caught.value.status, caught.value.code) == (404, "ResourceNotFound")
    assert str(caught.value).startswith("cannot get container group 'web': The Resource was not found.")


async def test_an_inaccessible_image_says_so() -> None:
    aci, _, _ = client(fault(400, "InaccessibleImage"))
    with pytest.raises(ImageInaccessible, match="image_registry_credentials"):
        await aci.container_groups.begin_create_or_update("rg", "web", {})


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"[]", b'{"name": 1}', b"\xff\xfe"])
async def test_an_answer_that_is_no_group_is_a_clear_error(body: bytes) -> None:
    aci, _, _ = client(answer(200, body))
    with pytest.raises(UnexpectedAnswer, match="cannot get container group 'web': the answer can't be read"):
        await aci.container_groups.get("rg", "web")


async def test_redirects_are_not_followed() -> None:
    aci, script, _ = client(answer(302, location="https://elsewhere.example/"))
    with pytest.raises(UnexpectedAnswer, match="points elsewhere"):
        await aci.container_groups.get("rg", "web")
    assert len(script.requests) == 1


async def test_reading_is_repeated_when_that_may_help() -> None:
    lost = ConnectionFailed("gone", reason="lost")
    aci, script, clock = client(lost, answer(503, retry_after="7"), answer(200, group()))
    assert (await aci.container_groups.get("rg", "web")).name == "web"
    assert len(script.requests) == 3
    assert 0 < clock.naps[0] < 1
    assert clock.naps[1] == 7


async def test_reading_gives_up_after_three_retries() -> None:
    aci, script, _ = client(*[fault(429, "TooManyRequests", retry_after="2")] * 4)
    with pytest.raises(Throttled) as caught:
        await aci.container_groups.get("rg", "web")
    assert caught.value.retry_after == 2
    assert len(script.requests) == 4


async def test_a_verb_is_repeated_only_if_it_was_not_carried_out() -> None:
    aci, script, _ = client(
        ConnectionFailed("no", reason="refused"),
        fault(429, "TooManyRequests", retry_after="1"),
        answer(204),
        ConnectionFailed("gone", reason="lost"),
        answer(503),
    )
    await aci.container_groups.begin_restart("rg", "web")
    assert len(script.requests) == 3
    with pytest.raises(ConnectionFailed, match="gone"):
        await aci.container_groups.begin_restart("rg", "web")
    with pytest.raises(ServiceError):
        await aci.container_groups.begin_restart("rg", "web")
    assert len(script.requests) == 5


async def test_a_definition_is_sent_again_after_a_lost_connection() -> None:
    aci, script, _ = client(ConnectionFailed("gone", reason="lost"), answer(200, group()))
    await aci.container_groups.begin_create_or_update("rg", "web", {})
    first, second = script.requests
    assert (first.method, first.body, first.headers) == (second.method, second.body, second.headers)


async def test_a_call_ends_when_its_time_is_over() -> None:
    aci, script, clock = client(answer(503, retry_after="3"), answer(503, retry_after="3"))
    with pytest.raises(ServiceError):
        await aci.container_groups.get("rg", "web", timeout=5)
    assert clock.naps == [3]
    assert [request.timeout for request in script.requests] == [5, 2]


async def test_closing_closes_the_transport() -> None:
    aci, script, _ = client()
    async with aci:
        assert script.closed == 0
    assert script.closed == 1
