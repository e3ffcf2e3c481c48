"""Bad luck that needs no containers: a crowd, a clock that jumps, a disk that is full, an engine that fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hythe.engines.base import Lost, Observed, Transient, Uid
from hythe.engines.pod import Backoff
from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.service.control import loop
from hythe.service.settings import QuotaSettings, ServiceSettings
from hythe.service.store import SqlStore, StoreFailed

from .harness import GROUPS, Service, container, group, running

MANY = 300
ADDRESS = {"type": "Public", "ports": [{"port": 80}]}


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


async def view(service: Service, name: str = "g") -> Any:
    return (await service.ask("GET", f"{GROUPS}/{name}")).json["properties"]


def body(number: int) -> dict[str, Any]:
    """Describe one of a crowd: a third serves, a third ends well, a third can't have its image."""
    name, policy = [("web", "Always"), ("task", "Never"), ("lost", "Always")][number % 3]
    limit = {"provisioningTimeoutInSeconds": 1} if name == "lost" else {}
    return group(container(name), restartPolicy=policy, **limit)


async def test_a_crowd_at_once_ends_as_it_should() -> None:
    outcomes = {"task": Outcome(runs_for=0.01), "lost": Outcome(pull_error="no such thing")}
    settings = ServiceSettings(answer_seconds=0.01, quotas=QuotaSettings(groups=1000, cores=1000))
    async with running(outcomes, settings=settings) as service:
        await service.make_folder()
        replies = await asyncio.gather(
            *(service.ask("PUT", f"{GROUPS}/g{number}", body(number)) for number in range(MANY))
        )
        assert {reply.status for reply in replies} == {201}

        def states() -> list[str]:
            rows = [service.store.get(key) for key in service.store.keys("containerGroups")]
            return sorted(row.provisioning_state for row in rows if row)

        await until(lambda: states() == ["Failed"] * 100 + ["Succeeded"] * 200)
        async with asyncio.timeout(60):
            views = []
            while [one["instanceView"]["state"] for one in views] != ["Running", "Succeeded", "Pending"] * 100:
                await asyncio.sleep(0.1)
                views = [await view(service, f"g{number}") for number in range(MANY)]
        instances = [one["containers"][0]["properties"]["instanceView"] for one in views]
        assert {one["restartCount"] for one in instances} == {0}
        assert all("no such thing" in one["currentState"]["detailStatus"] for one in instances[2::3])
        assert {uid async for uid in service.engine.owned()} == service.store.uids("containerGroups")

        await asyncio.gather(*(service.ask("DELETE", f"{GROUPS}/g{number}") for number in range(MANY)))
        await until(lambda: not service.engine.groups and not service.store.keys("containerGroups"))


