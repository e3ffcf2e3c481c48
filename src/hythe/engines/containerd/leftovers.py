"""Ends what a containerd that was killed left, and of which the next one knows nothing.

One that dies while it creates a container leaves a shim without a task, a process that was made and not started, or the
bundle of either.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from ..base import EngineError
from .config import Place
from .rpc import NAMESPACE, Containerd
from .sight import Sight
from .tasks import is_known

log = logging.getLogger(__name__)

_PROGRAMS = (b"containerd-shim-runc-v2", b"crun", b"runc")
_ID = re.compile(rb"\b[0-9a-f]{64}\b")
_LOOK_SECONDS = 10.0


def found(place: Place) -> dict[str, set[int]]:
    """Give the containers of an installation's own containerd of which there is a bundle, a shim or a runtime.

    With each the processes that name it.
    """
    mark = f"{place.state}/".encode()
    named: defaultdict[str, set[int]] = defaultdict(set)
    for bundle in _bundles(place).glob("*"):
        named[bundle.name] = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        program, *words = command.split(b"\0")
        if program.rpartition(b"/")[2] in _PROGRAMS and any(word.startswith(mark) for word in words):
            for identity in _ID.findall(command):
                named[identity.decode()].add(int(path.name))
    return named


def end(place: Place, identity: str, processes: set[int]) -> None:
    """End the processes of a container that containerd does not know, and remove its bundle."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    bundle = _bundles(place) / identity
    with contextlib.suppress(OSError):
        Path((bundle / "address").read_text().removeprefix("unix://")).unlink()  # the shim's socket
    if not (bundle / "rootfs").is_mount():
        for folder in (bundle, _bundles(place, place.root) / identity):
            shutil.rmtree(folder, ignore_errors=True)


async def end_forgotten(place: Place, sight: Sight, containerd: Callable[[], Containerd]) -> None:
    """End, for ever, what is there of containers that two looks do not know: to remove one takes a moment."""
    suspects: set[str] = set()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        there = await asyncio.to_thread(found, place)
        try:
            unknown = await _unknown(there, sight, containerd()) if there else set()
        except EngineError:
            continue  # containerd is away
        for identity in unknown & suspects:
            log.warning("ending what containerd left of container %s, which it does not know", identity)
            await asyncio.to_thread(end, place, identity, there[identity])
        suspects = unknown


async def _unknown(identities: Iterable[str], sight: Sight, containerd: Containerd) -> set[str]:
    """Give those of which containerd has no books: it makes them before anything else of a container."""
    listed = {identity for each in (await sight.glance(containerd)).values() for identity, _ in each}
    return {each for each in set(identities) - listed if not await is_known(containerd, each)}


def _bundles(place: Place, within: Path | None = None) -> Path:
    """Give the folder of the bundles, or of what containerd keeps of them over a reboot."""
    return (within or place.state) / "containerd" / "io.containerd.runtime.v2.task" / NAMESPACE
