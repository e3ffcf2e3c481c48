"""Virtual networks: each is a network namespace with a bridge in it, into which its groups have a second link.

Nothing leads out of that namespace, so no rule keeps networks apart, and any of them may use any range: also one
that another network or the machine itself uses.  docs/decisions has the reasons.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from pathlib import Path

from ..base import Joined, Refused, Uid
from . import network
from .config import Place
from .isolate import entered

_SPACES = Path("/run/netns")
_LINK = "eth1"
_BRIDGE = "br0"


class VirtualNetworks:
    """The virtual networks of one installation; there is one as long as a group is in it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = asyncio.Lock()
        """Held while a network is made or removed: one must not be removed under a group that joins it."""
        self._joined: dict[Uid, tuple[str, Joined]] = {}
        """By group: what this process has seen to, and for which sandbox."""

    async def join(self, uid: Uid, joined: Joined, sandbox: str, pid: int) -> None:
        """Give a sandbox, whose first process is given, its address in a network.  Safe to repeat.

        Raises `Refused` if that can't be, `Transient` if the sandbox is gone.
        """
        if self._joined.get(uid) == (sandbox, joined):
            return
        space = f"{self._prefix}{joined.network[:12]}"
        port = _port(uid)
        async with self._lock:
            with entered(sandbox, pid) as there:
                await _ip(["netns", "add", space], check=not (_SPACES / space).exists())
                await _ip(["-n", space, "link", "add", _BRIDGE, "type", "bridge"], check=False)
                await _ip(["-n", space, "link", "set", _BRIDGE, "up"])
                if joined.address not in await _ip(["-4", "address", "show", _LINK], inside=there, check=False):
                    # What an earlier try left, here or in a sandbox that has ended, is in the way.
                    await _ip(["link", "delete", _LINK], inside=there, check=False)
                    await _ip(["-n", space, "link", "delete", port], check=False)
                    # Both ends are made where they belong: the machine itself never sees either.
                    ends = ["type", "veth", "peer", "name", port, "netns", space]
                    await _ip(["link", "add", "name", _LINK, *ends], inside=there)
                await _ip(["-n", space, "link", "set", port, "master", _BRIDGE, "up"])
                lines = _inner(joined, str(network.gateway(network.own_subnet(self._place))), _resolvers())
                await _ip(["-batch", "-"], inside=there, stdin=lines)
        self._joined[uid] = sandbox, joined

    async def leave(self, uid: Uid) -> None:
        """Take what a group has in a network away, and the network with its last group.  None is fine."""
        self._joined.pop(uid, None)
        for space in self._spaces():
            async with self._lock:
                await _ip(["-n", space, "link", "delete", _port(uid)], check=False)
                await self._tidy(space)

    async def open(self) -> None:
        """Remove networks in which an earlier run left no group."""
        for space in self._spaces():
            async with self._lock:
                await self._tidy(space)

    async def tear_down(self) -> None:
        """Remove all networks."""
        self._joined.clear()
        for space in self._spaces():
            await _ip(["netns", "delete", space], check=False)

    @property
    def _prefix(self) -> str:
        return f"{self._place.network}-"

    def _spaces(self) -> list[str]:
        if not _SPACES.is_dir():
            return []
        return [each.name for each in _SPACES.iterdir() if each.name.startswith(self._prefix)]

    async def _tidy(self, space: str) -> None:
        links = json.loads(await _ip(["-n", space, "-json", "link", "show"], check=False) or "[]")
        if not any(link.get("ifname", "").startswith(_PORT) for link in links):
            await _ip(["netns", "delete", space], check=False)


_PORT = "g"


def _port(uid: Uid) -> str:
    """Name a group's end in its network: names of devices have 15 characters at most."""
    return f"{_PORT}{uid[:14]}"


def _inner(joined: Joined, gateway: str, resolvers: Iterable[str]) -> str:
    """Give the input of ``ip -batch`` inside a sandbox.

    What the network's ranges cover is reached there, and nowhere else; but not the machine's own name servers, which
    the group asks too.
    """
    lines = [f"address replace {joined.address}/32 dev {_LINK}", f"link set {_LINK} up"]
    lines += [f"route replace {each} dev {_LINK} src {joined.address}" for each in joined.ranges]
    lines += [
        f"route replace {each} via {gateway} dev eth0"
        for each in resolvers
        if any(ip_address(each) in ip_network(covered) for covered in joined.ranges)
    ]
    return "\n".join(lines) + "\n"


def _resolvers() -> list[str]:
    """Give the name servers of this machine, which groups have in their resolv.conf."""
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines if line.startswith("nameserver")]
    return [each[1] for each in words if len(each) > 1 and each[1].replace(".", "").isdecimal()]


async def _ip(words: list[str], *, inside: int | None = None, stdin: str | None = None, check: bool = True) -> str:
    """Run ip, perhaps inside an open network namespace, and give what it printed.  Raises `Refused`."""
    process = await asyncio.create_subprocess_exec(
        *(() if inside is None else ("nsenter", f"--net=/proc/self/fd/{inside}")),
        "ip",
        *words,
        stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=() if inside is None else (inside,),
    )
    out, problem = await process.communicate(None if stdin is None else stdin.encode())
    if check and process.returncode:
        raise Refused("NetworkError", f"cannot join the virtual network: {problem.decode(errors='replace').strip()}")
    return out.decode(errors="replace")
