"""Tests that what takes long keeps nobody waiting: neither other groups nor the deletion of its own."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from hythe.engines.base import Action, Busy, PrepareVolume, PullImage, RunSandbox, StopContainer
from hythe.engines.sim import SimulatedEngine
from hythe.service.control.slots import CalledOff, Slots
from hythe.service.settings import QuotaSettings, ServiceSettings

from .harness import GROUPS, Service, container, group, running


async def test_a_slot_is_left_to_others_by_what_steps_aside() -> None:
    slots, enough, order = Slots(1), asyncio.Event(), list[str]()

    async def slow() -> None:
        async with slots.taken():
            await slots.aside("slow", enough.wait())
            order.append("slow")

    async def other(name: str) -> None:
        async with slots.taken():
            order.append(name)
            await asyncio.sleep(0)
            order.append(name)

    first = asyncio.create_task(slow())
    await asyncio.sleep(0)
    await other("other")
    enough.set()
    await asyncio.gather(first, other("last"))

    assert order[:2] == ["other", "other"]
    assert sorted(order[2:]) == ["last", "last", "slow"] and order[2:4] != ["last", "slow"], "one at a time"


async def test_what_is_called_off_is_ended_and_says_so() -> None:
    slots, ended = Slots(1), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def one() -> None:
        async with slots.taken():
            await slots.aside("key", work())

    task = asyncio.create_task(one())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    slots.call_off("other")
    await asyncio.sleep(0)
    assert not task.done()
    slots.call_off("key")
    with pytest.raises(CalledOff):
        await task
    assert ended.is_set()

    ended.clear()
    with pytest.raises(CalledOff):
        await one()  # nothing more of the same pass
    assert not ended.is_set(), "it did not even begin"
    slots.ended("key")
    again = asyncio.create_task(one())
    await asyncio.sleep(0.01)
    assert not again.done()
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    async with asyncio.timeout(5), slots.taken():  # it was given back
        pass


async def test_what_goes_wrong_aside_is_raised() -> None:
    async def work() -> None:
        raise ValueError("wrong")

    slots = Slots(1)
    async with slots.taken():
        with pytest.raises(ValueError, match="wrong"):
            await slots.aside("key", work())


class Stubborn(SimulatedEngine):
    """Steps of a kind do not end."""

    def __init__(self, kind: type[Action]) -> None:
        super().__init__()
        self.kind = kind
        self.waiting = 0

    async def act(self, want: Any, seen: Any, action: Action) -> Any:
        if isinstance(action, self.kind):
            self.waiting += 1
            await asyncio.Event().wait()
        return await super().act(want, seen, action)


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def cloning() -> dict[str, Any]:
    code = {"name": "code", "gitRepo": {"repository": "https://git.example/x"}}
    return group(container("web", volumeMounts=[{"name": "code", "mountPath": "/code"}]), volumes=[code])


async def stopped(service: Service, engine: Stubborn, name: str) -> asyncio.Task[Any]:
    await service.ask("PUT", f"{GROUPS}/{name}", group(container("web")))
    before = engine.waiting
    stop = asyncio.create_task(service.ask("POST", f"{GROUPS}/{name}/stop"))
    await until(lambda: engine.waiting > before)
    return stop


async def test_groups_that_take_long_to_stop_keep_no_other_waiting() -> None:
    engine = Stubborn(StopContainer)
    async with running(engine=engine) as service:
        await service.make_folder()
        stops = [await stopped(service, engine, f"g{number}") for number in range(17)]

        async with asyncio.timeout(4):  # less than a PUT is held
            made = await service.ask("PUT", f"{GROUPS}/other", group(container("web")))

        assert made.json["properties"]["provisioningState"] == "Succeeded"
        for each in stops:
            each.cancel()
        await asyncio.gather(*stops, return_exceptions=True)


async def test_a_group_that_is_deleted_while_it_is_stopped_is_gone_at_once() -> None:
    engine = Stubborn(StopContainer)
    async with running(engine=engine) as service:
        await service.make_folder()
        stop = await stopped(service, engine, "web")

        async with asyncio.timeout(4):
            gone = await service.ask("DELETE", f"{GROUPS}/web")

        assert gone.status == 200
        assert (await service.ask("GET", f"{GROUPS}/web")).status == 404
        await asyncio.gather(stop, return_exceptions=True)


async def test_a_group_that_is_deleted_while_it_clones_is_gone_at_once() -> None:
    engine = Stubborn(PrepareVolume)
    async with running(engine=engine) as service:
        await service.make_folder()
        put = asyncio.create_task(service.ask("PUT", f"{GROUPS}/web", cloning()))
        await until(lambda: engine.waiting)

        async with asyncio.timeout(4):
            gone = await service.ask("DELETE", f"{GROUPS}/web")

        assert gone.status == 200
        await asyncio.gather(put, return_exceptions=True)


async def test_a_deletion_that_comes_before_the_clone_begins_is_not_forgotten() -> None:
    class Slow(Stubborn):
        making, made = asyncio.Event(), asyncio.Event()

        async def act(self, want: Any, seen: Any, action: Action) -> Any:
            if isinstance(action, RunSandbox):
                self.making.set()
                await self.made.wait()
            return await super().act(want, seen, action)

    engine = Slow(PrepareVolume)
    async with running(engine=engine) as service:
        await service.make_folder()
        put = asyncio.create_task(service.ask("PUT", f"{GROUPS}/web", cloning()))
        await engine.making.wait()
        deleting = asyncio.create_task(service.ask("DELETE", f"{GROUPS}/web"))
        await asyncio.sleep(0.02)
        engine.made.set()

        async with asyncio.timeout(4):
            assert (await deleting).status == 200
        assert engine.waiting == 0
        await asyncio.gather(put, return_exceptions=True)


async def test_many_that_take_long_keep_nothing_from_its_time() -> None:
    engine = Stubborn(StopContainer)
    async with running(
        engine=engine, settings=ServiceSettings(hold_seconds=5, quotas=QuotaSettings(groups=200, cores=200))
    ) as service:
        await service.make_folder()
        stops = [await stopped(service, engine, f"g{number}") for number in range(101)]
        assert service.store.due(time.time() + 1) == [], "what is worked on stands in nobody's way"
        for each in stops:
            each.cancel()
        await asyncio.gather(*stops, return_exceptions=True)


async def test_what_runs_is_shown_while_another_image_is_pulled() -> None:
    class Pulling(SimulatedEngine):
        async def act(self, want: Any, seen: Any, action: Action) -> Any:
            if isinstance(action, PullImage) and action.container == "late":
                raise Busy("pulling")
            return await super().act(want, seen, action)

    async with running(engine=Pulling()) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group(container("web"), container("late")))
        shown = (await service.ask("GET", f"{GROUPS}/web")).json["properties"]["containers"]

    states = {each["name"]: each["properties"]["instanceView"]["currentState"]["state"] for each in shown}
    assert states == {"web": "Running", "late": "Waiting"}
