"""Reads what containers use: CPU and memory from their cgroups (v1, v2, or both), bytes from their network.

Everything that costs is done once, when a meter is made: containerd is asked for processes, and the files of their
cgroups are opened.  A reading is then a few reads of files that the kernel makes as they are read.
"""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

from msgspec import Struct

from ..base import Uid
from ..offers import Reading, Usage
from .proto import cri_pb2 as cri
from .rpc import Containerd
from .sandbox import INSTALLATION, UID
from .tasks import open_of

_MOST = 16 << 10
"""Bytes: more than any of these files has."""


class Mount(Struct, frozen=True, kw_only=True):
    """Where a hierarchy of cgroups is mounted."""

    controllers: frozenset[str]
    """Empty for version 2, whose one hierarchy has them all."""
    root: str
    """The cgroup that is seen at the mount point."""
    point: str


def parse_mounts(mountinfo: str) -> tuple[Mount, ...]:
    """Find the hierarchies in the text of /proc/self/mountinfo."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(), after.split(maxsplit=2)
        if kind in ("cgroup", "cgroup2"):
            controllers = frozenset(options.split(",")) if kind == "cgroup" else frozenset[str]()
            found.append(Mount(controllers=controllers, root=fields[3], point=fields[4]))
    return tuple(found)


def folder(mounts: tuple[Mount, ...], membership: str, controller: str) -> tuple[str, int] | None:
    """Give the folder of a process's cgroup for a controller, and its version; None if there is none.

    ``membership`` is the text of the process's /proc/PID/cgroup.  Where both versions are mounted, version 1 has the
    controllers that its lines name, and version 2 the others.
    """
    second = None
    for line in membership.splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            mount = next((one for one in mounts if controller in one.controllers), None)
            return (_below(mount, path), 1) if mount else None
        if not names:
            second = path
    mount = next((one for one in mounts if not one.controllers), None)
    return (_below(mount, second), 2) if mount and second is not None else None


def _below(mount: Mount, path: str) -> str:
    inside = os.path.relpath(path, mount.root)
    return os.path.normpath(os.path.join(mount.point, inside)) if not inside.startswith("..") else mount.point + path


@cache
def _mounts() -> tuple[Mount, ...]:
    return parse_mounts(Path("/proc/self/mountinfo").read_text())


class CgroupFiles:
    """The open files of one container's cgroups."""

    def __init__(self, identity: str, membership: str, mounts: tuple[Mount, ...]) -> None:
        """Open them.  Raises OSError if one is not there."""
        self.identity = identity
        cpu, memory = folder(mounts, membership, "cpuacct"), folder(mounts, membership, "memory")
        if cpu is None or memory is None:
            raise FileNotFoundError("no cgroup counts what it uses")
        self._second = cpu[1] == 2  # noqa: PLR2004 - the version
        in_memory = (b"total_inactive_file ", "memory.usage_in_bytes") if memory[1] == 1 else (
            b"\ninactive_file ", "memory.current")  # fmt: skip
        self._reclaimable = in_memory[0]
        self._files: list[int] = []
        try:
            for where, name in (
                (cpu[0], "cpu.stat" if self._second else "cpuacct.usage"),
                (memory[0], in_memory[1]),
                (memory[0], "memory.stat"),
            ):
                self._files.append(os.open(f"{where}/{name}", os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            self.close()
            raise

    def read(self) -> Usage:
        """Read them.  Raises OSError once the cgroup is gone."""
        cpu, used, details = self._files
        spent = os.pread(cpu, _MOST, 0)
        nanoseconds = 1000 * int(spent.split(None, 2)[1]) if self._second else int(spent)
        text = os.pread(details, _MOST, 0)
        at = text.find(self._reclaimable)
        unused = int(text[at + len(self._reclaimable) :].split(None, 1)[0]) if at >= 0 else 0
        return Usage(id=self.identity, cpu=nanoseconds, memory=max(0, int(os.pread(used, _MOST, 0)) - unused))

    def close(self) -> None:
        """Close them."""
        while self._files:
            os.close(self._files.pop())


def parse_devices(text: bytes) -> tuple[int, int]:
    """Sum the bytes received and sent by every device but the loopback, in the text of /proc/PID/net/dev."""
    received = sent = 0
    for line in text.splitlines()[2:]:
        name, _, numbers = line.partition(b":")
        if name.strip() != b"lo":
            fields = numbers.split()
            received += int(fields[0])
            sent += int(fields[8])
    return received, sent


class GroupMeter:
    """Reads what one group uses, as long as the containers run that ran when it was made."""

    def __init__(self, containers: dict[str, CgroupFiles], process: int | None) -> None:
        """``process`` is the open folder below /proc of a process in the group's network; it is closed with this.

        What is opened below it is that process's or, once it has ended, nothing: never another one's.
        """
        self._containers = containers
        self._process = process

    def read(self) -> Reading:
        """Read; what has ended is left out."""
        at, usage = time.monotonic(), {}
        for name, files in self._containers.items():
            try:
                usage[name] = files.read()
            except (OSError, ValueError, IndexError):
                continue
        received, sent = self._network()
        return Reading(at=at, containers=usage, received=received, sent=sent)

    def _network(self) -> tuple[int | None, int | None]:
        if self._process is None:
            return None, None
        try:
            file = os.open("net/dev", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._process)
            try:
                return parse_devices(os.read(file, _MOST))
            finally:
                os.close(file)
        except OSError:
            return None, None

    def close(self) -> None:
        """Close every file."""
        for files in self._containers.values():
            files.close()
        self._containers = {}
        if self._process is not None:
            os.close(self._process)
            self._process = None


async def meter(containerd: Containerd, installation: str, uid: Uid) -> GroupMeter:
    """Find what is to be read of a group, and open it."""
    mine = {INSTALLATION: installation, UID: uid}
    listed = await containerd.call(
        "ListContainers",
        cri.ListContainersRequest(
            filter=cri.ContainerFilter(state=cri.ContainerStateValue(state=cri.CONTAINER_RUNNING), label_selector=mine)
        ),
        cri.ListContainersResponse,
    )
    containers: dict[str, CgroupFiles] = {}
    process = None
    try:
        for one in listed.containers:
            membership = await _membership(containerd, one.id)
            if membership is None:
                continue
            try:
                containers[one.metadata.name.partition("-")[2]] = CgroupFiles(one.id, membership, _mounts())
            except OSError:
                continue  # it has just ended
        if containers:
            sandbox = listed.containers[0].pod_sandbox_id
            process = await open_of(containerd, sandbox, "", os.O_RDONLY | os.O_DIRECTORY)
    except BaseException:
        GroupMeter(containers, process).close()
        raise
    return GroupMeter(containers, process)


async def _membership(containerd: Containerd, identity: str) -> str | None:
    file = await open_of(containerd, identity, "cgroup", os.O_RDONLY)
    if file is None:
        return None
    try:
        return os.read(file, _MOST).decode()
    except OSError:
        return None
    finally:
        os.close(file)
