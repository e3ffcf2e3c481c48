"""Ends groups: every process at once, and what that leaves - namespaces, address, files - right after, on the side.

CRI takes ten times as long to remove a sandbox as the kernel takes to end its processes, and nobody who deletes a
group waits for that.  What a service that died did not remove, the sweep of the next one does: no row knows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence

from ..base import EngineError, Uid
from . import tasks
from .proto import cri_pb2 as cri
from .rpc import Containerd, NotFound
from .runtime import remove_sandbox
from .sandbox import INSTALLATION, UID

log = logging.getLogger(__name__)

_AT_ONCE = 4
_SETTLE_PAUSE, _SETTLE_LOOKS = 0.01, 500
_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between tries to remove a sandbox."""
_PATIENCE = 5.0
"""Seconds for which a service that ends waits for what is being removed."""


class Leaving:
    """The groups of one installation that are going."""

    def __init__(self, installation: str, files: Callable[[Uid], Awaitable[None]]) -> None:
        """Take what removes the files of a group; called last."""
        self._installation = installation
        self._files = files
        self._going: dict[Uid, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def __contains__(self, uid: object) -> bool:
        """Tell whether a group has ended and is being removed."""
        return uid in self._going

    async def end(self, containerd: Containerd, uid: Uid) -> None:
        """End every process of a group, and have the rest removed.  Raises `Transient` if some can't be ended."""
        if uid in self._going:
            return
        mine = {INSTALLATION: self._installation, UID: uid}
        sandboxes, containers = await asyncio.gather(
            containerd.call(
                "ListPodSandbox",
                cri.ListPodSandboxRequest(filter=cri.PodSandboxFilter(label_selector=mine)),
                cri.ListPodSandboxResponse,
            ),
            containerd.call(
                "ListContainers",
                cri.ListContainersRequest(
                    filter=cri.ContainerFilter(
                        label_selector=mine, state=cri.ContainerStateValue(state=cri.CONTAINER_RUNNING)
                    )
                ),
                cri.ListContainersResponse,
            ),
        )
        ready = [one.id for one in sandboxes.items if one.state == cri.SANDBOX_READY]
        await asyncio.gather(
            *(tasks.end(containerd, identity) for identity in (*ready, *(one.id for one in containers.containers)))
        )
        self._going[uid] = asyncio.create_task(self._remove(containerd, uid, [one.id for one in sandboxes.items]))
        self._going[uid].add_done_callback(lambda _: self._going.pop(uid))

    async def _remove(self, containerd: Containerd, uid: Uid, sandboxes: Sequence[str]) -> None:
        for identity in sandboxes:
            await self._remove_sandbox(containerd, identity)
        async with self._slots:
            try:
                await self._files(uid)
            except OSError as error:
                log.warning("cannot remove the files of group %s, which the next sweep tries again: %s", uid, error)

    async def _remove_sandbox(self, containerd: Containerd, identity: str) -> None:
        """Remove a sandbox whose processes have ended, with a few tries; then the sweep tries again."""
        for pause in (*_PAUSES, None):
            try:
                async with self._slots:
                    await _settled(containerd, identity)
                    await remove_sandbox(containerd, identity)
                return
            except EngineError as error:
                log.warning("cannot remove the sandbox %s yet: %s", identity, error)
            if pause is not None:
                await asyncio.sleep(pause)

    async def finish(self) -> None:
        """Wait a little for what is being removed, then give it up, which is as harmless as dying."""
        if self._going:
            _, rest = await asyncio.wait([*self._going.values()], timeout=_PATIENCE)
            for task in rest:
                task.cancel()


async def _settled(containerd: Containerd, identity: str) -> None:
    """Wait until CRI has seen that a sandbox's own process has ended: before that, it would try to end it and fail."""
    request = cri.PodSandboxStatusRequest(pod_sandbox_id=identity)
    with contextlib.suppress(NotFound):
        for _ in range(_SETTLE_LOOKS):
            answer = await containerd.call("PodSandboxStatus", request, cri.PodSandboxStatusResponse)
            if answer.status.state != cri.SANDBOX_READY:
                return
            await asyncio.sleep(_SETTLE_PAUSE)
