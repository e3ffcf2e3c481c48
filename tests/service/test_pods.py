"""Properties of a group beyond its containers: time to live, identity, provisioning time, tags."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hythe.engines.base import Observed, Uid
from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.models import ContainerPropertiesInstanceView, ContainerState
from hythe.service.control.expiry import ends_at
from hythe.service.duration import seconds
from hythe.service.settings import ServiceSettings
from hythe.service.store import SqlStore, View

from .harness import GROUPS, Service, container, group, running

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "found"),
    [("90", 90), ("0", 0), ("PT1H30M", 5400), ("P1D", 86400), ("PT0.5S", 0.5), ("soon", None), ("", None),
     ("-1", None), ("-PT1S", None), ("1e3", None), ("nan", None), ("9" * 20, None), ("P1Y", None)],
)  # fmt: skip
def test_durations(text: str, found: float | None) -> None:
    assert seconds(text) == found


def test_time_to_live_begins_with_the_last_end() -> None:
    def one(ago: int) -> ContainerPropertiesInstanceView:
        state = ContainerState(state="Terminated", finish_time=NOW - timedelta(seconds=ago))
        return ContainerPropertiesInstanceView(current_state=state)

    spec = json.dumps({"tags": {"hythe.ttl": "60"}}).encode()
    view = View(state="Succeeded", containers={"a": one(50), "b": one(20)})

    assert ends_at(spec, view, NOW) == NOW + timedelta(seconds=40)
    assert ends_at(spec, View(state="Running"), NOW) is None
    assert ends_at(b"{}", view, NOW) is None


async def gone(service: Service, path: str) -> bool:
    for _ in range(200):
        if (await service.ask("GET", path)).status == 404:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_task_deletes_itself_when_its_time_is_over() -> None:
    engine = SimulatedEngine({"task": Outcome(runs_for=0.0)})
    async with running(engine=engine) as service:
        await service.make_folder()
        body = group(container("task"), restartPolicy="Never") | {"tags": {"hythe.ttl": "0"}}
        await service.ask("PUT", f"{GROUPS}/t", body)

        assert await gone(service, f"{GROUPS}/t")
        assert engine.groups == {}


async def test_a_patch_of_the_tags_sets_the_time_to_live_of_a_task_that_has_ended() -> None:
    async with running({"task": Outcome(runs_for=0.0)}) as service:
        await service.make_folder()
        secret = [{"name": "A", "secureValue": "b"}]
        await service.ask(
            "PUT", f"{GROUPS}/t", group(container("task", environmentVariables=secret), restartPolicy="Never")
        )
        wrong = await service.ask("PATCH", f"{GROUPS}/t", {"tags": {"hythe.ttl": "soon"}})
        await service.ask("PATCH", f"{GROUPS}/t", {"tags": {"hythe.ttl": "3600", "a": "b"}})
        await asyncio.sleep(0.05)
        stays = await service.ask("GET", f"{GROUPS}/t")
        await service.ask("PATCH", f"{GROUPS}/t", {"tags": {"hythe.ttl": "PT0S"}})

        assert (wrong.status, wrong.code) == (400, "InvalidTag")
        assert stays.json["tags"] == {"hythe.ttl": "3600", "a": "b"}
        assert await gone(service, f"{GROUPS}/t")


@pytest.mark.parametrize("how", ["started again", "given more time"])
async def test_a_task_for_which_something_is_done_when_its_time_is_over_stays(how: str) -> None:
    class Slow(SimulatedEngine):
        """Is looked at for so long that something else happens meanwhile."""

        looking, seen = asyncio.Event(), asyncio.Event()

        async def observe(self, uid: Uid) -> Observed:
            seen = await super().observe(uid)
            if late.is_set():
                late.clear()
                self.looking.set()
                await self.seen.wait()
            return seen

    late, ends = asyncio.Event(), Outcome(runs_for=0.0)
    engine = Slow({"task": ends})
    async with running(engine=engine) as service:
        await service.make_folder()
        body = group(container("task"), restartPolicy="Never") | {"tags": {"hythe.ttl": "3600"}}
        await service.ask("PUT", f"{GROUPS}/t", body)
        await service.loop.rest(0.01)
        late.set()
        await service.ask("PATCH", f"{GROUPS}/t", {"tags": {"hythe.ttl": "0"}})
        await asyncio.wait_for(engine.looking.wait(), 30)
        engine.outcomes["task"] = Outcome()
        if how == "started again":
            asked = service.ask("POST", f"{GROUPS}/t/start")
        else:
            asked = service.ask("PATCH", f"{GROUPS}/t", {"tags": {"hythe.ttl": "3600"}})
        asking = asyncio.create_task(asked)
        await asyncio.sleep(0.02)
        engine.seen.set()

        assert (await asking).status in (200, 202, 204)
        await service.loop.rest(0.05)
        shown = (await service.ask("GET", f"{GROUPS}/t")).json["properties"]
        assert shown["instanceView"]["state"] == ("Running" if how == "started again" else "Succeeded")


async def test_a_group_that_runs_outlives_its_time_to_live() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group() | {"tags": {"hythe.ttl": "0"}})
        await asyncio.sleep(0.05)

        assert (await service.ask("GET", f"{GROUPS}/g")).json["properties"]["instanceView"]["state"] == "Running"


async def test_provisioning_gives_up_after_the_time_that_the_group_names() -> None:
    times = [datetime.now(UTC)]
    engine = SimulatedEngine()
    settings = ServiceSettings(answer_seconds=0.001, hold_seconds=5)
    async with running(engine=engine, settings=settings, clock=lambda: times[0]) as service:
        await service.make_folder()
        body = group(container(image="image"), container("b"), provisioningTimeoutInSeconds=60)
        engine.outcomes["b"] = Outcome(pull_error="away")
        made = await service.ask("PUT", f"{GROUPS}/g", body)
        pending = (await service.ask("GET", f"{GROUPS}/g")).json["properties"]["provisioningState"]
        times[0] += timedelta(seconds=61)
        service.loop.wake_all()
        ended = await service.ask("GET", made.headers["azure-asyncoperation"])
        shown = (await service.ask("GET", f"{GROUPS}/g")).json["properties"]
        again = await service.ask("PUT", f"{GROUPS}/h", group(provisioningTimeoutInSeconds=1800))

    assert pending in ("Pending", "Creating")
    assert ended.json["status"] == "Failed" and "away" in ended.json["error"]["message"]
    assert (shown["provisioningTimeoutInSeconds"], shown["isCustomProvisioningTimeout"]) == (60, True)
    assert again.json["properties"]["isCustomProvisioningTimeout"] is False


# --- identity ---


async def token(service: Service, query: str, **headers: str) -> tuple[int, Any]:
    """Ask inside the one group that there is."""
    (listener,) = service.engine.listeners.values()
    reader, writer = await asyncio.open_connection(*listener)
    lines = [f"GET /metadata/identity/oauth2/token?{query} HTTP/1.1", "Host: 169.254.169.254", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    raw = await reader.read()
    writer.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


FULL = "api-version=2018-02-01&resource=https://vault.example"


async def test_tokens_are_given_inside_a_group_with_an_identity() -> None:
    async with running() as service:
        await service.make_folder()
        made = await service.ask("PUT", f"{GROUPS}/g", group() | {"identity": {"type": "SystemAssigned"}})
        principal = made.json["identity"]["principalId"]

        status, body = await token(service, FULL, Metadata="true")
        named = await token(service, f"{FULL}&client_id={body['client_id']}", Metadata="True")
        again = await service.ask(
            "PUT", f"{GROUPS}/g", group(container(command=["x"])) | {"identity": {"type": "SystemAssigned"}}
        )

        assert status == 200 and named[0] == 200
        assert principal in body["access_token"] and "https://vault.example" in body["access_token"]
        assert body["expires_on"] == "2000000000" and body["refresh_token"] == ""
        assert made.json["identity"]["tenantId"] == "t"
        assert again.json["identity"]["principalId"] == principal
        for query, headers, expected in (
            (FULL, {}, 400),
            (FULL, {"Metadata": "true", "X_Forwarded_For": "1.2.3.4"}, 400),
            ("resource=a", {"Metadata": "true"}, 400),
            ("resource=a&api-version=2017-01-01", {"Metadata": "true"}, 400),
            ("api-version=2018-02-01", {"Metadata": "true"}, 400),
            (f"{FULL}&client_id=other", {"Metadata": "true"}, 400),
        ):
            assert (await token(service, query, **headers))[0] == expected, query


async def test_an_identity_taken_away_gives_no_tokens_any_more() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group() | {"identity": {"type": "SystemAssigned"}})
        await token(service, FULL, Metadata="true")
        await service.ask("PUT", f"{GROUPS}/g", group())

        with pytest.raises(OSError):
            await token(service, FULL, Metadata="true")


async def test_a_service_that_came_back_gives_tokens_again() -> None:
    store, engine = SqlStore(None), SimulatedEngine()
    async with running(store=store, engine=engine) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group() | {"identity": {"type": "SystemAssigned"}})
    engine.listeners.clear()
    async with running(store=store, engine=engine) as service:
        service.loop.wake_all()
        for _ in range(200):
            await asyncio.sleep(0.005)
            if engine.listeners:
                break
        assert (await token(service, FULL, Metadata="true"))[0] == 200
    store.close()


# --- waking ---


async def test_an_end_during_a_pass_is_not_overlooked() -> None:
    class Late(SimulatedEngine):
        """Containers end just after they were looked at, and it is told before the pass is over."""

        async def observe(self, uid: Uid) -> Observed:
            seen = await super().observe(uid)
            for one in seen.containers:
                self._end(uid, one.id, 0, "")
            await asyncio.sleep(0.005)
            return seen

    async with running(engine=Late()) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/t", group(container("task"), restartPolicy="Never"))
        for _ in range(100):
            await asyncio.sleep(0.01)
            body = (await service.ask("GET", f"{GROUPS}/t")).json["properties"]
            if body["instanceView"]["state"] == "Succeeded":
                return
    raise AssertionError(body)
