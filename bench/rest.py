"""Memory and CPU at rest: the service, connected to containerd, and containerd beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from .rivals import Service, figure

SECONDS = 30.0
MEMORY_LIMIT, CPU_LIMIT = 90.0, 0.5
_TICKS = os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    """Resident memory in MiB."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


def _cpu(pid: int) -> float:
    """Seconds of CPU used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def measure(service: Service, _: int) -> list[dict[str, Any]]:
    """Look at both processes over some time in which nobody asks anything."""
    time.sleep(3)
    pids = {"the service": service.pid, "containerd": service.containerd_pid}
    before = {name: _cpu(pid) for name, pid in pids.items()}
    begun = time.monotonic()
    time.sleep(SECONDS)
    took = time.monotonic() - begun
    figures = []
    for name, pid in pids.items():
        ours = name == "the service"
        cpu = 100 * (_cpu(pid) - before[name]) / took
        figures.append(figure(f"memory at rest, {name}", _memory(pid), "MiB", MEMORY_LIMIT if ours else None))
        figures.append(figure(f"CPU at rest, {name}, of one core", cpu, "%", CPU_LIMIT if ours else None))
    return figures
