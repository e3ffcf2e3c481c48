"""Compares all rows with all that an engine has: removes what nobody knows, and shows what is gone as gone."""

from __future__ import annotations

import logging

import msgspec

from ...engines.base import Engine, EngineError
from ...engines.offers import KeepsFiles
from ..store import SqlStore
from . import status

log = logging.getLogger(__name__)

RUN_BY_ENGINE = ("containerGroups", "sandboxes")
"""The kinds that are something in the engine."""


async def sweep(store: SqlStore, engine: Engine) -> int:
    """Remove every group that carries our label and has no row; give how many were removed.

    One that can't be removed now keeps no other from it; the next sweep tries again.
    """
    owned = {uid async for uid in engine.owned()} | (engine.kept() if isinstance(engine, KeepsFiles) else set())
    known = store.uids(*RUN_BY_ENGINE) | {*store.warm()}  # read after: a group made meanwhile is known by now
    removed = 0
    for uid in sorted(owned - known):
        log.warning("removing group %s, which nobody knows", uid)
        try:
            await engine.forget(uid)
        except EngineError as error:
            log.warning("cannot remove group %s yet: %s", uid, error)
        else:
            removed += 1
    return removed


async def show_lost(store: SqlStore, engine: Engine) -> None:
    """Show groups that should run and of which nothing is there as waiting: nobody is told of a former life.

    To be called before the service answers: a reboot, or `hythe down`, ended them, and their passes are still to come.
    """
    owned = {uid async for uid in engine.owned(ready=True)}
    for key in store.keys(*RUN_BY_ENGINE):
        row = store.get(key)
        if row is None or row.uid in owned or not row.status:
            continue
        memory = msgspec.json.decode(row.status, type=status.Memory)
        if memory.view.state == "Running":
            memory.view = status.lost(memory.view)
            store.show(key, row.uid, msgspec.json.encode(memory))