class Clock:
    """A clock that can be set."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.mark.parametrize("hours", [-24, 24])
async def test_a_clock_that_jumps_stops_nothing(hours: int) -> None:
    clock = Clock()
    outcomes = {"crash": Outcome(runs_for=0.02, exit_code=1), "lost": Outcome(pull_error="not now")}
    engine = SimulatedEngine(outcomes, clock=clock, backoff=Backoff(first=0.05, most=0.05))
    async with running(engine=engine, clock=clock) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group(container("web"), container("crash")))
        await service.ask("PUT", f"{GROUPS}/lost", group(container("lost")))
        await until(lambda: attempts(service) > 2)

        clock.ahead = timedelta(hours=hours)
        engine.outcomes.pop("lost")
        service.loop.wake_all()  # each minute it does by itself

        begun = attempts(service)
        await until(lambda: attempts(service) > begun + 2, 5)
        await service.ask("PUT", f"{GROUPS}/later", group(container("web")))
        await service.ask("POST", f"{GROUPS}/g/stop")
        assert (await view(service, "later"))["instanceView"]["state"] == "Running"
        assert (await view(service))["instanceView"]["state"] == "Stopped"
        assert (await view(service, "lost"))["instanceView"]["state"] == "Running"


def attempts(service: Service) -> int:
    every = [one for each in service.engine.groups.values() for one in each.containers.values()]
    return max((one.attempt for one in every if one.name == "crash"), default=-1)


async def test_a_full_disk_loses_nothing_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hythe.service.control.loop._AFTER_FAILURE", 0.05)
    store = SqlStore(None)
    engine = SimulatedEngine({"task": Outcome(runs_for=0.1)})

    def full(now: bool) -> None:
        store._connection.exec_driver_sql(f"PRAGMA query_only = {int(now)}")
        store._connection.commit()

    async with running(store=store, engine=engine) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/task", group(container("task"), restartPolicy="Never"))
        await service.ask("PUT", f"{GROUPS}/web", group(container("web")))
        full(True)
        refused = await service.ask("PUT", f"{GROUPS}/more", group(container("web")))
        assert (refused.status, refused.code) == (507, "InsufficientStorage")
        assert "Make room on the disk" in refused.json["error"]["message"]
        await asyncio.sleep(0.2)  # the task ends meanwhile, and nothing can be written about it
        assert (await view(service, "web"))["instanceView"]["state"] == "Running"

        full(False)
        await until(lambda: "Succeeded" in str(store.get(key_of(store, "task")).status))  # type: ignore[union-attr]
        assert (await view(service, "task"))["instanceView"]["state"] == "Succeeded"
        assert (await service.ask("PUT", f"{GROUPS}/more", group(container("web")))).status == 201
        assert (await service.ask("DELETE", f"{GROUPS}/web")).status == 200
        await until(lambda: len(engine.groups) == 2)
    store.close()


def key_of(store: SqlStore, name: str) -> str:
    return next(key for key in store.keys("containerGroups") if key.endswith(f"/{name}"))


class Failing(SimulatedEngine):
    """An engine that can't look for a while, or that can't make sandboxes."""

    failure: Exception | None = None
    on_act: Exception | None = None

    async def observe(self, uid: Uid) -> Observed:
        if self.failure is not None:
            raise self.failure
        return await super().observe(uid)

    async def act(self, *arguments: Any) -> Any:
        if self.on_act is not None:
            raise self.on_act
        return await super().act(*arguments)


@pytest.mark.parametrize("failure", [Lost("gone"), Transient("busy", 0.05)], ids=str)
async def test_what_is_known_stays_while_the_engine_cannot_look(failure: Exception) -> None:
    engine = Failing()
    async with running(engine=engine) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group(container("web", ports=[{"port": 80}]), ipAddress=ADDRESS))
        before = await view(service)
        engine.failure = failure
        service.loop.wake_all()
        await asyncio.sleep(0.05)
        during = await view(service)
        engine.failure = None

        assert before["ipAddress"]["ip"] and during == before


async def test_a_group_that_failed_says_what_was_in_the_way() -> None:
    engine = Failing()
    engine.on_act = Transient("no space left on device", 0.05)
    async with running(engine=engine) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group(provisioningTimeoutInSeconds=1))
        await until(lambda: service.store.get(key_of(service.store, "g")).provisioning_state == "Failed")  # type: ignore[union-attr]
        failed = sa.text("SELECT error_message FROM operations WHERE status = 'Failed'")
        assert service.store._connection.execute(failed).scalar_one() == "no space left on device"


def once_failing(real: Callable[..., Any], name: str, failed: set[str]) -> Callable[..., Any]:
    """Give a method of the store that fails when it is first called, and says so."""

    def fails(*arguments: object) -> Any:
        if name in failed:
            return real(*arguments)
        failed.add(name)
        raise StoreFailed("the database cannot be written")

    return fails


async def test_a_store_that_fails_for_a_while_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_AFTER_FAILURE", 0.01)
    failed: set[str] = set()
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group(container("c"), restartPolicy="Never"))
        for name in ("next_due", "key_of"):  # what the timer and the engine's hints need

            monkeypatch.setattr(service.store, name, once_failing(getattr(service.store, name), name, failed))
        service.engine.end(next(iter(service.engine.groups)), "c", 0, "")
        await until(lambda: failed == {"next_due", "key_of"})
        async with asyncio.timeout(60):
            while (await view(service))["instanceView"]["state"] != "Succeeded":
                await asyncio.sleep(0.01)
