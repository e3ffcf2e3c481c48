"""Runs commands to their end: one, or many at a time, each in a group of its own that is deleted afterwards."""

from __future__ import annotations

import itertools
import shlex
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from hythe.client.outcomes import RunResult, container_state, state_of
from hythe.client.task_definition import TaskOptions, define
from hythe.errors import (
    ConnectionFailed,
    NotFound,
    OperationFailed,
    QuotaExceeded,
    ServiceFault,
    StillRunning,
    Throttled,
)
from hythe.models import Container

from ._io import Lock, run_all
from .group import Group

if TYPE_CHECKING:
    from .container_instances import ContainerInstanceManagementClient

Command = str | Sequence[str]
Progress = Callable[[int, int, RunResult], object]


async def run(
    client: ContainerInstanceManagementClient,
    image: str,
    command: Command | None,
    *,
    resource_group: str,
    name: str | None,
    timeout: float | None,
    keep: bool,
    options: TaskOptions,
) -> RunResult:
    """Run one command; see `ContainerInstanceManagementClient.run`."""
    clock = client._session.clock
    begun = clock.now()
    group = Group(client, resource_group, name or f"run-{uuid.uuid4().hex[:12]}")
    words = shlex.split(command) if isinstance(command, str) else None if command is None else list(command)
    location = options.get("location") or await client.ensure_resource_group(resource_group)
    if name is not None and await _is_there(group):
        raise ValueError(f"cannot run {image!r} as group {name!r}: there is one. Choose another name, or delete it.")
    try:
        poller = await client.container_groups.begin_create_or_update(
            resource_group, group.name, define(image, words, location, options)
        )
        await poller.result(timeout)
        left = None if timeout is None else max(timeout - (clock.now() - begun), 0.0)
        ended = await group.wait("Terminated", timeout=left)
        state = container_state((ended.containers or [Container(name=group.name)])[0])
        return RunResult(
            name=group.name,
            exit_code=state.exit_code if state else None,
            log=await _log(group),
            state=state_of(ended),
            detail=(state.detail_status or "") if state else "",
            started=state.start_time if state else None,
            finished=state.finish_time if state else None,
            waited=clock.now() - begun,
        )
    finally:
        if not keep:
            await _remove(group)


async def _is_there(group: Group) -> bool:
    try:
        await group.get()
    except NotFound:
        return False
    return True


async def _log(group: Group) -> str:
    try:
        return await group.log()
    except NotFound:
        return ""


async def _remove(group: Group) -> None:
    """Delete a group, however its task went; what went wrong before counts more than what goes wrong here."""
    try:
        await group.delete()
    except NotFound:
        return


_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


async def run_many(
    client: ContainerInstanceManagementClient,
    image: str,
    commands: Iterable[Command],
    *,
    parallel: int,
    retries: int,
    on_result: Progress | None,
    resource_group: str,
    timeout: float | None,
    options: TaskOptions,
) -> list[RunResult]:
    """Run many commands; see `ContainerInstanceManagementClient.map`."""
    if parallel < 1:
        raise ValueError(f"cannot run {parallel} commands at a time: give parallel=1 or more")
    wanted = list(commands)
    location = options.get("location") or await client.ensure_resource_group(resource_group)
    settled = TaskOptions(**{**options, "location": location})
    done, telling = itertools.count(1), Lock()

    async def one(index: int) -> RunResult:
        result = await _with_retries(client, image, wanted[index], retries, resource_group, timeout, settled)
        if on_result is not None:
            async with telling:  # in the order of the numbers
                on_result(next(done), len(wanted), result)
        return result

    return await run_all(one, len(wanted), parallel)


async def _with_retries(
    client: ContainerInstanceManagementClient,
    image: str,
    command: Command,
    retries: int,
    resource_group: str,
    timeout: float | None,
    options: TaskOptions,
) -> RunResult:
    """Run a command until it ends well, or has been tried often enough; a failure to run at all is a result too."""
    attempt = 1
    while True:
        try:
            result = await run(
                client, image, command, resource_group=resource_group, name=None, timeout=timeout, keep=False,
                options=options,
            )  # fmt: skip
        except (OperationFailed, StillRunning) as why:
            result = RunResult(name="", exit_code=None, log="", state="Failed", detail=str(why))
        except (QuotaExceeded, Throttled, ServiceFault, ConnectionFailed) as why:
            # It may pass, by the end of other tasks if by nothing else, whose results are not to be lost.
            result = RunResult(name="", exit_code=None, log="", state="Failed", detail=str(why))
            if attempt <= retries:
                await client._session.clock.sleep(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1)))
        if result.ok or attempt > retries:
            return msgspec.structs.replace(result, attempts=attempt)
        attempt += 1
