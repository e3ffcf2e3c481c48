"""The net below events: which groups are looked at each minute."""

from __future__ import annotations

from hythe.engines.base import EngineError, Lost, Uid
from hythe.engines.sim import SimulatedEngine

from .harness import GROUPS, group, running


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
