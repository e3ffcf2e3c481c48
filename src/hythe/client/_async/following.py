"""Follows logs as they are written: over one connection for each container, opened again as long as there is more."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from hythe.client.log_cursor import LogLine, Seen
from hythe.client.outcomes import container_state, has_ended
from hythe.errors import Conflict, ConnectionFailed, NotFound, UnexpectedAnswer
from hythe.models import ContainerGroup

from ._sockets import merged
from .transport import Stream

if TYPE_CHECKING:
    from .container_instances import ContainerInstanceManagementClient

_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE = 0.05, 1.6, 1.0
_TEXT = "text/plain"


class Followed:
    """Is the log of a group's containers, as it grows."""

    def __init__(
        self,
        client: ContainerInstanceManagementClient,
        resource_group: str,
        name: str,
        before: ContainerGroup,
        tail: int | None,
    ) -> None:
        """``before`` is the group as it was before its logs were asked for."""
        self._client = client
        self._resource_group = resource_group
        self._name = name
        self._before = before
        self._tail = tail
        self._open: set[Stream] = set()
        self._over = False
        self._broken: set[str] = set()
        """Containers whose connection broke, so that there may be more although they have ended."""
        self._absent: set[str] = set()
        """Containers that had not begun when their log was asked for."""

    async def lines(self, containers: Sequence[str]) -> AsyncIterator[LogLine]:
        """Iterate over the lines of these containers until none will write any more."""
        try:
            if len(containers) == 1:
                async for line in self._of(containers[0]):
                    yield line
            else:
                sources = [self._source(name) for name in containers]
                async for line in merged(sources):
                    yield line
        finally:
            self._over = True  # others that read may not have noticed yet
            for stream in list(self._open):
                await stream.close()

    def _source(self, name: str) -> Callable[[], AsyncGenerator[LogLine, None]]:
        return lambda: self._of(name)

    async def _of(self, name: str) -> AsyncGenerator[LogLine, None]:
        seen = Seen()
        tail = self._tail
        pause = _FIRST_PAUSE
        ended, run = _standing(self._before, name)
        while True:
            seen.begin()
            any_new = False
            async for line in self._once(name, tail):
                if seen.is_new(line):
                    any_new = True
                    time, _, text = line.partition(" ")
                    yield LogLine(name, text, time)
            if self._over:
                return
            had_ended, before = ended, run
            ended, run = _standing(await self._get(), name)
            if ended and name not in self._broken:
                # Its last run may have begun and ended after the one was read that was the newest then.
                if had_ended or (run == before and name not in self._absent):
                    return
                pause = 0.0
            else:
                pause = _FIRST_PAUSE if any_new or not pause else min(pause * _GROWTH, _LONGEST_PAUSE)
            tail = None if any_new else tail
            self._broken.discard(name)
            self._absent.discard(name)
            await self._client._session.clock.sleep(pause)

    async def _once(self, name: str, tail: int | None) -> AsyncIterator[str]:
        """Iterate over the lines of the newest run, until it ends or the connection breaks."""
        query = {"follow": "true", "timestamps": "true"} | ({} if tail is None else {"tail": str(tail)})
        session = self._client._session
        path = self._client.containers._container(self._resource_group, self._name, name, "logs")
        doing = f"follow the log of container {name!r} in group {self._name!r}"
        try:
            stream = await session.open("GET", session.url(*path, query=query), doing=doing)
        except (NotFound, Conflict):
            self._absent.add(name)
            return
        self._open.add(stream)
        try:
            if not stream.headers.get("content-type", "").startswith(_TEXT):
                raise UnexpectedAnswer(f"cannot {doing}: the service can't follow logs. Read it with logs() instead.")
            rest = b""
            async for block in stream.blocks():
                *whole, rest = (rest + block).split(b"\n")
                for line in whole:
                    yield line.decode(errors="replace")
            if rest:
                yield rest.decode(errors="replace")
        except ConnectionFailed:
            self._broken.add(name)  # asking for the group's state tells whether the service is still there
        finally:
            self._open.discard(stream)
            await stream.close()

    async def _get(self) -> ContainerGroup | None:
        try:
            return await self._client.container_groups.get(self._resource_group, self._name)
        except NotFound:
            self._broken.clear()
            return None


def _standing(group: ContainerGroup | None, name: str) -> tuple[bool, object]:
    """Tell whether a container will write no more, and which run of it is the newest."""
    found = next((each for each in group.containers or () if each.name == name), None) if group else None
    if group is None or found is None:
        return True, None
    state = container_state(found)
    return has_ended(group, found), state and state.start_time
