"""Reaches the standard input of a container that was made with one."""

from __future__ import annotations

from pathlib import Path

from ..base import Refused
from .pipes import Writer
from .rpc import Containerd
from .sandbox import INPUT_TAG
from .tasks import not_running, task


async def open_input(containerd: Containerd, identity: str, name: str) -> Writer:
    """Open the standard input of a container.  Raises `Refused`: NoInput, ContainerNotRunning."""
    path = (await task(containerd, identity)).stdin
    if not path:
        raise Refused(
            "NoInput",
            f"the container '{name}' has no standard input. Make its group with the tag {INPUT_TAG}: {name}.",
            name,
        )
    try:
        return Writer(Path(path), make=False)
    except OSError:
        raise not_running(name) from None
