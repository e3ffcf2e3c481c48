"""Looks at what containerd has of one group, and turns it into what the planner reads."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from datetime import UTC, datetime

from ..base import ContainerSeen, Finished, Observed, SandboxSeen, Uid
from .logfile import is_complete
from .proto import cri_pb2 as cri
from .rpc import Containerd, NotFound
from .sandbox import EPOCH, INSTALLATION, SPEC, UID

_STATES = {
    cri.CONTAINER_CREATED: "created",
    cri.CONTAINER_RUNNING: "running",
    cri.CONTAINER_EXITED: "exited",
    cri.CONTAINER_UNKNOWN: "unknown",
}
_NOT_STARTED = "StartError"
_STARVED = "OOMKilled"
_SETTLE_PAUSES = (*[0.005] * 40, *[0.05] * 200)
"""Seconds between looks at a container whose end was announced: soon, then for ten seconds if the machine is busy."""


def _when(nanoseconds: int) -> datetime | None:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC) if nanoseconds > 0 else None


def _is_settled(status: cri.ContainerStatus) -> bool:
    """Tell whether a container that ended is known to have, and all that it wrote is in its log."""
    if status.state == cri.CONTAINER_EXITED:
        return is_complete(status.log_path)
    return status.state != cri.CONTAINER_RUNNING


async def _listed(
    containerd: Containerd, labels: dict[str, str]
) -> tuple[cri.ListPodSandboxResponse, cri.ListContainersResponse]:
    """Give the sandboxes and containers that carry some labels."""
    return await asyncio.gather(
        containerd.call(
            "ListPodSandbox",
            cri.ListPodSandboxRequest(filter=cri.PodSandboxFilter(label_selector=labels)),
            cri.ListPodSandboxResponse,
        ),
        containerd.call(
            "ListContainers",
            cri.ListContainersRequest(filter=cri.ContainerFilter(label_selector=labels)),
            cri.ListContainersResponse,
        ),
    )


class Sight:
    """Looks, and remembers what never changes of what it saw."""

    def __init__(self, installation: str) -> None:
        self._installation = installation
        self.addresses: dict[str, str] = {}
        """By sandbox."""
        self.owners: dict[str, Uid] = {}
        """By container or sandbox: the group that it belongs to."""
        self.ended: set[str] = set()
        """Containers and sandboxes whose end was announced, and that were not looked at since."""
        self.starved: set[str] = set()
        """Containers of which it was announced that their memory did not suffice."""
        self.refused: set[str] = set()
        """Containers of which this process was told that they can't be started."""

    def forget(self, uid: Uid) -> None:
        """Drop what is remembered of a group's containers and sandboxes."""
        for identity, owner in [*self.owners.items()]:
            if owner == uid:
                self.drop(identity)

    def drop(self, identity: str) -> None:
        """Drop what is remembered of one container or sandbox."""
        self.owners.pop(identity, None)
        self.addresses.pop(identity, None)
        self.ended.discard(identity)
        self.starved.discard(identity)
        self.refused.discard(identity)

    async def glance(self, containerd: Containerd) -> dict[Uid, frozenset[tuple[str, int]]]:
        """Give the ids and states of what there is of each group."""
        sandboxes, containers = await _listed(containerd, {INSTALLATION: self._installation})
        found: defaultdict[Uid, set[tuple[str, int]]] = defaultdict(set)
        for sandbox in sandboxes.items:
            found[Uid(sandbox.labels[UID])].add((sandbox.id, sandbox.state))
        for one in containers.containers:
            found[Uid(one.labels[UID])].add((one.id, one.state))
        return {uid: frozenset(each) for uid, each in found.items()}

    async def observe(self, containerd: Containerd, uid: Uid) -> Observed:
        """Look at the sandboxes and containers that carry this uid."""
        sandboxes, containers = await _listed(containerd, {INSTALLATION: self._installation, UID: uid})
        ordered = sorted(sandboxes.items, key=lambda one: (one.state, -one.metadata.attempt))
        sandbox = await self._see_sandbox(containerd, ordered[0], uid) if ordered else None
        seen = await asyncio.gather(
            *(
                self._see_container(containerd, one.id, uid)
                for one in containers.containers
                if sandbox is not None and one.pod_sandbox_id == sandbox.id
            )
        )
        return Observed(
            sandbox=sandbox,
            stale=tuple(one.id for one in ordered[1:]),
            containers=tuple(one for one in seen if one is not None),
        )

    async def _see_sandbox(self, containerd: Containerd, sandbox: cri.PodSandbox, uid: Uid) -> SandboxSeen:
        identity, state = sandbox.id, sandbox.state
        self.owners[identity] = uid
        address = self.addresses.get(identity)
        request = cri.PodSandboxStatusRequest(pod_sandbox_id=identity)
        for pause in _SETTLE_PAUSES:
            if address is not None and not (identity in self.ended and state == cri.SANDBOX_READY):
                break
            with contextlib.suppress(NotFound):
                answer = await containerd.call("PodSandboxStatus", request, cri.PodSandboxStatusResponse)
                address, state = answer.status.network.ip, answer.status.state
                self.addresses[identity] = address
                if identity in self.ended and state == cri.SANDBOX_READY:
                    await asyncio.sleep(pause)
                continue
            address, state = address or "", cri.SANDBOX_NOTREADY
        self.ended.discard(identity)
        return SandboxSeen(
            id=identity,
            ready=state == cri.SANDBOX_READY,
            attempt=sandbox.metadata.attempt,
            ip=address or None,
            created_at=_when(sandbox.created_at),
        )

    async def _see_container(self, containerd: Containerd, identity: str, uid: Uid) -> ContainerSeen | None:
        self.owners[identity] = uid
        request = cri.ContainerStatusRequest(container_id=identity)
        for pause in _SETTLE_PAUSES:
            try:
                answer = await containerd.call("ContainerStatus", request, cri.ContainerStatusResponse)
            except NotFound:
                return None
            if identity not in self.ended or _is_settled(answer.status):
                break
            # Its end was announced; CRI's own books, and the last of its log, follow some milliseconds later.
            await asyncio.sleep(pause)
        self.ended.discard(identity)
        status = answer.status
        finished = None
        if status.state == cri.CONTAINER_EXITED:
            reason = status.reason if status.reason not in ("Completed", "Error") else ""
            if not reason and identity in self.starved:
                reason = _STARVED  # CRI books that apart from the end, and maybe later
            started, ended = status.started_at, status.finished_at
            finished = Finished(
                exit_code=status.exit_code,
                reason=reason,
                message=status.message,
                # CRI notes the start when it hears of it: a short run may have ended before.
                started_at=_when(min(started, ended) if ended > 0 else started),
                finished_at=_when(ended),
            )
        return ContainerSeen(
            name=status.metadata.name.partition("-")[2],
            id=identity,
            state=_STATES[status.state],
            epoch=int(status.labels.get(EPOCH, "0")),
            attempt=status.metadata.attempt,
            spec=status.labels.get(SPEC, ""),
            image=status.image_ref,
            started_at=_when(status.started_at),
            finished=finished,
            cut_short=finished is not None and finished.reason == _NOT_STARTED and identity not in self.refused,
        )
