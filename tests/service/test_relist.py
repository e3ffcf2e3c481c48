"""The net below events: which groups are looked at each minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hythe.engines.base import EngineError, Lost, Uid
from hythe.engines.sim import SimulatedEngine
from hythe.service.control import loop

from .harness import GROUPS, container, group, running


class Glancing(SimulatedEngine):
    """Shows what the test says there is."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: dict[Uid, frozenset[tuple[str, int]]] = {}
        self.trouble: EngineError | None = None

    async def glance(self) -> dict[Uid, frozenset[tuple[str, int]]]:
        """Show it."""
        if self.trouble:
            raise self.trouble
        return dict(self.marks)


async def test_what_changed_is_looked_at_and_all_the_rest_in_turn() -> None:
    engine = Glancing()
    async with running(engine=engine) as service:
        await service.make_folder()
        for number in range(12):
            await service.ask("PUT", f"{GROUPS}/g{number}", group())
        keys = {*service.store.keys("containerGroups")}
        uids = {key: Uid(service.store.get(key).uid) for key in keys}
        engine.marks = {uid: frozenset({("sandbox", 0)}) for uid in (*uids.values(), Uid("ready"))}
        suspects = service.loop._suspects

        assert await suspects(0) == keys, "nothing was seen before"
        turns = [await suspects(turn) for turn in range(10)]
        assert set().union(*turns) == keys
        assert sum(map(len, turns)) == len(keys), "each has one turn"

        other, gone, *_ = sorted(keys - turns[3])
        engine.marks[uids[other]] = frozenset({("sandbox", 1)})
        del engine.marks[uids[gone]]
        engine.trouble = Lost("away")
        assert await suspects(3) == set()
        engine.trouble = None
        assert await suspects(3) == turns[3] | {other, gone}
        assert await suspects(3) == turns[3]


async def test_an_engine_that_can_not_glance_is_asked_for_each_group() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group())
        assert await service.loop._suspects(5) == {*service.store.keys("containerGroups")}


class HardOfHearing(SimulatedEngine):
    """A container ends just before its hints are heard: at first, or after they were lost once."""

    def __init__(self, begins: int) -> None:
        super().__init__()
        self.begins = begins

    async def watch(self) -> AsyncIterator[Uid]:
        """Give hints, but for one."""
        self.begins -= 1
        while not self.groups:
            await asyncio.sleep(0.01)
        if self.begins:
            raise Lost("away")
        await asyncio.sleep(0.1)  # the look that came before is over
        ((uid, held),) = self.groups.items()
        for each in [*held.containers.values()]:
            self.end(uid, each.name, 0, "")
        while not self._hints.empty():
            self._hints.get_nowait()
        async for hint in super().watch():
            yield hint


@pytest.mark.parametrize("begins", [1, 2])
async def test_what_ends_before_the_hints_come_is_seen_soon(begins: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_HEARING_SECONDS", 0.5)
    async with running(engine=HardOfHearing(begins)) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group(container("task"), restartPolicy="Never"))
        state = ""
        async with asyncio.timeout(loop.RELIST_SECONDS / 3):
            while state != "Succeeded":
                await asyncio.sleep(0.01)
                state = (await service.ask("GET", f"{GROUPS}/g")).json["properties"]["instanceView"]["state"]
