"""Container groups through the API, on the simulated engine."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hythe.engines.base import Action, Happened, Observed, Want
from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.service.control.status import Memory
from hythe.service.kinds.container_groups import ContainerGroups
from hythe.service.settings import ServiceSettings
from hythe.service.streams import logs
from hythe.wire import versions

from .harness import FOLDER, GROUPS, OTHER, SUBSCRIPTION, Service, container, group, running


async def until(service: Service, path: str, state: str) -> dict:
    """Read a group until it is in a state."""
    for _ in range(200):
        reply = await service.ask("GET", path)
        if reply.json["properties"]["instanceView"]["state"] == state:
            return reply.json
        await asyncio.sleep(0.01)
    raise AssertionError(f"never {state}: {reply.json}")


async def test_put_answers_201_with_a_running_group_and_nothing_to_poll() -> None:
    async with running() as service:
        await service.make_folder()

        reply = await service.ask("PUT", f"{GROUPS}/web", group())

    properties = reply.json["properties"]
    assert reply.status == 201
    assert properties["provisioningState"] == "Succeeded"
    assert properties["containers"][0]["properties"]["instanceView"]["currentState"]["state"] == "Running"
    assert "azure-asyncoperation" not in reply.headers


@pytest.mark.proves("ContainerGroups_CreateOrUpdate", "ContainerGroups_Get")
async def test_second_put_answers_200_and_keeps_what_did_not_change() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group(container("a"), container("b")))
        before = (await service.ask("GET", f"{GROUPS}/web")).json

        reply = await service.ask("PUT", f"{GROUPS}/web", group(container("a"), container("b", command=["x"])))

        after = (await service.ask("GET", f"{GROUPS}/web")).json
    assert reply.status == 200

    def begun(body: dict) -> list[str]:
        every = body["properties"]["containers"]
        return [one["properties"]["instanceView"]["currentState"]["startTime"] for one in every]

    assert begun(before)[0] == begun(after)[0]
    assert begun(before)[1] != begun(after)[1]


async def test_slow_group_answers_with_a_monitor_that_is_held_until_the_end() -> None:
    class Slow(SimulatedEngine):
        async def act(self, want: Want, seen: Observed, action: Action) -> tuple[Happened, ...]:
            await asyncio.sleep(0.03)
            return await super().act(want, seen, action)

    settings = ServiceSettings(answer_seconds=0.001, hold_seconds=5)
    async with running(engine=Slow(), settings=settings) as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", group())
        monitor = reply.headers["azure-asyncoperation"]

        ended = await service.ask("GET", monitor)

    assert (reply.status, reply.json["properties"]["provisioningState"]) == (201, "Pending")
    assert reply.headers["retry-after"] == "1"
    assert monitor.endswith("?api-version=2018-06-01")
    assert ended.json["status"] == "Succeeded"
    assert ended.json["id"].endswith("/containerGroups/web")
    assert "retry-after" not in ended.headers


@pytest.mark.proves("Containers_ListLogs")
async def test_task_ends_and_its_log_stays() -> None:
    async with running({"task": Outcome(runs_for=0.01, exit_code=3, log="one\ntwo\n")}) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/t", group(container("task"), restartPolicy="Never"))

        body = await until(service, f"{GROUPS}/t", "Failed")
        log = await service.ask("GET", f"{GROUPS}/t/containers/task/logs", query="tail=1")

    state = body["properties"]["containers"][0]["properties"]["instanceView"]["currentState"]
    assert (state["state"], state["exitCode"], state["detailStatus"]) == ("Terminated", 3, "Error")
    assert body["properties"]["provisioningState"] == "Succeeded"
    assert log.json == {"content": "two\n"}


@pytest.mark.proves("ContainerGroups_Get")
@pytest.mark.parametrize(
    ("policy", "exit_code", "state"),
    [("Never", 0, "Succeeded"), ("Never", 1, "Failed"), ("OnFailure", 0, "Succeeded")],
)
async def test_group_state_follows_policy_and_exit_code(policy: str, exit_code: int, state: str) -> None:
    async with running({"task": Outcome(runs_for=0.0, exit_code=exit_code)}) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/t", group(container("task"), restartPolicy=policy))

        await until(service, f"{GROUPS}/t", state)


async def test_crash_loop_is_shown_as_waiting_with_the_end_before() -> None:
    async with running({"task": Outcome(runs_for=0.0, exit_code=1)}) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/t", group(container("task")))
        for _ in range(200):
            body = (await service.ask("GET", f"{GROUPS}/t")).json
            view = body["properties"]["containers"][0]["properties"]["instanceView"]
            if view["currentState"]["detailStatus"].startswith("CrashLoopBackOff"):
                break
            await asyncio.sleep(0.01)

    assert view["currentState"]["detailStatus"] == "CrashLoopBackOff: Back-off restarting failed"
    assert view["previousState"]["exitCode"] == 1
    assert view["restartCount"] == 1
    assert "BackOff" in [event["name"] for event in view["events"]]
    assert body["properties"]["instanceView"]["state"] == "Running"


@pytest.mark.proves("ContainerGroups_Stop", "ContainerGroups_Start", "ContainerGroups_Restart")
async def test_stop_start_and_restart() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())

        stopped = await service.ask("POST", f"{GROUPS}/web/stop")
        body = (await service.ask("GET", f"{GROUPS}/web")).json["properties"]
        refused = await service.ask("POST", f"{GROUPS}/web/restart")
        started = await service.ask("POST", f"{GROUPS}/web/start")
        old = await service.ask("POST", f"{GROUPS}/web/start", version="2018-10-01")
        restarted = await service.ask("POST", f"{GROUPS}/web/restart")
        after = (await service.ask("GET", f"{GROUPS}/web")).json["properties"]

    state = body["containers"][0]["properties"]["instanceView"]["currentState"]
    assert (stopped.status, started.status, old.status, restarted.status) == (204, 202, 204, 204)
    assert body["instanceView"]["state"] == "Stopped"
    assert state["detailStatus"] == "Container stopped per client request"
    assert (refused.status, refused.code) == (409, "ContainerGroupStopped")
    assert after["instanceView"]["state"] == "Running"
    assert after["containers"][0]["properties"]["instanceView"]["restartCount"] == 0


@pytest.mark.proves("ContainerGroups_List", "ContainerGroups_ListByResourceGroup")
async def test_lists_have_no_instance_view_and_keep_to_their_scope() -> None:
    other = f"/subscriptions/{OTHER}/resourceGroups/rg"
    second = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/second"
    async with running() as service:
        for folder in (FOLDER, other, second):
            await service.make_folder(folder)
            await service.ask("PUT", f"{folder}/providers/Microsoft.ContainerInstance/containerGroups/same", group())
        in_folder = (await service.ask("GET", GROUPS)).json["value"]
        in_subscription = (
            await service.ask(
                "GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/containerGroups"
            )
        ).json["value"]
        await service.ask("DELETE", f"{GROUPS}/same")
        left = await service.ask("GET", f"{other}/providers/Microsoft.ContainerInstance/containerGroups/same")

    assert len(in_folder) == 1
    assert len(in_subscription) == 2
    assert "instanceView" not in in_folder[0]["properties"]
    assert "instanceView" not in in_folder[0]["properties"]["containers"][0]["properties"]
    assert left.json["properties"]["instanceView"]["state"] == "Running"


@pytest.mark.proves("ContainerGroups_Delete")
async def test_delete_answers_with_what_was_and_then_204() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())

        first = await service.ask("DELETE", f"{GROUPS}/web")
        second = await service.ask("DELETE", f"{GROUPS}/web")
        missing = await service.ask("GET", f"{GROUPS}/web")
        left = service.engine.groups

    assert (first.status, first.json["name"]) == (200, "web")
    assert second.status == 204
    assert (missing.status, missing.code) == (404, "ResourceNotFound")
    assert left == {}


async def test_resource_group_takes_its_groups_along() -> None:
    async with running() as service:
        await service.make_folder()
        for name in ("a", "b", "c"):
            await service.ask("PUT", f"{GROUPS}/{name}", group())

        reply = await service.ask("DELETE", FOLDER, version="2021-04-01")
        ended = await service.ask("GET", reply.headers["location"])
        missing = await service.ask("GET", FOLDER, version="2021-04-01")
        left = service.engine.groups

    assert (reply.status, ended.status) == (202, 200)
    assert missing.code == "ResourceGroupNotFound"
    assert left == {}


async def test_secrets_are_in_no_answer_and_not_in_the_database_in_clear() -> None:
    body = group(
        container(environmentVariables=[{"name": "A", "secureValue": "hush-1"}, {"name": "B", "value": "shown"}]),
        imageRegistryCredentials=[{"server": "r.example", "username": "u", "password": "hush-2"}],
    )
    async with running() as service:
        await service.make_folder()
        made = await service.ask("PUT", f"{GROUPS}/web", body)
        got = await service.ask("GET", f"{GROUPS}/web")
        row = service.store.opened(f"{GROUPS}/web".lower())
        want = service.groups.want(row, Memory())

    for raw in (made.raw, got.raw, row.spec, row.secrets, row.status):
        assert b"hush" not in raw
    assert {"name": "A"} in got.json["properties"]["containers"][0]["properties"]["environmentVariables"]
    assert want.group.containers[0].environment_variables[0].secure_value == "hush-1"
    assert "hush" not in repr(want)


@pytest.mark.proves("ContainerGroups_Update")
async def test_tags_are_replaced_and_nothing_restarts() -> None:
    async with running() as service:
        await service.make_folder()
        made = await service.ask("PUT", f"{GROUPS}/web", group() | {"tags": {"a": "1"}})
        patched = await service.ask("PATCH", f"{GROUPS}/web", {"tags": {"b": "2"}})

    assert (made.json["tags"], patched.json["tags"]) == ({"a": "1"}, {"b": "2"})
    assert made.json["properties"]["containers"] == patched.json["properties"]["containers"]


async def test_label_gives_a_name_that_nobody_else_gets() -> None:
    address = {"type": "Public", "dnsNameLabel": "hello", "ports": [{"port": 80}]}
    body = group(container(ports=[{"port": 80}]), ipAddress=address)
    async with running() as service:
        await service.make_folder()
        first = await service.ask("PUT", f"{GROUPS}/a", body)
        second = await service.ask("PUT", f"{GROUPS}/b", body)
        again = await service.ask("PUT", f"{GROUPS}/a", body)

    assert first.json["properties"]["ipAddress"]["fqdn"] == "hello.eastus.azurecontainer.localhost"
    assert (second.status, second.code) == (400, "DnsNameLabelAlreadyTaken")
    assert again.status == 200


async def test_reading_is_lenient() -> None:
    body = {
        "Location": "East US",
        "name": "web",
        "extended_location": None,
        "properties": {
            "OSTYPE": "linux",
            "restartpolicy": "never",
            "provisioningState": "Succeeded",
            "containers": [
                {
                    "name": "web",
                    "properties": {
                        "image": "image",
                        "ports": [{"port": "80", "protocol": "tcp"}],
                        "resources": {"requests": {"cpu": "1", "memoryInGb": 1.5}},
                        "instanceView": {"restartCount": 3},
                    },
                }
            ],
        },
    }
    double = GROUPS.replace("Microsoft.ContainerInstance/", "microsoft.containerinstance//").replace(
        "resourceGroups", "resourcegroups"
    )
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{double}/web", body)

    properties = reply.json["properties"]
    assert reply.status == 201
    assert properties["osType"] == "Linux"
    assert properties["restartPolicy"] == "Never"
    assert properties["containers"][0]["properties"]["ports"] == [{"protocol": "TCP", "port": 80}]
    assert properties["containers"][0]["properties"]["resources"]["requests"]["memoryInGB"] == 1.5


@pytest.mark.parametrize("version", versions.CONTAINER_INSTANCE)
async def test_every_published_version_is_accepted(version: str) -> None:
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", group(), version=version)

    assert reply.status == 201


async def test_empty_log_of_a_young_container_is_waited_for() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/t", group(container("task"), restartPolicy="Never"))
        uid = next(iter(service.engine.groups))

        async def write_later() -> None:
            await asyncio.sleep(0.05)
            service.engine.say(uid, "task", "words\n")

        writing = asyncio.create_task(write_later())
        reply = await service.ask("GET", f"{GROUPS}/t/containers/task/logs")
        await writing

    assert reply.json == {"content": "words\n"}


async def test_empty_log_is_not_waited_for_until_a_clock_that_was_set_back_has_caught_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "YOUNG_SECONDS", 0.1)
    async with running(engine=SimulatedEngine(clock=lambda: datetime.now(UTC) + timedelta(hours=1))) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        reply = await asyncio.wait_for(service.ask("GET", f"{GROUPS}/web/containers/web/logs"), 20)

    assert reply.json == {"content": ""}


async def test_empty_log_ends_with_the_container() -> None:
    async with running({"task": Outcome(runs_for=0.05)}) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/t", group(container("task"), restartPolicy="Never"))
        reply = await service.ask("GET", f"{GROUPS}/t/containers/task/logs")

    assert reply.json == {"content": ""}


async def test_tags_that_change_while_a_restart_asks_for_its_image_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group() | {"tags": {"a": "1"}})

        async def meanwhile(*_: object) -> None:
            assert (await service.ask("PATCH", f"{GROUPS}/web", {"tags": {"b": "2"}})).status == 200

        monkeypatch.setattr(ContainerGroups, "admit_again", meanwhile)
        assert (await service.ask("POST", f"{GROUPS}/web/restart")).status == 204
        assert (await service.ask("GET", f"{GROUPS}/web")).json["tags"] == {"b": "2"}


@pytest.mark.parametrize("others", [0, 1])
async def test_nothing_is_made_in_a_resource_group_that_goes_meanwhile(
    others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit, waiting, go_on = ContainerGroups.admit, asyncio.Event(), asyncio.Event()

    async def later(*parts: Any) -> Any:
        waiting.set()
        await go_on.wait()
        return await admit(*parts)

    async with running() as service:
        await service.make_folder()
        for number in range(others):
            await service.ask("PUT", f"{GROUPS}/g{number}", group(container("web")))
        monkeypatch.setattr(ContainerGroups, "admit", later)
        putting = asyncio.create_task(service.ask("PUT", f"{GROUPS}/web", group(container("web"))))
        await waiting.wait()
        if others:
            monkeypatch.setattr(service.engine, "forget", forgets_later(service.engine.forget, go_on))
        deleting = asyncio.create_task(service.ask("DELETE", FOLDER, version="2021-04-01"))
        await asyncio.sleep(0.05)
        go_on.set()
        made = await putting
        await deleting

        assert (made.status, made.code) in [(404, "ResourceGroupNotFound"), (409, "ResourceGroupBeingDeleted")]
        await service.loop.rest(0.05)
        assert service.engine.groups == {} and service.store.get(FOLDER.lower()) is None


def forgets_later(forget: Any, go_on: asyncio.Event) -> Any:
    async def forgets(uid: Any) -> None:
        await go_on.wait()
        await forget(uid)

    return forgets


async def test_a_resource_group_may_be_called_providers() -> None:
    folder = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/providers"
    async with running() as service:
        await service.make_folder(folder)
        path = f"{folder}/providers/Microsoft.ContainerInstance/containerGroups/web"
        assert (await service.ask("PUT", path, group(container("web")))).status == 201
        assert (await service.ask("DELETE", folder, version="2021-04-01")).status in (200, 202)
        await service.loop.rest(0.05)
        assert service.store.get(folder.lower()) is None and service.engine.groups == {}
