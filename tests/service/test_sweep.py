"""Removing what nobody knows."""

from __future__ import annotations

import pytest

from hythe.engines.base import Lost, Transient, Uid
from hythe.engines.sim import SimulatedEngine
from hythe.service.control import sweep
from hythe.service.store import SqlStore


@pytest.mark.parametrize("error", [Transient("not now"), Lost("away")])
async def test_a_group_that_can_not_be_removed_keeps_no_other_from_it(error: Exception) -> None:
    class Stubborn(SimulatedEngine):
        """Has a group that can't be removed."""

        async def forget(self, uid: Uid) -> None:
            if uid == "b":
                raise error
            await super().forget(uid)

    engine, store = Stubborn(), SqlStore(None)
    for uid in "abc":
        await engine.warm(Uid(uid))
    assert await sweep(store, engine) == 2
    assert [uid async for uid in engine.owned()] == ["b"]
    await engine.close()
    store.close()
