"""What the engine offers to look inside: logs, commands, input, ports, files.  A part of `ContainerdEngine`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from ..base import Refused, Uid
from ..offers import Input, Process, Run, Size
from . import attach, copy, forward, logfile, stats
from .config import Place
from .exec import Execs
from .follow import follow
from .inotify import Watcher
from .proto import cri_pb2 as cri
from .rotation import Rotation
from .rpc import Containerd, NotFound
from .sandbox import EPOCH, INSTALLATION, UID
from .tasks import not_running, open_of, running, sandbox


class Streams:
    """The streams of one installation's containers."""

    place: Place

    def __init__(self, place: Place) -> None:
        self.place = place
        self._watcher = Watcher()
        self._execs = Execs(place.state / "exec")
        self._rotation = Rotation(place.logs, place.installation, self._watcher, lambda: self.containerd)
        self._rotating: asyncio.Task[None] | None = None

    @property
    def containerd(self) -> Containerd:
        """The connection.  Raises `Lost` if there is none."""
        raise NotImplementedError

    async def open_streams(self) -> None:
        """End what an earlier service left, and keep logs within their bound from now on."""
        await self._execs.clear(self.containerd)
        self._rotating = asyncio.create_task(self._rotation.run())

    async def close_streams(self) -> None:
        """Watch nothing any more."""
        if self._rotating is not None:
            self._rotating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._rotating
            self._rotating = None
        self._watcher.close()

    async def _running(self, uid: Uid, container: str) -> str:
        return await running(self.containerd, self.place.installation, uid, container)

    # --- logs ---

    async def logs(
        self, uid: Uid, container: str, *, tail: int | None, timestamps: bool, limit: int, previous: bool = False
    ) -> str | None:
        """Read the log files of a container's newest run, or of the one before."""
        return await asyncio.to_thread(
            logfile.read,
            self.place.logs / uid / container,
            tail=tail,
            timestamps=timestamps,
            limit=limit,
            previous=previous,
        )

    async def runs(self, uid: Uid, container: str) -> list[Run]:
        """Give the runs of a container that have log files."""
        return await asyncio.to_thread(logfile.runs, self.place.logs / uid / container)

    def follow(
        self, uid: Uid, container: str, *, tail: int | None, timestamps: bool, run: Run | None, limit: int | None
    ) -> AsyncGenerator[bytes, None]:
        """Follow the log of a run of a container."""

        async def goes_on(run: Run) -> bool:
            answer = await self.containerd.call(
                "ListContainers",
                cri.ListContainersRequest(
                    filter=cri.ContainerFilter(label_selector={INSTALLATION: self.place.installation, UID: uid})
                ),
                cri.ListContainersResponse,
            )
            return any(
                one.state in (cri.CONTAINER_RUNNING, cri.CONTAINER_CREATED)  # its log may be there a moment before
                and one.metadata.name.partition("-")[2] == container
                and (int(one.labels[EPOCH]), one.metadata.attempt) == run
                for one in answer.containers
            )

        return follow(
            self.place.logs / uid / container,
            self._watcher,
            goes_on,
            tail=tail,
            timestamps=timestamps,
            run=run,
            limit=limit,
        )

    # --- processes ---

    async def exec(self, uid: Uid, container: str, command: Sequence[str], *, tty: Size | None, stdin: bool) -> Process:
        """Start a command in a container."""
        identity = await self._running(uid, container)
        try:
            return await self._execs.start(self.containerd, identity, command, tty=tty, stdin=stdin)
        except NotFound:
            raise not_running(container) from None

    async def attach(self, uid: Uid, container: str) -> Input:
        """Open the standard input of a container."""
        identity = await self._running(uid, container)
        try:
            return await attach.open_input(self.containerd, identity, container)
        except NotFound:
            raise not_running(container) from None

    # --- ports ---

    async def connect(self, uid: Uid, port: int) -> socket.socket:
        """Connect to a port inside a group."""
        identity = await sandbox(self.containerd, self.place.installation, uid)
        namespace = await open_of(self.containerd, identity, "ns/net", os.O_RDONLY)
        if namespace is None:
            raise Refused("GroupNotRunning", "the group does not run")
        try:
            return await forward.connect(namespace, port)
        finally:
            os.close(namespace)

    # --- files ---

    async def copy_out(self, uid: Uid, container: str, path: str, limit: int) -> AsyncGenerator[bytes, None]:
        """Give the tar stream of a path in a container."""
        identity = await self._running(uid, container)
        process = await self._execs.process_of(self.containerd, identity)
        blocks = copy.copy_out(self.containerd, identity, container, path, limit, process)
        async with contextlib.aclosing(blocks):
            async for block in blocks:
                yield block

    async def copy_in(self, uid: Uid, container: str, path: str, archive: AsyncIterator[bytes], limit: int) -> None:
        """Unpack a tar stream into a folder of a container."""
        identity = await self._running(uid, container)
        process = await self._execs.process_of(self.containerd, identity)
        await copy.copy_in(self.containerd, identity, container, path, archive, limit, process)

    # --- what is used ---

    async def meter(self, uid: Uid) -> stats.GroupMeter:
        """Give a meter for the containers of a group that run now."""
        return await stats.meter(self.containerd, self.place.installation, uid)
