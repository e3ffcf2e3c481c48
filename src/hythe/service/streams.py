"""What containers say: logs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from ..engines.base import Logs, Uid
from ..models import Logs as LogsModel
from ..wire import faults
from ..wire.faults import Fault
from .answers import Answer, shown
from .call import Call
from .store import Row, SqlStore, Status

YOUNG_SECONDS = 3.0
"""A container that started less than this ago and has written nothing is given time to write its first words."""
_LOOK_SECONDS = 0.02


def _now() -> datetime:
    return datetime.now(UTC)


class Streams:
    """Reads from running containers, through an engine's optional protocols."""

    def __init__(self, store: SqlStore, engine: object, limit: int, clock: Callable[[], datetime] = _now) -> None:
        self._store = store
        self._engine = engine
        self._limit = limit
        self._clock = clock

    async def logs(self, row: Row, call: Call) -> Answer:
        """Answer with a container's log.

        Because a group runs so soon after it was asked for, programs that read the log next would read nothing:
        a young container's empty log is waited for, until its first byte, its end, or three seconds of age.
        """
        name = call.params["containerName"]
        tail = _tail(call.query.get("tail"))
        timestamps = call.query.get("timestamps", "").lower() == "true"
        if not isinstance(self._engine, Logs):
            raise Fault(501, "NotSupported", "The engine of this service gives no logs.")
        while True:
            view = msgspec.json.decode(row.status, type=Status).view if row.status else None
            known = view.containers.get(name) if view else None
            if known is None and f'"name":"{name}"'.encode() not in row.spec:
                raise faults.resource_not_found(
                    "Microsoft.ContainerInstance/containerGroups/containers", name, row.name
                )
            content = await self._engine.logs(Uid(row.uid), name, tail=tail, timestamps=timestamps, limit=self._limit)
            state = known.current_state if known else None
            if content or state is None or state.state == "Terminated" or tail == 0:
                break
            begun = state.start_time
            if begun is None or (self._clock() - begun).total_seconds() > YOUNG_SECONDS:
                break
            await asyncio.sleep(_LOOK_SECONDS)
            row = self._store.get(row.key) or row
        if content is None:
            raise faults.log_not_available(name, row.name)
        return shown(LogsModel(content=content))


def _tail(text: str | None) -> int | None:
    if text is None or text == "":
        return None
    if not text.isdigit():
        raise Fault(400, "InvalidParameter", f"The query parameter 'tail' must be a whole number, not '{text}'.")
    return int(text)
