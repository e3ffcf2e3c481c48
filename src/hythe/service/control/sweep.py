"""Removes what an engine has of groups that nobody knows."""

from __future__ import annotations

import logging

from ...engines.base import Engine
from ..store import SqlStore

log = logging.getLogger(__name__)


async def sweep(store: SqlStore, engine: Engine) -> int:
    """Remove every group that carries our label and has no row; give how many there were."""
    owned = [uid async for uid in engine.owned()]
    known = store.uids("containerGroups")  # read after: a group made meanwhile is known by now
    orphans = [uid for uid in owned if uid not in known]
    for uid in orphans:
        log.warning("removing group %s, which nobody knows", uid)
        await engine.forget(uid)
    return len(orphans)
