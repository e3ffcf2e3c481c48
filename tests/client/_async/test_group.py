"""Tests waiting for a group, explaining it, following its logs, and running commands to their end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hythe.client.transport import Request, Response
from hythe.errors import NotFound, NotOffered, OperationFailed, StillRunning

from ..script import SUBSCRIPTION, answer, fault
from .subject import ContainerInstanceManagementClient, FakeTransport, StaticTokenCredential, clocked, pytestmark

__all__ = ["pytestmark"]

BASE = "https://localhost:8443"


def view(state: str, **more: object) -> dict[str, Any]:
    return {"restartCount": 0, "currentState": {"state": state, **more}}


def group(state: str, **containers: dict[str, Any]) -> dict[str, Any]:
    made = [{"name": name, "properties": {"image": "i", "instanceView": each}} for name, each in containers.items()]
    properties = {
        "provisioningState": "Succeeded", "restartPolicy": "Never", "containers": made,
        "instanceView": {"state": state},
    }  # fmt: skip
    return {"name": "web", "location": "eastus", "properties": properties}


class Service(FakeTransport):
    """Answers by what is asked: each path has its answers, the last of which stays."""

    def __init__(self, answers: dict[str, list[Response | Callable[[Request], Response]]]) -> None:
        super().__init__()
        self.answers = answers

    def play(self, request: Request) -> Response:
        self.requests.append(request)
        path = request.url.removeprefix(BASE).partition("?")[0].rpartition("/")
        key = f"{request.method} {path[2]}"
        lines = self.answers.get(key) or self.answers[request.method]
        line = lines.pop(0) if len(lines) > 1 else lines[0]
        return line if isinstance(line, Response) else line(request)


def service(**answers: list[Any]) -> tuple[ContainerInstanceManagementClient, Service]:
    transport = Service({key.replace("_", " "): lines for key, lines in answers.items()})
    aci = ContainerInstanceManagementClient(StaticTokenCredential("t"), SUBSCRIPTION, BASE, transport=transport)
    clocked(aci)
    return aci, transport


def log(*lines: str) -> Response:
    return answer(200, {"content": "".join(f"{line}\n" for line in lines)})


DONE = view("Terminated", exitCode=0, startTime="2026-01-01T00:00:00Z", finishTime="2026-01-01T00:00:02.5Z")
FAILED = view("Terminated", exitCode=3, detailStatus="Error")
FOLDER = answer(200, {"name": "hythe", "location": "eastus"})


async def test_waits_for_a_state() -> None:
    aci, transport = service(
        GET_web=[answer(200, group("Pending", c=view("Waiting"))), answer(200, group("Running", c=view("Running")))]
    )
    assert (await aci.group("web").wait()).instance_view.state == "Running"
    assert len(transport.requests) == 2
    assert "/resourceGroups/hythe/" in transport.requests[0].url
    assert await aci.group("web").state() == "Running"


async def test_a_group_that_ended_otherwise_is_explained() -> None:
    aci, _ = service(GET_web=[answer(200, group("Failed", c=FAILED))], GET_logs=[log("boom")])
    with pytest.raises(
        OperationFailed, match=r"container 'c' \(i\) ended with exit code 3.*log ends with: boom"
    ) as caught:
        await aci.group("web").wait("Running")
    assert caught.value.code == "GroupFailed"
    assert (await aci.group("web").wait("Terminated")).name == "web"


async def test_waiting_ends_when_its_time_is_over() -> None:
    aci, _ = service(GET_web=[answer(200, group("Pending"))])
    with pytest.raises(StillRunning, match="it is Pending, not Running"):
        await aci.group("web").wait(timeout=3)
    assert 2 < sum(aci._session.clock.naps) <= 3


async def test_why() -> None:
    waiting = view("Waiting", detailStatus="CrashLoopBackOff: Back-off restarting failed")
    waiting |= {"restartCount": 4, "previousState": FAILED["currentState"]}
    aci, _ = service(GET_web=[answer(200, group("Running", c=waiting, d=view("Running")))], GET_logs=[log("a", "boom")])
    said = await aci.group("web").why()
    assert "container 'c' (i) ended with exit code 3; now it waits: CrashLoopBackOff" in said
    assert "restarted 4 times" in said and "a | boom" in said and "'d'" not in said


async def test_a_log_line_by_line() -> None:
    aci, transport = service(
        GET_web=[answer(200, group("Running", c=view("Running"), d=view("Running")))],
        GET_logs=[log("2026-01-01T00:00:01Z one", "2026-01-01T00:00:02Z two")],
    )
    lines = [line async for line in aci.group("web").logs("c", tail=2)]
    assert [(line.container, line.text) for line in lines] == [("c", "one"), ("c", "two")]
    assert [str(line) async for line in aci.group("web").logs()] == ["one", "two"] * 2
    assert "tail=2&timestamps=true" in transport.requests[1].url


async def test_the_log_of_the_previous_run() -> None:
    def said(request: Request) -> Response:
        if "previous=true" not in request.url:
            return log("2026-01-01T00:00:09Z new")
        if "/d/" in request.url:
            return fault(404, "ContainerLogNotAvailable")
        return log("2026-01-01T00:00:01Z old") if "timestamps=true" in request.url else log("old")

    aci, transport = service(
        GET_web=[answer(200, group("Running", c=view("Running"), d=view("Running")))], GET_logs=[said]
    )
    web = aci.group("web")
    assert await web.log(previous=True, tail=3) == "old\n"
    assert "tail=3&previous=true" in transport.requests[-1].url
    assert [(line.container, line.text) async for line in web.logs(previous=True)] == [("c", "old")]
    with pytest.raises(NotFound):
        await web.log("d", previous=True)
    with pytest.raises(NotFound):
        [line async for line in web.logs("d", previous=True)]
    with pytest.raises(ValueError, match="it has ended"):
        web.logs(follow=True, previous=True)


async def test_azure_has_no_log_of_a_previous_run() -> None:
    transport = FakeTransport()
    aci = ContainerInstanceManagementClient(StaticTokenCredential("t"), SUBSCRIPTION, transport=transport)
    with pytest.raises(NotOffered, match="Azure gives that of the newest only"):
        await aci.group("web").log(previous=True)
    with pytest.raises(NotOffered, match="Log Analytics"):
        aci.group("web").logs(previous=True)
    assert not transport.requests


async def test_a_container_that_is_not_there_has_no_log() -> None:
    aci, _ = service(GET_web=[answer(200, group("Running", c=view("Running"), d=view("Running")))])
    with pytest.raises(NotFound, match="no such container; it has c, d"):
        [line async for line in aci.group("web").logs("x")]


async def test_following_ends_with_the_container_and_gives_each_line_once() -> None:
    running, ended = answer(200, group("Running", c=view("Running"))), answer(200, group("Succeeded", c=DONE))
    first, second = "2026-01-01T00:00:01.5Z one", "2026-01-01T00:00:02Z two"
    half = answer(200, {"content": f"{first}\n2026-01-01T00:00:02Z tw"})
    aci, _ = service(
        GET_web=[running, running, running, ended],
        GET_logs=[fault(404, "ContainerLogNotAvailable"), half, log(first, second), log(first, second)],
    )
    assert [line.text async for line in aci.group("web").logs(follow=True)] == ["one", "two"]


async def test_following_a_group_that_is_deleted_ends() -> None:
    aci, _ = service(
        GET_web=[answer(200, group("Running", c=view("Running"))), fault(404, "ResourceNotFound")],
        GET_logs=[log("2026-01-01T00:00:01Z one")],
    )
    assert [line.text async for line in aci.group("web").logs(follow=True)] == ["one"]


async def test_verbs_of_a_group() -> None:
    aci, transport = service(POST=[answer(204)], DELETE=[answer(204)], GET_logs=[log("x")], GET_web=[
        answer(200, group("Running", c=view("Running")))])  # fmt: skip
    web = aci.group("web", "rg")
    await web.start()
    await web.restart()
    await web.stop()
    assert await web.log() == "x\n"
    assert await web.delete() is None
    assert [request.method for request in transport.requests] == ["POST", "POST", "POST", "GET", "GET", "DELETE"]
    assert repr(web) == "Group('web', resource_group='rg')"


def echo(request: Request) -> Response:
    """Say that the group which was sent has been made."""
    body = json.loads(request.body)
    body["properties"]["provisioningState"] = "Succeeded"
    return answer(201, body)


async def test_runs_a_command_and_cleans_up() -> None:
    aci, transport = service(
        GET_hythe=[FOLDER], PUT=[echo], GET_logs=[answer(200, {"content": "hi\n"})], DELETE=[answer(204)],
        GET=[answer(200, group("Running", task=view("Running"))), answer(200, group("Succeeded", task=DONE))],
    )  # fmt: skip
    result = await aci.run("alpine", "echo 'a b'", environment={"A": "1"}, secrets={"B": "s3cret"}, cpu=0.5)
    assert (result.exit_code, result.ok, result.log, result.state) == (0, True, "hi\n", "Succeeded")
    assert result.duration.total_seconds() == 2.5
    put = next(request for request in transport.requests if request.method == "PUT")
    sent = json.loads(put.body)
    assert sent["location"] == "eastus"
    assert sent["properties"]["restartPolicy"] == "Never"
    (container,) = sent["properties"]["containers"]
    assert container["properties"]["command"] == ["echo", "a b"]
    assert container["properties"]["environmentVariables"] == [
        {"name": "A", "value": "1"}, {"name": "B", "secureValue": "s3cret"},
    ]  # fmt: skip
    assert container["properties"]["resources"]["requests"] == {"cpu": 0.5, "memoryInGB": 1.5}
    assert transport.requests[-1].method == "DELETE"
    assert transport.requests[-1].url.partition("?")[0] == put.url.partition("?")[0]


async def test_what_cannot_run_is_cleaned_up_too() -> None:
    aci, transport = service(GET_hythe=[FOLDER], PUT=[fault(400, "InaccessibleImage")], DELETE=[answer(204)])
    with pytest.raises(Exception, match="InaccessibleImage"):
        await aci.run("nothing", ["x"])
    assert transport.requests[-1].method == "DELETE"


async def test_a_task_that_takes_too_long_is_stopped() -> None:
    aci, transport = service(
        GET_hythe=[FOLDER], PUT=[echo], DELETE=[answer(204)], GET=[answer(200, group("Running", task=view("Running")))]
    )
    with pytest.raises(StillRunning):
        await aci.run("alpine", "sleep 99", timeout=5)
    assert transport.requests[-1].method == "DELETE"


async def test_a_name_that_is_taken_is_not_taken_away() -> None:
    aci, transport = service(GET_hythe=[FOLDER], GET_web=[answer(200, group("Running"))])
    with pytest.raises(ValueError, match="there is one"):
        await aci.run("alpine", "true", name="web")
    assert {request.method for request in transport.requests} == {"GET"}


async def test_a_kept_group_stays() -> None:
    aci, transport = service(
        GET_hythe=[FOLDER], GET_logs=[fault(404, "ContainerLogNotAvailable")], PUT=[echo],
        GET_web=[fault(404, "ResourceNotFound"), answer(200, group("Failed", task=FAILED))],
    )  # fmt: skip
    result = await aci.run("alpine", None, name="web", keep=True)
    assert (result.exit_code, result.log, result.detail, result.ok) == (3, "", "Error", False)
    assert "DELETE" not in {request.method for request in transport.requests}


async def test_an_option_that_there_is_not() -> None:
    aci, _ = service(GET_hythe=[FOLDER], DELETE=[answer(204)])
    with pytest.raises(TypeError, match="known are"):
        await aci.run("alpine", "true", memory=3)


async def test_maps_in_order_with_retries() -> None:
    tried: dict[str, int] = {}
    command: dict[str, str] = {}

    def put(request: Request) -> Response:
        name = request.url.partition("?")[0].rpartition("/")[2]
        command[name] = json.loads(request.body)["properties"]["containers"][0]["properties"]["command"][0]
        tried[command[name]] = tried.get(command[name], 0) + 1
        return echo(request)

    def get(request: Request) -> Response:
        word = command[request.url.partition("?")[0].rpartition("/")[2]]
        ended = FAILED if word == "never" or (word == "second" and tried[word] < 2) else DONE
        return answer(200, group("Failed" if ended is FAILED else "Succeeded", task=ended))

    aci, _ = service(GET_hythe=[FOLDER], PUT=[put], GET=[get], DELETE=[answer(204)], GET_logs=[log("x")])
    seen: list[tuple[int, int]] = []
    results = await aci.map(
        "alpine", ["first", "second", "never"], parallel=2, retries=2,
        on_result=lambda done, every, result: seen.append((done, every)),
    )  # fmt: skip
    assert [(result.exit_code, result.attempts) for result in results] == [(0, 1), (0, 2), (3, 3)]
    assert sorted(seen) == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(ValueError, match="parallel"):
        await aci.map("alpine", [], parallel=0)


async def test_a_map_outlasts_what_passes_and_keeps_the_results_of_others() -> None:
    full = fault(409, "ContainerGroupQuotaReached", "no room")
    lines: dict[str, list[Any]] = {"second": [full, full, echo], "never": [full] * 3}
    command: dict[str, str] = {}

    def put(request: Request) -> Response:
        word = json.loads(request.body)["properties"]["containers"][0]["properties"]["command"][0]
        command[request.url.partition("?")[0].rpartition("/")[2]] = word
        line = lines[word].pop(0) if word in lines else echo
        return line(request) if callable(line) else line

    def get(request: Request) -> Response:
        return answer(200, group("Succeeded", task=DONE))

    aci, _ = service(GET_hythe=[FOLDER], PUT=[put], GET=[get], DELETE=[answer(204)], GET_logs=[log("x")])
    first, second, never = await aci.map("alpine", ["first", "second", "never"], parallel=1, retries=2)
    assert [(each.exit_code, each.attempts) for each in (first, second)] == [(0, 1), (0, 3)]
    assert (never.exit_code, never.state, never.attempts) == (None, "Failed", 3) and "no room" in never.detail


async def test_a_map_that_cannot_go_on_raises() -> None:
    aci, _ = service(GET_hythe=[FOLDER], PUT=[fault(400, "InvalidX")], DELETE=[answer(204)])
    with pytest.raises(Exception, match="InvalidX"):
        await aci.map("alpine", ["a", "b", "c"])


async def test_a_resource_group_is_made_if_there_is_none() -> None:
    aci, transport = service(GET_hythe=[fault(404, "ResourceGroupNotFound")], PUT=[answer(201, {"location": "local"})])
    assert await aci.ensure_resource_group("hythe") == "local"
    assert transport.requests[1].body == b'{"location":"local"}'
    azure = ContainerInstanceManagementClient(
        StaticTokenCredential("t"), "s", transport=FakeTransport(fault(404, "ResourceGroupNotFound"))
    )
    with pytest.raises(ValueError, match="give location="):
        await azure.ensure_resource_group("hythe")


async def test_what_a_group_uses() -> None:
    named = group("Running", a=view("Running")) | {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/hythe/x/web"}
    used = {"networkBytesReceivedPerSecond": 5.0, "containers": [{"name": "a", "cpuMillicores": 500.0}]}
    aci, transport = service(GET_web=[answer(200, named)], GET_stats=[answer(200, used)])
    usage = await aci.group("web").top()
    assert (usage.name, usage.cpu, usage.network_received) == ("web", 0.5, 5.0)
    assert "/web/stats?" in transport.requests[1].url and "seconds=60" in transport.requests[1].url


async def test_what_a_group_uses_on_azure() -> None:
    named = group("Running", a=view("Running")) | {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/hythe/x/web"}
    data = [{"timeStamp": "t", "average": 250.0}, {"timeStamp": "t"}]
    tags = [{"name": {"value": "containername"}, "value": "a"}]
    cpu = {"name": {"value": "CpuUsage"}, "timeseries": [{"metadatavalues": tags, "data": data}]}
    sent = {"name": {"value": "NetworkBytesTransmittedPerSecond"}, "timeseries": [{"data": data}]}
    transport = FakeTransport(answer(200, named), answer(200, {"value": [cpu]}), answer(200, {"value": [sent]}))
    azure = ContainerInstanceManagementClient(StaticTokenCredential("t"), SUBSCRIPTION, transport=transport)
    usage = await azure.group("web").top()
    assert (usage.cpu, usage.network_sent, usage.network_received) == (0.25, 250.0, None)
    by_container, by_group = (request.url for request in transport.requests[1:])
    assert "/web/providers/Microsoft.Insights/metrics?" in by_container and "containerName" in by_container
    assert "NetworkBytes" in by_group and "containerName" not in by_group  # Azure refuses both at once


async def test_figures_that_can_not_be_had() -> None:
    aci, _ = service(
        GET_web=[answer(200, group("Running", a=view("Running")) | {"id": "/subscriptions/s/web"})],
        GET_stats=[fault(404, "ResourceNotFound")],
    )
    with pytest.raises(NotFound, match="what container group 'web' uses"):
        await aci.group("web").top()
