"""Lists 10,000 groups of 2 containers: time and peak of memory, against Microsoft's package and bare requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from .canned import Canned
from .rivals import Service, figure, microsofts

WORKER = Path(__file__).parent / "workers" / "lists.py"
MOST = 7
"""Rounds: each takes ten seconds, nearly all of them Microsoft's."""


def measure(service: Service | None, rounds: int) -> list[dict[str, Any]]:
    """List in one response and in pages, each in a process of its own, in turn."""
    figures = []
    with Canned() as canned:
        for what, url in (("in one response", canned.url), ("in pages of 1,000", f"{canned.url}/pages")):
            figures += _compare(what, url, min(rounds, MOST))
    return figures


def _compare(what: str, url: str, rounds: int) -> list[dict[str, Any]]:
    pythons = {"hythe": sys.executable, "microsofts": microsofts(), "requests": microsofts()}
    seconds: dict[str, list[float]] = {who: [] for who in pythons}
    memory: dict[str, list[float]] = {who: [] for who in pythons}
    for _ in range(rounds):
        for who, python in pythons.items():
            said = subprocess.run([python, WORKER, who, url], check=True, capture_output=True, text=True).stdout
            took, peak = said.split()
            seconds[who].append(float(took))
            memory[who].append(float(peak))
    ours = median(seconds["hythe"])
    return [
        figure(f"list 10,000 groups {what}: Hythe", seconds["hythe"], "s"),
        figure(f"list 10,000 groups {what}: azure-mgmt-containerinstance", seconds["microsofts"], "s"),
        figure(f"list 10,000 groups {what}: requests + json.loads", seconds["requests"], "s"),
        figure(f"list 10,000 groups {what}: Hythe / Microsoft's", ours / median(seconds["microsofts"]), "", 0.05),
        figure(f"list 10,000 groups {what}: Hythe / requests", ours / median(seconds["requests"]), "", 1.0),
        figure(
            f"peak memory of that list {what}: Hythe / Microsoft's",
            median(memory["hythe"]) / median(memory["microsofts"]), "", 0.6 if "one" in what else 1.0,
        ),
        figure(f"peak memory of that list {what}: Hythe", memory["hythe"], "MB"),
        figure(f"peak memory of that list {what}: Microsoft's", memory["microsofts"], "MB"),
    ]  # fmt: skip
