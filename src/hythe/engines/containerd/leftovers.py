"""Finds the processes that a containerd which was killed left, and of which the next one knows nothing.

One that dies while it creates a container leaves them: a shim without a task, a process that was made and not started.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

from ..base import EngineError
from .config import Place
from .rpc import Containerd
from .sight import Sight
from .tasks import is_known

log = logging.getLogger(__name__)

_PROGRAMS = (b"containerd-shim-runc-v2", b"crun", b"runc")
_ID = re.compile(rb"\b[0-9a-f]{64}\b")
_LOOK_SECONDS = 10.0


def processes(place: Place) -> dict[int, set[str]]:
    """Give the shims and runtimes of an installation's own containerd, with the containers that each is for."""
    mark = f"{place.state}/".encode()
    found: dict[int, set[str]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        program, *words = command.split(b"\0")
        if program.rpartition(b"/")[2] in _PROGRAMS and any(word.startswith(mark) for word in words):
            found[int(path.name)] = {each.decode() for each in _ID.findall(command)}
    return found


def end(pid: int) -> None:
    """End a process; one that has ended already is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def end_forgotten(place: Place, sight: Sight, containerd: Callable[[], Containerd]) -> None:
    """End, for ever, what is for containers that are not known in two looks: while one is removed, its shim ends."""
    suspects: set[int] = set()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        found = await asyncio.to_thread(processes, place)
        try:
            unknown = await _unknown(found, sight, containerd()) if found else set()
        except EngineError:
            continue  # containerd is away
        for pid in unknown & suspects:
            log.warning("ending process %s, which containerd left: it knows none of %s", pid, sorted(found[pid]))
            end(pid)
        suspects = unknown


async def _unknown(found: dict[int, set[str]], sight: Sight, containerd: Containerd) -> set[int]:
    """Give the processes that are for no container of which containerd has books: they begin before its processes."""
    listed = {identity for each in (await sight.glance(containerd)).values() for identity, _ in each}
    asked = {identity for each in found.values() for identity in each - listed}
    known = listed | {identity for identity in asked if await is_known(containerd, identity)}
    return {pid for pid, identities in found.items() if identities and not identities & known}
