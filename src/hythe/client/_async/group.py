"""Looks after one container group: waits for it, explains it, reads what its containers write."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hythe.client.archives import Local
from hythe.client.exec_frames import ExecResult
from hythe.client.log_cursor import LogCursor, LogLine
from hythe.client.outcomes import ENDS, has_ended, state_of
from hythe.client.usage import GroupUsage
from hythe.client.why import explain
from hythe.errors import Conflict, NotFound, NotOffered, OperationFailed, StillRunning
from hythe.models import ContainerGroup

from ._log import Log
from ._sockets import Forward, Socket, listen
from .files import ContainerFiles
from .following import Followed
from .measuring import usage_of
from .sessions import ContainerSession, Input, finish, open_attachment, open_command

if TYPE_CHECKING:
    from .container_instances import ContainerInstanceManagementClient

_FIRST_PAUSE, _GROWTH = 0.25, 1.5
_WHY_LINES = 20


class Group:
    """Is one group, by name.  Making it asks nothing; each method asks the service for what it needs.

    Each raises `NotFound` if the group, or the container that is named, is not there, and the errors of every call.
    """

    def __init__(self, client: ContainerInstanceManagementClient, resource_group: str, name: str) -> None:
        self._client = client
        self._clock = client._session.clock
        self._longest_pause = client._session.polling_interval
        self.resource_group = resource_group
        self.name = name

    def __repr__(self) -> str:
        return f"Group({self.name!r}, resource_group={self.resource_group!r})"

    async def get(self) -> ContainerGroup:
        """Return the group with its instance view.

        Hythe's own, by ``ContainerGroups_Get``.
        """
        return await self._client.container_groups.get(self.resource_group, self.name)

    async def state(self) -> str:
        """Return the state in a word: Pending, Running, Succeeded, Failed, Stopped.

        Hythe's own, by ``ContainerGroups_Get``.
        """
        return state_of(await self.get())

    async def wait(self, state: str | Sequence[str] = "Running", *, timeout: float | None = None) -> ContainerGroup:
        """Wait until the group is in a state (one of several) and return it.

        ``"Terminated"`` stands for every state in which nothing runs any more.  Raises `OperationFailed`, with the
        reasons, when the group has ended in another state, and `StillRunning` after ``timeout`` seconds.

        Hythe's own, by ``ContainerGroups_Get``.
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
        """Explain in one paragraph how the group is and, if it does not run, why: from states, events and logs.

        Hythe's own, by ``ContainerGroups_Get``, ``Containers_ListLogs``.
        """
        group = await self.get()
        return explain(group, await self._log_ends(group))

    async def top(self) -> GroupUsage:
        """Measure what the containers use: cores and bytes of each, and the network of the group.

        Hythe measures each second; Azure each minute, and tells it some minutes later.  ``cpu_before`` and
        ``memory_before`` are the figures of the time before.  A container that does not run has none.

        Hythe's own, by ``Metrics_List``.
        """
        return await usage_of(self._client, await self.get())

    def logs(
        self,
        container: str | Sequence[str] | None = None,
        *,
        follow: bool = False,
        tail: int | None = None,
        previous: bool = False,
    ) -> Log:
        """Iterate over what one container, some, or all have written; with ``follow`` until all have ended.

        Hythe sends each line as it is written.  On Azure following asks again and again, so a line comes up to a few
        seconds late, but each comes once and in order; if Azure has dropped lines between two questions, a line with
        ``lost`` set stands in their place.  In a notebook the log shows itself as it grows.

        ``previous``: of the run before the newest one, as in ``log``; of several containers, those that have none are
        left out.  That run has ended: with ``follow`` it is a ValueError.

        Hythe's own, by ``Containers_ListLogs``.
        """
        if follow and previous:
            raise ValueError(
                f"cannot follow the previous run of group {self.name!r}: it has ended. Leave out follow or previous."
            )
        run = self._run(previous)
        names = [container] if isinstance(container, str) else list(container or ())
        return Log(self._lines(names, container is None, follow, tail, run), names)

    async def _lines(
        self, names: list[str], every: bool, follow: bool, tail: int | None, run: Mapping[str, str]
    ) -> AsyncGenerator[LogLine, None]:
        """Iterate over the lines of these containers, or with ``every`` of all: then ``names`` is filled."""
        group = await self.get()
        if every:
            names.extend(each.name for each in group.containers or ())
        _check(group, names)
        if follow and self._client._session.streams:
            async for line in Followed(self._client, self.resource_group, self.name, group, tail).lines(names):
                yield line
            return
        cursors = {name: LogCursor(name) for name in names}
        restarts: dict[str, int] = {}
        while True:
            for name in list(cursors):
                found = next((each for each in group.containers or () if each.name == name), None)
                ended = found is None or has_ended(group, found)
                count = (found.instance_view.restart_count or 0) if found and found.instance_view else 0
                content = await self._content(name, tail, run, alone=len(names) == 1)
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

    async def log(self, container: str | None = None, *, tail: int | None = None, previous: bool = False) -> str:
        """Return what a container has written, as one text; the first container's unless one is named.

        ``tail``: only the last lines, so many.  ``previous``: of the run before the newest one, where a container was
        restarted; raises `NotFound` if there was none, and `NotOffered` on Azure.

        Hythe's own, by ``Containers_ListLogs``.
        """
        run = self._run(previous)
        container = container or await self._first()
        said = await self._client.containers.list_logs(self.resource_group, self.name, container, tail=tail, params=run)
        return said.content or ""

    def _run(self, previous: bool) -> dict[str, str]:
        """Write which run's log is asked for, in Hythe's own word.  Raises `NotOffered` for Azure's previous ones."""
        if previous and self._client._session.is_azure:
            raise NotOffered(
                f"cannot read the log of the previous run of group {self.name!r}: Azure gives that of the newest only. "
                "Follow the log while it runs, or give the group a Log Analytics workspace."
            )
        return {"previous": "true"} if previous else {}

    async def exec(
        self, command: str | Sequence[str], *, container: str | None = None, input: Input = None
    ) -> ExecResult:
        """Run a command in a running container (the first unless one is named) and return what it gave.

        A command in one text is split as a shell splits words; it is not given to a shell.  ``input`` is what it reads:
        bytes, text or a file that is open for reading bytes.  A program that is not there has the exit code 127.  On
        Azure there is no exit code, no input, and stdout and stderr come as one.

        Hythe's own, by ``Containers_ExecuteCommand``.
        """
        async with await self.open(command, container=container, stdin=input is not None) as session:
            return await finish(session, input)

    async def open(
        self,
        command: str | Sequence[str] = "/bin/sh",
        *,
        container: str | None = None,
        tty: bool = False,
        stdin: bool = True,
        rows: int = 24,
        columns: int = 80,
    ) -> ContainerSession:
        """Begin a command in a running container and return the session: ``read``, ``write``, ``resize``, ``close``.

        With ``tty`` it has a terminal of ``rows`` by ``columns``; on Azure it always has.

        Hythe's own, by ``Containers_ExecuteCommand``.
        """
        return await open_command(
            self._client, self.resource_group, self.name, container or await self._first(), command,
            tty=tty, stdin=stdin, rows=rows, columns=columns,
        )  # fmt: skip

    async def attach(self, container: str | None = None) -> ContainerSession:
        """Attach to a running container: read its log and what it writes from now on, write to its standard input.

        A container has an input only on Hythe, if the group's tag ``hythe.stdin`` names it.

        Hythe's own, by ``Containers_Attach``.
        """
        return await open_attachment(self._client, self.resource_group, self.name, container or await self._first())

    async def copy_in(self, source: Local, target: str, *, container: str | None = None) -> None:
        """Copy a file or folder of this machine to the absolute path ``target`` in a running container.

        A target that ends with ``/`` is the folder to copy into.  The folder has to be there.  Not on Azure.

        Hythe's own.
        """
        files = ContainerFiles(self._client, self.resource_group, self.name, container or await self._first())
        await files.copy_in(source, target)

    async def copy_out(self, source: str, target: Local, *, container: str | None = None) -> Path:
        """Copy a file or folder of a running container to this machine and return where it is.

        If ``target`` is a folder, into it; else under that name.  Not on Azure.

        Hythe's own.
        """
        files = ContainerFiles(self._client, self.resource_group, self.name, container or await self._first())
        return await files.copy_out(source, target)

    async def forward(self, port: int, local_port: int = 0, *, host: str = "127.0.0.1") -> Forward:
        """Open a port of this machine (a free one unless it is given) that leads to a port inside the group.

        Ports that the group does not publish, and programs that listen on localhost only, are reached too.  Close what
        is returned, or use it as a context manager; its ``port`` is the port here.  Not on Azure.

        Hythe's own.
        """
        doing = f"forward port {port} of group {self.name!r}"
        session = self._client._session
        if session.is_azure:
            raise NotOffered(f"cannot {doing}: Azure has no way to do that. Give the group an address with that port.")
        path = self._client.container_groups._path(self.resource_group, "containerGroups", self.name, "portForward")
        url = session.url(*path, query={"port": str(port)})

        async def reach() -> Socket:
            return await session.connect(f"ws{url.removeprefix('http')}", doing=doing, signed=True)

        await self.get()  # a group that is not there is an error now, not at the first connection
        return await listen(host, local_port, reach)

    async def start(self) -> None:
        """Start the containers of a stopped group and wait until that is done.

        Hythe's own, by ``ContainerGroups_Start``.
        """
        await (await self._client.container_groups.begin_start(self.resource_group, self.name)).result()

    async def restart(self) -> None:
        """Restart all containers and wait until that is done.

        Hythe's own, by ``ContainerGroups_Restart``.
        """
        await (await self._client.container_groups.begin_restart(self.resource_group, self.name)).result()

    async def stop(self) -> None:
        """Stop the containers; the group stays.

        Hythe's own, by ``ContainerGroups_Stop``.
        """
        await self._client.container_groups.stop(self.resource_group, self.name)

    async def delete(self) -> ContainerGroup | None:
        """Delete the group, wait for the end, and return its last state, or None if there was none.

        Hythe's own, by ``ContainerGroups_Delete``.
        """
        return await self._client.container_groups.delete(self.resource_group, self.name)

    async def _first(self) -> str:
        """Name the first container."""
        return next(each.name for each in (await self.get()).containers or ())

    async def _content(self, container: str, tail: int | None, run: Mapping[str, str], *, alone: bool) -> str:
        """Read a log with times; empty while there is none yet, but an error for the previous run of one ``alone``."""
        try:
            said = await self._client.containers.list_logs(
                self.resource_group, self.name, container, tail=tail, timestamps=True, params=run
            )
        except (NotFound, Conflict):
            if run and alone:  # it was asked for by name, and waiting brings none
                raise
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


def _check(group: ContainerGroup, names: Sequence[str]) -> None:
    """See that the group has all these containers.  Raises `NotFound`."""
    there = [each.name for each in (*(group.containers or ()), *(group.init_containers or ()))]
    for name in names:
        if name not in there:
            raise NotFound(
                f"read the log of container {name!r}", status=404, code="ContainerNotFound",
                message=f"group {group.name!r} has no such container; it has {', '.join(there)}.",
            )  # fmt: skip
