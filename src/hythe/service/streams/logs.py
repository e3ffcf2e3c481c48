"""What containers wrote, once or as they write it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from ...engines.base import Uid
from ...engines.offers import Follow, Logs
from ...models import Logs as LogsModel
from ...wire import faults
from ...wire.faults import Fault
from ..answers import Answer, shown
from ..call import Call
from ..store import Row, SqlStore
from .sight import find, view_of
from .trouble import told, unsupported

YOUNG_SECONDS = 3.0
"""A container that started less than this ago and has written nothing is given time to write its first words."""
_LOOK_SECONDS = 0.02
TEXT = "text/plain; charset=utf-8"


class Asked(Struct, frozen=True, kw_only=True):
    """The query of a request for logs."""

    tail: int | None
    timestamps: bool
    previous: bool
    follow: bool


def read_query(query: dict[str, str]) -> Asked:
    """Read what a caller wants of a log.  Raises InvalidParameter."""

    def flag(name: str) -> bool:
        return query.get(name, "").lower() in ("true", "1")

    tail = query.get("tail") or None
    if tail is not None and not tail.isdecimal():
        raise Fault(400, "InvalidParameter", f"The query parameter 'tail' must be a whole number, not '{tail}'.")
    return Asked(
        tail=min(int(tail[:10]), 1 << 31) if tail is not None else None,
        timestamps=flag("timestamps"),
        previous=flag("previous"),
        follow=flag("follow"),
    )


async def once(
    store: SqlStore, engine: object, limit: int, clock: Callable[[], datetime], row: Row, call: Call
) -> Answer:
    """Answer with a container's log.

    Because a group runs so soon after it was asked for, programs that read the log next would read nothing:
    a young container's empty log is waited for, until its first byte, its end, or three seconds of age.
    """
    name = find(row, call)
    asked = read_query(call.query)
    if not isinstance(engine, Logs):
        raise unsupported(engine, "logs")
    loop = asyncio.get_running_loop()
    latest = loop.time() + YOUNG_SECONDS
    while True:
        known = view_of(row).containers.get(name)
        with told(row, name):
            content = await engine.logs(
                Uid(row.uid), name, tail=asked.tail, timestamps=asked.timestamps, limit=limit, previous=asked.previous
            )
        state = known.current_state if known else None
        if content or asked.previous or asked.tail == 0 or state is None or state.state == "Terminated":
            break
        begun = state.start_time
        if begun is None or (clock() - begun).total_seconds() > YOUNG_SECONDS:
            break
        if loop.time() > latest:  # the clock was set back since it began
            break
        await asyncio.sleep(_LOOK_SECONDS)
        row = store.get(row.key) or row
    if content is None:
        raise _none(asked, name, row)
    return shown(LogsModel(content=content))


async def follow(engine: object, row: Row, call: Call) -> Answer:
    """Answer with a log that goes on until its run has ended."""
    name = find(row, call)
    asked = read_query(call.query)
    if not isinstance(engine, Follow) or not isinstance(engine, Logs):
        raise unsupported(engine, "logs that can be followed")
    with told(row, name):
        there = await engine.logs(Uid(row.uid), name, tail=0, timestamps=False, limit=1, previous=asked.previous)
    kept = await engine.runs(Uid(row.uid), name) if asked.previous else []
    if there is None or (asked.previous and len(kept) < 2):  # noqa: PLR2004 - the newest and the one before
        raise _none(asked, name, row)
    lines = engine.follow(
        Uid(row.uid),
        name,
        tail=asked.tail,
        timestamps=asked.timestamps,
        run=kept[-2] if asked.previous else None,
        limit=None,
    )
    return Answer(content_type=TEXT, chunks=lines)


def _none(asked: Asked, name: str, row: Row) -> Fault:
    if not asked.previous:
        return faults.log_not_available(name, row.name)
    return Fault(
        404,
        "ContainerLogNotAvailable",
        f"There is no log of a previous run of container '{name}' in container group '{row.name}'.",
    )
