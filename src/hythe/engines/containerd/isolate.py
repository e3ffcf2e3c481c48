"""Takes the network away from a sandbox: for groups that are to reach nothing but themselves."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from ..base import Refused, Transient


async def cut_off(sandbox: str, pid: int) -> None:
    """Take away what leads out of a sandbox, whose first process is given; only its loopback stays.  Safe to repeat.

    Raises `Refused` rather than touch another network namespace than the sandbox's own, `Transient` if it is not there.
    """
    try:
        space = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Transient(f"cannot take the network away: {error}") from None
    try:
        # The process was still the sandbox's after its namespace had been opened: so the namespace is the sandbox's.
        cgroup = await asyncio.to_thread(Path(f"/proc/{pid}/cgroup").read_text)
        if sandbox not in cgroup or os.fstat(space).st_ino == os.stat("/proc/self/ns/net").st_ino:
            raise Refused("NetworkError", "cannot take the network away: the sandbox has none of its own.")
        await _ip(space, "link", "delete", "eth0")
        left = json.loads(await _ip(space, "-json", "link", "show", "up") or "[]")
    except OSError as error:
        raise Transient(f"cannot take the network away: {error}") from None
    finally:
        os.close(space)
    if [link["ifname"] for link in left if "ifname" in link] != ["lo"]:
        raise Refused("NetworkError", "cannot take the network away: more than the loopback would stay.")


async def _ip(space: int, *words: str) -> str:
    """Run ip inside a network namespace, and give what it printed."""
    process = await asyncio.create_subprocess_exec(
        "nsenter",
        f"--net=/proc/self/fd/{space}",
        "ip",
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=(space,),
    )
    out, _ = await process.communicate()
    return out.decode(errors="replace").strip()
