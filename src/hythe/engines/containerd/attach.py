"""Reaches the standard input of a container that was made with one."""

from __future__ import annotations

from pathlib import Path

from ..base import Refused
from .pipes import Writer
from .rpc import Containerd
from .tasks import not_running, task

INPUT_TAG = "hythe.stdin"
"""Tag of a group that names its containers with an open standard input, with commas between them."""


def wants_input(tags: dict[str, str] | None, container: str) -> bool:
    """Tell whether a container is made with an open standard input; Azure's have none."""
    return container in {name.strip() for name in (tags or {}).get(INPUT_TAG, "").split(",")}


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
