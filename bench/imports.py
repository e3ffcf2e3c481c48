"""Import time in a fresh process, beside Microsoft's three packages."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .rivals import Service, figure, microsofts

OURS = "from hythe import ContainerInstanceManagementClient; from hythe.models import ContainerGroup"
THEIRS = (
    "from azure.identity import ClientSecretCredential; "
    "from azure.mgmt.containerinstance import ContainerInstanceManagementClient; "
    "from azure.mgmt.resource.resources import ResourceManagementClient"
)
LIMIT = 0.10
HTTP = ("httpx2", "httpcore2", "requests", "urllib3", "aiohttp", "http.client", "urllib.request", "anyio")


def _time(python: Path | str, code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([python, "-c", code], check=True)
    return time.perf_counter() - begun


def measure(_: Service, rounds: int) -> list[dict[str, Any]]:
    """Take both, and an empty process, in turn."""
    theirs_python = microsofts()
    empty, ours, theirs = [], [], []
    for number in range(-1, rounds):
        taken = _time(sys.executable, "pass"), _time(sys.executable, OURS), _time(theirs_python, THEIRS)
        if number >= 0:
            for values, value in zip((empty, ours, theirs), taken, strict=True):
                values.append(value)
    check = f"{OURS}; import sys; print(len([name for name in {HTTP!r} if name in sys.modules]))"
    loaded = int(subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True).stdout)
    return [
        figure("fresh process that imports Hythe's client and models", ours, "s", LIMIT),
        figure("fresh process that imports Microsoft's three packages", theirs, "s"),
        figure("fresh process that imports nothing", empty, "s"),
        figure("HTTP libraries loaded by importing Hythe's client and models", float(loaded), "", 0),
    ]
