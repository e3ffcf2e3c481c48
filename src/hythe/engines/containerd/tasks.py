"""Calls containerd's own services about containers that run: their processes, and what they were made from."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.empty_pb2 import Empty

from ..base import EngineError, Refused, Uid
from .proto import containers_pb2 as containers
from .proto import cri_pb2 as cri
from .proto import tasks_pb2 as tasks
from .rpc import Containerd, NotFound
from .sandbox import INSTALLATION, UID

Oci = dict[str, Any]
"""A part of an OCI runtime specification, as its JSON says it: the runtime's language, not ours."""

_TASKS = "/containerd.services.tasks.v1.Tasks/"
_GET_CONTAINER = "/containerd.services.containers.v1.Containers/Get"
_RUNNING = 2
_END_PATIENCE = 10.0
"""Seconds after which a killed process that is still there is one that can't be ended now."""
_PROCESS = "types.containerd.io/opencontainers/runtime-spec/1/Process"


def not_running(name: str) -> Refused:
    """Say that a container does not run."""
    return Refused("ContainerNotRunning", f"the container '{name}' does not run", name)


async def running(containerd: Containerd, installation: str, uid: Uid, name: str) -> str:
    """Give the id of a group's container.  Raises `Refused` (ContainerNotRunning) if it does not run."""
    answer = await containerd.call(
        "ListContainers",
        cri.ListContainersRequest(
            filter=cri.ContainerFilter(
                state=cri.ContainerStateValue(state=cri.CONTAINER_RUNNING),
                label_selector={INSTALLATION: installation, UID: uid},
            )
        ),
        cri.ListContainersResponse,
    )
    for one in answer.containers:
        if one.metadata.name.partition("-")[2] == name:
            return one.id
    raise not_running(name)


async def sandbox(containerd: Containerd, installation: str, uid: Uid) -> str:
    """Give the id of a group's sandbox.  Raises `Refused` (GroupNotRunning) if there is none that is ready."""
    wanted = cri.PodSandboxFilter(
        state=cri.PodSandboxStateValue(state=cri.SANDBOX_READY),
        label_selector={INSTALLATION: installation, UID: uid},
    )
    answer = await containerd.call(
        "ListPodSandbox", cri.ListPodSandboxRequest(filter=wanted), cri.ListPodSandboxResponse
    )
    if not answer.items:
        raise Refused("GroupNotRunning", "the group does not run")
    return answer.items[0].id


async def task(containerd: Containerd, identity: str) -> tasks.Process:
    """Give the first process of a container or sandbox.  Raises `NotFound`."""
    answer = await containerd.call(_TASKS + "Get", tasks.GetRequest(container_id=identity), tasks.GetResponse)
    return answer.process


async def open_of(containerd: Containerd, identity: str, what: str, flags: int) -> int | None:
    """Open a file below /proc of the first process of a container or sandbox; None if it does not run.

    Had the process ended, its number could be another's by now, and the file any other process's: it is believed
    only if the process still runs after the file was opened.
    """
    try:
        pid = (await task(containerd, identity)).pid
        file = os.open(f"/proc/{pid}/{what}", flags | os.O_CLOEXEC)
    except (NotFound, OSError):
        return None
    try:
        again = await task(containerd, identity)
        if pid and again.pid == pid and again.status == _RUNNING:
            kept, file = file, -1
            return kept
    except NotFound:
        pass
    finally:
        if file >= 0:
            os.close(file)
    return None


async def is_known(containerd: Containerd, identity: str) -> bool:
    """Tell whether containerd has books of a container or sandbox, one that is just being made too."""
    request = containers.GetContainerRequest(id=identity)
    try:
        await containerd.call(_GET_CONTAINER, request, containers.GetContainerResponse)
    except NotFound:
        return False
    return True


async def spec(containerd: Containerd, identity: str) -> Oci:
    """Give the OCI specification that a container was made from.  Raises `NotFound`."""
    answer = await containerd.call(
        _GET_CONTAINER, containers.GetContainerRequest(id=identity), containers.GetContainerResponse
    )
    document: Oci = json.loads(answer.container.spec.value)
    return document


class ExecTask:
    """One process that is started beside the first one of a container."""

    def __init__(self, containerd: Containerd, container: str, identity: str) -> None:
        self._containerd = containerd
        self._name: dict[str, Any] = {"container_id": container, "exec_id": identity}

    async def create(self, process: Oci, *, stdin: str, stdout: str, stderr: str) -> None:
        """Define it: an OCI process, and the paths of its FIFOs (empty for none)."""
        await self._containerd.call(
            _TASKS + "Exec",
            tasks.ExecProcessRequest(
                **self._name,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                terminal=bool(process.get("terminal")),
                spec=Packed(type_url=_PROCESS, value=json.dumps(process).encode()),
            ),
            Empty,
        )

    async def start(self) -> None:
        """Start it."""
        await self._containerd.call(_TASKS + "Start", tasks.StartRequest(**self._name), tasks.StartResponse)

    async def wait(self) -> int:
        """Wait for its end and give its exit code."""
        answer = await self._containerd.call(
            _TASKS + "Wait", tasks.WaitRequest(**self._name), tasks.WaitResponse, timeout=None
        )
        return answer.exit_status

    async def resize(self, rows: int, columns: int) -> None:
        """Tell it that its terminal has another size."""
        await self._containerd.call(
            _TASKS + "ResizePty", tasks.ResizePtyRequest(**self._name, height=rows, width=columns), Empty
        )

    async def close_input(self) -> None:
        """End its standard input once what is in the FIFO has been read."""
        await self._containerd.call(_TASKS + "CloseIO", tasks.CloseIORequest(**self._name, stdin=True), Empty)

    async def kill(self, signal: int = 9) -> None:
        """End it."""
        await self._containerd.call(_TASKS + "Kill", tasks.KillRequest(**self._name, signal=signal), Empty)

    async def delete(self) -> None:
        """Have it forgotten; forgotten already is fine."""
        with contextlib.suppress(NotFound):
            await self._containerd.call(
                _TASKS + "DeleteProcess", tasks.DeleteProcessRequest(**self._name), tasks.DeleteResponse
            )


async def end(containerd: Containerd, identity: str) -> None:
    """Kill the processes of a container or sandbox and wait until there is none.  Raises `Transient` if some stay."""
    request = tasks.WaitRequest(container_id=identity)
    with contextlib.suppress(NotFound):
        ended = asyncio.create_task(
            containerd.call(_TASKS + "Wait", request, tasks.WaitResponse, timeout=_END_PATIENCE)
        )
        try:
            await kill(containerd, identity)
            await ended
        finally:
            ended.cancel()


async def kill(containerd: Containerd, identity: str) -> None:
    """Kill a container's processes; whatever is in the way of that is found out by the next step."""
    request = tasks.KillRequest(container_id=identity, signal=signal.SIGKILL)
    with contextlib.suppress(EngineError):
        await containerd.call(f"{_TASKS}Kill", request, Empty)


async def discard(containerd: Containerd, identity: str) -> None:
    """End and remove what a start that was cut short left of a container, of which CRI knows nothing."""
    await end(containerd, identity)
    with contextlib.suppress(NotFound):
        await containerd.call(f"{_TASKS}Delete", tasks.DeleteTaskRequest(container_id=identity), tasks.DeleteResponse)
