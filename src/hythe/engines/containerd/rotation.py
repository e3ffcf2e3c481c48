"""Keeps logs within a bound: full files are renamed, containerd begins new ones, the oldest are removed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from ..base import EngineError
from .inotify import Watcher
from .logfile import LogFile, files
from .proto import cri_pb2 as cri
from .rpc import Containerd
from .sandbox import EPOCH, INSTALLATION, UID

log = logging.getLogger(__name__)

FULL_BYTES = 16 << 20
"""At this size a file is renamed."""
KEPT_BYTES = 96 << 20
"""A container's files have at most this, all its runs together; the written one and the one before stay, whatever."""
KEPT_FILES = 50
_CALM_SECONDS, _BUSY_SECONDS = 5.0, 0.5
_BUSY_BYTES = 1 << 20
"""A file that grew by this since the last look is looked at again soon."""
_DRAIN_SECONDS = 10.0


def surplus(every: list[LogFile]) -> list[LogFile]:
    """Give the files of a container that are too many, oldest first.  Pure."""
    size, count = sum(each.size for each in every), len(every)
    out = []
    for each in every[:-2]:
        if size <= KEPT_BYTES and count <= KEPT_FILES:
            break
        out.append(each)
        size -= each.size
        count -= 1
    return out


class Rotation:
    """Looks at the logs of all containers now and then."""

    def __init__(self, logs: Path, installation: str, watcher: Watcher, containerd: Callable[[], Containerd]) -> None:
        self._logs = logs
        self._installation = installation
        self._watcher = watcher
        self._containerd = containerd
        self._sizes: dict[Path, int] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            busy = False
            try:
                busy = await self._look()
            except (OSError, EngineError) as error:
                log.warning("cannot rotate logs: %s", error)
            await asyncio.sleep(_BUSY_SECONDS if busy else _CALM_SECONDS)

    async def _look(self) -> bool:
        """Rotate and remove what is due; tell whether something grows fast."""
        full, sizes = await asyncio.to_thread(self._scan)
        busy = any(size - self._sizes.get(path, 0) > _BUSY_BYTES for path, size in sizes.items())
        self._sizes = sizes
        if full:
            ids = await self._running()
            for each in full:
                identity = ids.get(each.path)
                if identity is not None:
                    await self._rotate(each.path, identity)
        return busy

    def _scan(self) -> tuple[list[LogFile], dict[Path, int]]:
        """Remove what is too much; give the full files and the sizes of those that are written."""
        full: list[LogFile] = []
        sizes: dict[Path, int] = {}
        for group in _folders(self._logs):
            for container in _folders(group):
                every = files(container)
                for each in surplus(every):
                    each.path.unlink(missing_ok=True)
                if every and every[-1].written:
                    sizes[every[-1].path] = every[-1].size
                    if every[-1].size >= FULL_BYTES:
                        full.append(every[-1])
        return full, sizes

    async def _running(self) -> dict[Path, str]:
        """Give the containers that run, by the file that they write."""
        wanted = cri.ContainerFilter(
            state=cri.ContainerStateValue(state=cri.CONTAINER_RUNNING),
            label_selector={INSTALLATION: self._installation},
        )
        answer = await self._containerd().call(
            "ListContainers", cri.ListContainersRequest(filter=wanted), cri.ListContainersResponse
        )
        return {
            self._logs
            / one.labels[UID]
            / one.metadata.name.partition("-")[2]
            / f"{one.labels[EPOCH]}-{one.metadata.attempt}.log": one.id
            for one in answer.containers
        }

    async def _rotate(self, path: Path, identity: str) -> None:
        """Rename a file, have a new one begun, and wait until containerd has drained into the old one and closed it."""
        with contextlib.suppress(FileNotFoundError), self._watcher.watch(path.parent) as watch:
            mine = [each for each in files(path.parent) if each.path.name.startswith(path.name + ".")]
            number = int(mine[-1].number) + 1 if mine else 1
            target = path.with_name(f"{path.name}.{number}")
            try:
                os.rename(path, target)
                await self._containerd().call(
                    "ReopenContainerLog",
                    cri.ReopenContainerLogRequest(container_id=identity),
                    cri.ReopenContainerLogResponse,
                )
                async with asyncio.timeout(_DRAIN_SECONDS):
                    while target.name not in watch.closed:
                        await watch.wait(_DRAIN_SECONDS)
            except TimeoutError:
                log.warning("containerd did not close %s after it was renamed", target)
            except EngineError as error:
                log.info("%s was not begun anew: %s", path, error)  # the container has ended


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
