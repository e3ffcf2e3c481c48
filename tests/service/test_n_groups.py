"""NGroups through the API, on the simulated engine."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.sim import Outcome
from hythe.service.settings import ServiceSettings

from .harness import FOLDER, GROUPS, SUBSCRIPTION, Reply, Service, container, group, running

PROVIDER = f"{FOLDER}/providers/Microsoft.ContainerInstance"
PROFILES = f"{PROVIDER}/containerGroupProfiles"
SETS = f"{PROVIDER}/ngroups"
NEW = "2025-09-01"
EXAMPLES = Path(__file__).parents[3] / "shared" / "contract" / "examples-2026-07-01"


def n_groups(count: int | None = 3, profile: str = "p", *, revision: int | None = None, **more: Any) -> dict[str, Any]:
    """Define a set; ``more`` are properties, but for zones and tags."""
    outer = {name: more.pop(name) for name in ("zones", "tags") if name in more}
    stub: dict[str, Any] = {"resource": {"id": f"{PROFILES}/{profile}"}}
    if revision:
        stub["revision"] = revision
    elastic = {"desiredCount": count} if count is not None else {}
    return outer | {
        "location": "eastus",
        "properties": {
            "elasticProfile": elastic | more.pop("elastic", {}),
            "containerGroupProfiles": [stub],
        }
        | more,
    }


def rolling(**settings: object) -> dict[str, Any]:
    return {"updateProfile": {"updateMode": "Rolling", "rollingUpdateProfile": settings}}


async def profile(service: Service, name: str = "p", **properties: object) -> None:
    body = group(container(**properties))
    assert (await service.ask("PUT", f"{PROFILES}/{name}", body, version=NEW)).status in (200, 201)


async def ended(service: Service, reply: Reply) -> Any:
    """Wait for the end of an operation."""
    monitor = reply.headers.get("azure-asyncoperation")
    if monitor is None:
        return {"status": "Succeeded"}
    for _ in range(20):
        answer = await service.ask("GET", monitor)
        if answer.json["status"] != "Pending":
            return answer.json
    raise AssertionError("never ended")


async def put(service: Service, body: dict[str, Any], name: str = "s") -> Reply:
    reply = await service.ask("PUT", f"{SETS}/{name}", body, version=NEW)
    assert reply.status in (200, 201), reply.json
    assert (await ended(service, reply))["status"] == "Succeeded"
    return reply


async def members(service: Service) -> list[dict[str, Any]]:
    return list((await service.ask("GET", GROUPS, version=NEW)).json["value"])


async def shown(service: Service, name: str = "s") -> Any:
    return (await service.ask("GET", f"{SETS}/{name}", version=NEW)).json


async def until(service: Service, count: int, *, other_than: set[str] = frozenset()) -> list[dict[str, Any]]:  # type: ignore[assignment]
    """Wait until a number of groups runs, none of them among some names."""
    found: list[dict[str, Any]] = []
    for _ in range(200):
        found = await members(service)
        ready = [one for one in found if one["properties"]["provisioningState"] == "Succeeded"]
        if len(found) == len(ready) == count and not {one["name"] for one in found} & other_than:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"never {count}: {found}")


async def test_put_makes_ordinary_groups_from_a_profile() -> None:
    async with running({"web": Outcome(log="hello")}) as service:
        await service.make_folder()
        await profile(service, command=["serve"])

        reply = await put(
            service, n_groups(3, elastic={"containerGroupNamingPolicy": {"guidNamingPolicy": {"prefix": "cg-"}}})
        )

        groups = await members(service)
        got = await service.ask("GET", f"{GROUPS}/{groups[0]['name']}", version=NEW)
        log = await service.ask("GET", f"{GROUPS}/{groups[0]['name']}/containers/web/logs")
    assert (reply.status, reply.json["type"]) == (201, "Microsoft.ContainerInstance/ngroups")
    assert len(groups) == 3
    assert all(one["name"].startswith("cg-") and len(one["name"]) == 39 for one in groups)
    assert got.json["properties"]["instanceView"]["state"] == "Running"
    assert got.json["properties"]["orchestratorId"] == f"{SETS}/s"
    assert got.json["properties"]["containerGroupProfile"] == {"id": f"{PROFILES}/p", "revision": 1}
    assert got.json["properties"]["containers"][0]["properties"]["command"] == ["serve"]
    assert log.json == {"content": "hello"}


@pytest.mark.proves("NGroups_Get")
async def test_a_done_set_shows_its_state_and_the_revision_that_it_took() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await profile(service)
        await put(service, n_groups(1))
        set_ = await shown(service)
    assert set_["properties"]["provisioningState"] == "Succeeded"
    assert set_["properties"]["elasticProfile"] == {"desiredCount": 1}
    assert set_["properties"]["containerGroupProfiles"] == [{"resource": {"id": f"{PROFILES}/p"}, "revision": 2}]


@pytest.mark.proves("NGroups_CreateOrUpdate")
async def test_put_again_scales_out_and_in() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(2))
        two = {one["name"] for one in await members(service)}

        wider = await put(service, n_groups(5))
        five = {one["name"] for one in await members(service)}
        await put(service, n_groups(1))
        one = {each["name"] for each in await members(service)}
    assert wider.status == 200
    assert (len(two), len(five), len(one)) == (2, 5, 1)
    assert two < five
    assert one < five


async def test_zones_are_spread_and_can_be_added_only() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(4, zones=["1", "2"]))
        two = Counter(one["zones"][0] for one in await members(service))

        await put(service, n_groups(6, zones=["1", "2", "3"]))
        three = Counter(one["zones"][0] for one in await members(service))
        removed = await service.ask("PUT", f"{SETS}/s", n_groups(6, zones=["1"]), version=NEW)
    assert two == {"1": 2, "2": 2}
    assert three == {"1": 2, "2": 2, "3": 2}
    assert (removed.status, removed.code) == (400, "InvalidNGroupsUpdate")


async def test_a_group_that_somebody_deletes_lowers_the_count() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(3))
        name = (await members(service))[0]["name"]

        await service.ask("DELETE", f"{GROUPS}/{name}")

        await until(service, 2)
        await asyncio.sleep(0.05)
        left = await members(service)
        count = (await shown(service))["properties"]["elasticProfile"]["desiredCount"]
    assert (len(left), count) == (2, 2)


async def test_a_group_that_somebody_deletes_is_replaced_if_the_count_is_maintained() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(3, elastic={"maintainDesiredCount": True}))
        name = (await members(service))[0]["name"]

        await service.ask("DELETE", f"{GROUPS}/{name}")

        await until(service, 3, other_than={name})
        count = (await shown(service))["properties"]["elasticProfile"]["desiredCount"]
    assert count == 3


async def test_omitting_whether_the_count_is_maintained_does_not_reset_it() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(1, elastic={"maintainDesiredCount": True}))

        await put(service, n_groups(2))
        kept = (await shown(service))["properties"]["elasticProfile"]
        await put(service, n_groups(None, elastic={"maintainDesiredCount": False}))
        reset = (await shown(service))["properties"]["elasticProfile"]
    assert kept == {"desiredCount": 2, "maintainDesiredCount": True}
    assert reset == {"desiredCount": 2, "maintainDesiredCount": False}


@pytest.mark.proves("NGroups_Update")
async def test_patch_changes_what_it_names() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(1, tags={"a": "b"}, elastic={"maintainDesiredCount": True}))

        tags = await service.ask("PATCH", f"{SETS}/s", {"tags": {"c": "d"}}, version=NEW)
        wider = await service.ask(
            "PATCH", f"{SETS}/s", {"properties": {"elasticProfile": {"desiredCount": 3}}}, version=NEW
        )
        await ended(service, wider)
        found = await members(service)
        set_ = await shown(service)
        wrong = await service.ask(
            "PATCH", f"{SETS}/s", {"properties": {"elasticProfile": {"desiredCount": -1}}}, version=NEW
        )
    assert (tags.status, tags.json["tags"]) == (200, {"c": "d"})
    assert wider.status in (200, 202)
    assert len(found) == 3
    assert set_["tags"] == {"c": "d"}
    assert set_["properties"]["elasticProfile"] == {"desiredCount": 3, "maintainDesiredCount": True}
    assert (wrong.status, wrong.code) == (400, "InvalidNGroupsProperty")


async def test_a_slow_patch_answers_202_with_both_headers() -> None:
    async with running(settings=ServiceSettings(answer_seconds=0.0, hold_seconds=5)) as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(1))

        reply = await service.ask(
            "PATCH", f"{SETS}/s", {"properties": {"elasticProfile": {"desiredCount": 2}}}, version=NEW
        )
        by_location = await service.ask("GET", reply.headers["location"])
    assert (reply.status, reply.raw, reply.headers["retry-after"]) == (202, b"", "1")
    assert "/locations/eastus/operationStatuses/" in reply.headers["azure-asyncoperation"]
    assert reply.headers["azure-asyncoperation"].endswith(f"?api-version={NEW}")
    assert by_location.status == 200


async def test_manual_mode_leaves_groups_as_they_are_and_new_ones_follow() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service, command=["one"])
        await put(service, n_groups(2))
        await profile(service, command=["two"])

        await put(service, n_groups(3))

        commands = Counter(
            one["properties"]["containers"][0]["properties"]["command"][0] for one in await members(service)
        )
    assert commands == {"one": 2, "two": 1}


@pytest.mark.parametrize("in_place", [False, True])
async def test_rolling_mode_updates_every_group(in_place: bool) -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service, command=["one"])
        await put(service, n_groups(4, **rolling()))
        before = {one["name"] for one in await members(service)}
        await profile(service, command=["two"])

        await put(service, n_groups(4, **rolling(maxBatchPercent=50, inPlaceUpdate=in_place)))

        after = await members(service)
    assert {one["properties"]["containers"][0]["properties"]["command"][0] for one in after} == {"two"}
    assert len(after) == 4
    assert ({one["name"] for one in after} == before) is in_place


async def test_a_rolling_update_that_goes_wrong_ends_early_and_says_so() -> None:
    async with running({"bad": Outcome(runs_for=0.0, exit_code=1)}) as service:
        await service.make_folder()
        await service.ask("PUT", f"{PROFILES}/p", group(container(), restartPolicy="Never"), version=NEW)
        careful = rolling(maxBatchPercent=25, pauseTimeBetweenBatches="PT0.05S")
        await put(service, n_groups(4, **careful))
        await service.ask("PUT", f"{PROFILES}/p", group(container(image="bad"), restartPolicy="Never"), version=NEW)

        reply = await service.ask("PUT", f"{SETS}/s", n_groups(4, **careful), version=NEW)
        result = await ended(service, reply)

        images = Counter(one["properties"]["containers"][0]["properties"]["image"] for one in await members(service))
        state = (await shown(service))["properties"]["provisioningState"]
    assert (result["status"], result["error"]["code"]) == ("Failed", "NGroupsFailed")
    assert "ended early" in result["error"]["message"]
    assert images == {"image": 3, "bad": 1}
    assert state == "Failed"


@pytest.mark.proves("NGroups_Stop", "NGroups_Start", "NGroups_Restart")
async def test_stop_start_and_restart_reach_every_group() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(2))

        async def states() -> set[str]:
            names = [one["name"] for one in await members(service)]
            bodies = [(await service.ask("GET", f"{GROUPS}/{name}")).json for name in names]
            return {body["properties"]["instanceView"]["state"] for body in bodies}

        stop = await service.ask("POST", f"{SETS}/s/stop", version=NEW)
        stopped = await states()
        again = await service.ask("POST", f"{SETS}/s/stop", version=NEW)
        refused = await service.ask("POST", f"{SETS}/s/restart", version=NEW)
        start = await service.ask("POST", f"{SETS}/s/start", version=NEW)
        await ended(service, start)
        started = await states()
        epochs = [one.epoch for one in service.store.members(f"{SETS}/s")]
        restart = await service.ask("POST", f"{SETS}/s/restart", version=NEW)
        result = await ended(service, restart)
        later = [one.epoch for one in service.store.members(f"{SETS}/s")]
    assert (stop.status, stopped, again.status) == (204, {"Stopped"}, 204)
    assert (refused.status, refused.code) == (409, "ContainerGroupStopped")
    assert (start.status, started) == (202, {"Running"})
    assert (restart.status, result["status"]) == (202, "Succeeded")
    assert later == [epoch + 1 for epoch in epochs]
    assert {"azure-asyncoperation", "location", "retry-after"} <= start.headers.keys()


async def test_start_of_a_running_set_restarts_nothing() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(2))
        before = [one.epoch for one in service.store.members(f"{SETS}/s")]

        start = await service.ask("POST", f"{SETS}/s/start", version=NEW)
        result = await ended(service, start)

        after = [one.epoch for one in service.store.members(f"{SETS}/s")]
    assert (start.status, result["status"]) == (202, "Succeeded")
    assert after == before


@pytest.mark.proves("NGroups_Delete")
async def test_delete_takes_the_groups_along() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(3))
        await service.ask("PUT", f"{GROUPS}/mine", group())

        reply = await service.ask("DELETE", f"{SETS}/s", version=NEW)
        result = await ended(service, reply)
        again = await service.ask("DELETE", f"{SETS}/s", version=NEW)

        left = [one["name"] for one in await members(service)]
        engine = len(service.engine.groups)
    assert (reply.status, reply.raw, result["status"], again.status) == (202, b"", "Succeeded", 204)
    assert (left, engine) == (["mine"], 1)


async def test_deleting_the_resource_group_takes_set_and_groups_along() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(3, elastic={"maintainDesiredCount": True}))

        reply = await service.ask("DELETE", FOLDER, version="2021-04-01")
        end = await service.ask("GET", reply.headers["location"])
    assert end.status == 200
    assert service.engine.groups == {}


async def test_groups_are_told_their_name_and_their_set() -> None:
    tags = {
        "metadata.container.environmentVariable.containerGroupName": "true",
        "metadata.container.environmentVariable.orchestratorId": True,
        "other": "x",
    }
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(1, tags=tags))
        (one,) = await members(service)
        again = await service.ask("PUT", f"{GROUPS}/{one['name']}", one, version=NEW)
    variables = one["properties"]["containers"][0]["properties"]["environmentVariables"]
    assert variables == [
        {"name": "ContainerGroupName", "value": one["name"]},
        {"name": "OrchestratorId", "value": f"{SETS}/s"},
    ]
    assert again.status == 200
    assert again.json["properties"]["orchestratorId"] == f"{SETS}/s"


async def test_groups_that_cannot_be_made_fail_the_operation() -> None:
    async with running({"gone": Outcome(pull_error="no such image")}) as service:
        await service.make_folder()
        await profile(service, image="gone")

        reply = await service.ask("PUT", f"{SETS}/s", n_groups(2), version=NEW)
        result = await ended(service, reply)

        await profile(service)
        await put(service, n_groups(2))
        found = await members(service)
    assert reply.status == 201
    assert (result["status"], result["error"]["code"]) == ("Failed", "InaccessibleImage")
    assert len(found) == 2


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (n_groups(-1), ["InvalidNGroupsProperty"]),
        (n_groups(1, profile="none"), ["ContainerGroupProfileNotFound"]),
        (n_groups(1, elastic={"containerGroupNamingPolicy": {"guidNamingPolicy": {"prefix": "UP"}}}),
         ["InvalidNGroupsProperty"]),
        (n_groups(1, **rolling(maxBatchPercent=0, pauseTimeBetweenBatches="soon")),
         ["InvalidNGroupsProperty", "InvalidNGroupsProperty"]),
        (n_groups(1, placementProfile={"faultDomainCount": 2}), ["FeatureNotSupported"]),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_and_nothing_is_made(body: dict[str, Any], codes: list[str]) -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        reply = await service.ask("PUT", f"{SETS}/s", body, version=NEW)
        missing = await service.ask("GET", f"{SETS}/s", version=NEW)
    error = reply.json["error"]
    assert reply.status == 400
    assert [each["code"] for each in error.get("details", [error])] == codes
    assert missing.status == 404


@pytest.mark.proves("NGroups_List", "NGroups_ListByResourceGroup")
async def test_lists_show_sets_of_a_subscription_and_of_a_resource_group() -> None:
    async with running() as service:
        await service.make_folder()
        await profile(service)
        await put(service, n_groups(0), "a")
        await put(service, n_groups(0), "b")
        inside = await service.ask("GET", SETS, version=NEW)
        every = await service.ask("GET", SETS.replace("/resourceGroups/rg", ""), version=NEW)
    assert [each["name"] for each in inside.json["value"]] == ["a", "b"]
    assert every.json == inside.json


async def test_the_examples_of_the_contract() -> None:
    if not EXAMPLES.exists():
        pytest.skip("the contract is not beside the checkout")
    example = json.loads((EXAMPLES / "NGroupsCreateOrUpdate.json").read_text())
    body = example["parameters"]["NGroup"]
    async with running() as service:
        folder = FOLDER.replace("rg", "demo")
        await service.make_folder(folder)
        path = f"{folder}/providers/Microsoft.ContainerInstance/ngroups/demo-ngroup"
        reply = await service.ask("PUT", path, body, version="2026-07-01")
        again = await service.ask("PUT", path, body, version="2026-07-01")
    expected = example["responses"]["201"]["body"]
    expected["id"] = expected["id"].replace("00000000-0000-0000-0000-000000000000", SUBSCRIPTION)
    assert (reply.status, again.status) == (201, 200)
    assert reply.json == again.json == expected
