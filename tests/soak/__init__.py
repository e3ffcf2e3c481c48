"""Creates, runs and deletes groups over and over, and compares what there is at the end with the beginning."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from msgspec import Struct

from tests.real.conftest import TOOLS, Running, container, group, traces, wait_for, web

WARMING = 10
"""Cycles before the first measurement: caches fill, and what is used the first time is loaded."""


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
    containers: int

    def grown(self, before: Measured, share: float = 0.02) -> dict[str, tuple[float, float]]:
        """Give what is more than ``share`` above what it was; what is counted may not grow at all."""
        most = {name: share if name.endswith("_mb") else 0.0 for name in self.__struct_fields__}
        return {
            name: (getattr(before, name), getattr(self, name))
            for name, allowed in most.items()
            if getattr(self, name) > getattr(before, name) * (1 + allowed)
        }


def measure(service: Running) -> Measured:
    """Measure an installation that has no groups."""
    daemon = int(Path(f"/run/hythe/{service.installation}/containerd.pid").read_text())
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
        containers=len(service.ctr("containers", "ls", "-q")),
    )


def _memory(pid: int) -> float:
    """Give the memory in MB that a process has for itself."""
    kinds: Counter[str] = Counter()
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, number, *_ = line.split()
        kinds[name] += int(number)
    return round((kinds["Private_Clean:"] + kinds["Private_Dirty:"]) / 1024, 1)


def cycle(service: Running, folder: str, number: int) -> None:
    """Create a group that serves, or a task; see it run, and delete it."""
    name = f"g{number}"
    task = number % 4 == 0
    what = group(container(image=TOOLS, command=["true"]), restart_policy="Never") if task else web()
    service.aci.container_groups.begin_create_or_update(folder, name, what).result()
    wait_for(lambda: service.state(folder, name) == ("Succeeded" if task else "Running"))
    if number % 10 == 0:
        assert traces(service).links, "a link of the group that runs"
    service.aci.container_groups.begin_delete(folder, name).result()


def cycles(service: Running, count: int, warming: int = WARMING) -> tuple[Measured, Measured]:
    """Run cycles; give what was measured after the first few and at the end."""
    folder = service.folder("soak")
    for number in range(warming):
        cycle(service, folder, number)
    before = measure(service)
    for number in range(count):
        cycle(service, folder, number)
    return before, measure(service)
