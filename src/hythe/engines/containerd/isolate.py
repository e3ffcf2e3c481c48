"""Enters the network of a sandbox, and takes it away: for groups that are to reach nothing but themselves."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ..base import Refused, Transient
from .netns import delete_link, links_up, work_in


@contextlib.contextmanager
def entered(sandbox: str, pid: int) -> Iterator[int]:
    """Open the network namespace of a sandbox, whose first process is given.

    Raises `Refused` rather than give another namespace than the sandbox's own, `Transient` if it is not there.
    """
    try:
        space = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Transient(f"cannot enter the network of a sandbox: {error}") from None
    try:
        # The process was still the sandbox's after its namespace had been opened: so the namespace is the sandbox's.
        try:
            cgroup = Path(f"/proc/{pid}/cgroup").read_text()
            own = os.fstat(space).st_ino != os.stat("/proc/self/ns/net").st_ino
        except OSError as error:
            raise Transient(f"cannot enter the network of a sandbox: {error}") from None
        if sandbox not in cgroup or not own:
            raise Refused("NetworkError", "cannot enter the network of a sandbox: it has none of its own.")
        yield space
    finally:
        os.close(space)


async def cut_off(sandbox: str, pid: int) -> None:
    """Take away what leads out of a sandbox, whose first process is given; only its loopback stays.  Safe to repeat.

    Raises what `entered` raises.
    """

    def cut() -> set[str]:
        delete_link("eth0")
        return links_up()

    with entered(sandbox, pid) as space:
        try:
            left = await work_in(space, cut)
        except OSError as error:
            raise Transient(f"cannot take the network away: {error}") from None
    if left != {"lo"}:
        raise Refused("NetworkError", "cannot take the network away: more than the loopback would stay.")
