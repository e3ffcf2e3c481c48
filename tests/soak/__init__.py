"""Creates, runs and deletes groups over and over, and compares what there is at the end with the beginning."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from hythe.models import ContainerGroup, ContainerGroupIdentity, Volume, VolumeMount
from tests.real.conftest import TOOLS, Running, container, files_of_cgroups, group, look, traces, wait_for, web

AT_ONCE = 8
"""Groups: as many as two cores can be kept busy with."""
REMOVED_WITHIN = 30.0
"""Seconds."""


class Measured(Struct, frozen=True, kw_only=True):
    """What an installation takes of its machine while no group runs."""

    service_mb: float
    containerd_mb: float
    service_files: int
    containerd_files: int
    mounts: int
    namespaces: int
    links: int
    rules: int
    routes: int
    addresses: int
    """Those that are taken of the subnet."""
    folders: int
    """Of groups, with logs or volumes in them."""
    containers: int
    processes: int

    def grown(self, before: Measured, share: float = 0.02) -> dict[str, tuple[float, float]]:
        """Give what is more than ``share`` above what it was, with both numbers; what is counted may not grow."""
        most = {name: share if name.endswith("_mb") else 0.0 for name in self.__struct_fields__}
        return {
            name: (getattr(before, name), getattr(self, name))
            for name, allowed in most.items()
            if getattr(self, name) > getattr(before, name) * (1 + allowed)
        }


def measure(service: Running) -> Measured:
    """Measure an installation that has no groups."""
    state = Path("/run/hythe", service.installation)
    daemon = int((state / "containerd.pid").read_text())
    engine = service.data_dir / "engine"
    found = traces(service)
    mounts = Path(f"/proc/{daemon}/mounts").read_text()  # it may have a mount namespace of its own
    return Measured(
        service_mb=_memory(service.pid),
        containerd_mb=_memory(daemon),
        service_files=len(os.listdir(f"/proc/{service.pid}/fd")),
        containerd_files=len(os.listdir(f"/proc/{daemon}/fd")),
        mounts=mounts.count(service.installation) + mounts.count(str(service.data_dir)),
        namespaces=len(found.namespaces),
        links=len(found.links),
        rules=len(found.rules),
        routes=len(found.routes),
        addresses=len([*(state / "addresses").glob("*/10.*")]),
        folders=len([*engine.glob("logs/*"), *engine.glob("volumes/*"), *(state / "secrets").glob("*")]),
        containers=len(service.ctr("containers", "ls", "-q")),
        processes=len(found.processes),
    )


def _memory(pid: int) -> float:
    """Give the memory in MB that a process has written to and for itself: what nobody else could use."""
    kinds: Counter[str] = Counter()
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, number, *_ = line.split()
        kinds[name] += int(number)
    return round(kinds["Private_Dirty:"] / 1024, 1)


def what(number: int) -> ContainerGroup:
    """Give a group: in turn a task, one that serves, one with volumes, one with an identity."""
    made = web()
    match number % 4:
        case 0:
            return group(container(image=TOOLS, command=["true"]), restart_policy="Never")
        case 1:
            made.volumes = [Volume(name="secret", secret={"key": "dmFsdWU="}), Volume(name="empty", empty_dir={})]
            made.containers[0].volume_mounts = [VolumeMount(name=one.name, mount_path=f"/{one.name}")
                                                for one in made.volumes]  # fmt: skip
        case 2:
            made.identity = ContainerGroupIdentity(type="SystemAssigned")
    return made


def cycle(service: Running, folder: str, number: int) -> None:
    """Create a group, see it run, and delete it."""
    name, wanted = f"g{number}", what(number)
    service.aci.container_groups.begin_create_or_update(folder, name, wanted).result()
    wait_for(lambda: service.state(folder, name) == ("Succeeded" if wanted.restart_policy else "Running"))
    look(service)
    service.aci.container_groups.begin_delete(folder, name).result()


def cycles(service: Running, count: int, warming: int, rest: float = 0) -> tuple[Measured, Measured]:
    """Run cycles, some at a time; give what was measured after the first few, and at the end, each after a rest."""
    folder = service.folder("soak")
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda number: cycle(service, folder, number), range(warming)))
        before = measured_at_rest(service, rest)
        list(threads.map(lambda number: cycle(service, folder, number), range(count)))
    # Every group had a link, and a namespace of its own.
    assert min(len(service.links), len(service.namespaces)) >= count, "not all was seen that could be left"
    return before, measured_at_rest(service, rest)


def measured_at_rest(service: Running, rest: float) -> Measured:
    """Measure once the service had time to remove what deleted groups leave, which it does on the side."""

    def clean() -> bool:
        now = measure(service)
        return not (
            now.containers or now.links or now.namespaces or now.addresses or now.folders
            or files_of_cgroups(service.pid)  # of groups that were measured
        )  # fmt: skip

    with contextlib.suppress(AssertionError):  # what is left is in the figures
        wait_for(clean, REMOVED_WITHIN)
    time.sleep(rest)
    return measure(service)
