"""What measuring costs: CPU and memory of the service while 100 real groups idle, and while there is none."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, median
from typing import Any

from .life import AT_ONCE, groups
from .rivals import Service, figure

GROUPS = 100
WINDOWS, SECONDS = 12, 5.0
_SETTLE = 15.0
_GLANCED = 75.0
"""Seconds after which the groups were glanced at once: they are nothing new any more."""
_TICK = os.sysconf("SC_CLK_TCK")


def measure(service: Service, rounds: int) -> list[dict[str, Any]]:
    """Let the service rest, then let it have groups.  What comes once a minute shows in the mean, not in the median."""
    time.sleep(_SETTLE)
    nothing = _shares(service.pid)
    before = _megabytes(service.pid)
    with groups(service) as held, ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(held.create, (f"metrics-{number}" for number in range(GROUPS))))
        time.sleep(_GLANCED)
        idle = _shares(service.pid)
        memory = _megabytes(service.pid) - before
    return [
        figure("CPU of the service without groups", nothing, "%", 0.5),
        figure(f"CPU of the service with {GROUPS} idle groups, measured each second", idle, "%"),
        figure("the same, mean with what comes once a minute (a glance at all, a look at each tenth)", mean(idle), "%"),
        figure("measuring and looking: the difference of the means", mean(idle) - mean(nothing), "%", 1.0),
        figure(f"sampling {GROUPS} groups: the difference", median(idle) - median(nothing), "%", 1.0),
        figure(f"memory of the service that {GROUPS} groups add", memory, "MB", 200.0),
    ]


def _shares(pid: int) -> list[float]:
    """Give how many percent of one CPU a process takes, in a minute's windows."""
    shares = []
    for _ in range(WINDOWS):
        begun, spent = time.monotonic(), _spent(pid)
        time.sleep(SECONDS)
        shares.append(100 * (_spent(pid) - spent) / (time.monotonic() - begun))
    return shares


def _spent(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _megabytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
