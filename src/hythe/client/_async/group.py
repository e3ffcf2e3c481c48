"""Looks after one container group: waits for it, explains it, reads what its containers write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from hythe.client.log_cursor import LogCursor, LogLine
from hythe.client.outcomes import ENDS, has_ended, state_of
from hythe.client.why import explain
from hythe.errors import Conflict, NotFound, OperationFailed, StillRunning
from hythe.models import ContainerGroup

if TYPE_CHECKING:
    from .container_instances import ContainerInstanceManagementClient

_FIRST_PAUSE, _GROWTH = 0.25, 1.5
_WHY_LINES = 20


class Group:
    """Is one group, by name.  Making it asks nothing; each method asks the service for what it needs."""

    def __init__(self, client: ContainerInstanceManagementClient, resource_group: str, name: str) -> None:
        self._client = client
        self._clock = client._session.clock
        self._longest_pause = client._session.polling_interval
        self.resource_group = resource_group
        self.name = name

    def __repr__(self) -> str:
        return f"Group({self.name!r}, resource_group={self.resource_group!r})"

    async def get(self) -> ContainerGroup:
        """Return the group with its instance view."""
        return await self._client.container_groups.get(self.resource_group, self.name)

    async def state(self) -> str:
        """Return the state in a word: Pending, Running, Succeeded, Failed, Stopped."""
        return state_of(await self.get())

    async def wait(self, state: str | Sequence[str] = "Running", *, timeout: float | None = None) -> ContainerGroup:
        """Wait until the group is in a state (one of several) and return it.

        ``"Terminated"`` stands for every state in which nothing runs any more.  Raises `OperationFailed`, with the
        reasons, when the group has ended in another state, and `StillRunning` after ``timeout`` seconds.
        """
        asked = [state] if isinstance(state, str) else list(state)
        wanted = set(asked) | (ENDS if "Terminated" in asked else frozenset())
        end = None if timeout is None else self._clock.now() + timeout
        pause = _FIRST_PAUSE
        while True:
            group = await self.get()
            now = state_of(group)
            if now in wanted:
                return group
            if now in ENDS:
                raise await self._failure(f"wait until group {self.name!r} is {' or '.join(asked)}", group)
            if end is not None and self._clock.now() + pause > end:
                raise StillRunning(
                    f"cannot wait longer for group {self.name!r}: it is {now}, not {' or '.join(asked)}. "
                    "Ask why(), or allow more by timeout=."
                )
            await self._clock.sleep(pause)
            pause = min(pause * _GROWTH, self._longest_pause)

    async def why(self) -> str:
        """Explain in one paragraph how the group is and, if it does not run, why: from states, events and logs."""
        group = await self.get()
        return explain(group, await self._log_ends(group))

    async def logs(
        self,
        container: str | Sequence[str] | None = None,
        *,
        follow: bool = False,
        tail: int | None = None,
    ) -> AsyncIterator[LogLine]:
        """Iterate over what one container, some, or all have written; with ``follow`` until all have ended.

        Following asks again and again, so a line comes up to a few seconds late, but each comes once and in order.
        If the service has dropped lines between two questions, a line with ``lost`` set stands in their place.
        """
        group = await self.get()
        every = [each.name for each in group.containers or ()]
        names = every if container is None else [container] if isinstance(container, str) else list(container)
        cursors = {name: LogCursor(name) for name in names}
        restarts: dict[str, int] = {}
        while True:
            for name in list(cursors):
                found = next((each for each in group.containers or () if each.name == name), None)
                ended = found is None or has_ended(group, found)
                count = (found.instance_view.restart_count or 0) if found and found.instance_view else 0
                content = await self._content(name, tail)
                restarted = restarts.setdefault(name, count) != count
                restarts[name] = count
                for line in cursors[name].take(content, ended=ended or not follow, restarted=restarted):
                    yield line
                if ended:
                    cursors.pop(name)
            if not follow or not cursors:
                return
            tail = None
            await self._clock.sleep(min(1.0, self._longest_pause))
            try:
                group = await self.get()
            except NotFound:
                return

    async def log(self, container: str | None = None, *, tail: int | None = None) -> str:
        """Return what a container has written, as one text; the first container's unless one is named."""
        if container is None:
            container = next(each.name for each in (await self.get()).containers or ())
        said = await self._client.containers.list_logs(self.resource_group, self.name, container, tail=tail)
        return said.content or ""

    async def start(self) -> None:
        """Start the containers of a stopped group and wait until that is done."""
        await (await self._client.container_groups.begin_start(self.resource_group, self.name)).result()

    async def restart(self) -> None:
        """Restart all containers and wait until that is done."""
        await (await self._client.container_groups.begin_restart(self.resource_group, self.name)).result()

    async def stop(self) -> None:
        """Stop the containers; the group stays."""
        await self._client.container_groups.stop(self.resource_group, self.name)

    async def delete(self) -> ContainerGroup | None:
        """Delete the group, wait for the end, and return its last state, or None if there was none."""
        return await self._client.container_groups.delete(self.resource_group, self.name)

    async def _content(self, container: str, tail: int | None) -> str:
        """Read a log with times; empty while there is none yet."""
        try:
            said = await self._client.containers.list_logs(
                self.resource_group, self.name, container, tail=tail, timestamps=True
            )
        except (NotFound, Conflict):
            return ""
        return said.content or ""

    async def _log_ends(self, group: ContainerGroup) -> dict[str, str]:
        ends = {}
        for each in (*(group.init_containers or ()), *(group.containers or ())):
            try:
                ends[each.name] = await self.log(each.name, tail=_WHY_LINES)
            except (NotFound, Conflict):
                continue
        return ends

    async def _failure(self, doing: str, group: ContainerGroup) -> OperationFailed:
        said = explain(group, await self._log_ends(group))
        views = [each.instance_view for each in group.containers or () if each.instance_view]
        events = [event for view in views for event in view.events or ()]
        return OperationFailed(doing, code=f"Group{state_of(group)}", message=said, events=events)
