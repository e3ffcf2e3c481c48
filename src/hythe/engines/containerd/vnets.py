"""Virtual networks: each is a network namespace with a bridge in it, into which its groups have a second link.

Nothing leads out of that namespace, so no rule keeps networks apart, and any of them may use any range: also one
that another network or the machine itself uses.  docs/decisions has the reasons.
"""

from __future__ import annotations

import asyncio
import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path

from ..base import Joined, Refused, Transient, Uid
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

    def has(self, uid: Uid, joined: Joined, sandbox: str) -> bool:
        """Tell whether this process has seen to it that a sandbox has its address in a network, as that is now."""
        return self._joined.get(uid) == (sandbox, joined)

    async def join(self, uid: Uid, joined: Joined, sandbox: str, pid: int) -> None:
        """Give a sandbox, whose first process is given, its address in a network.  Safe to repeat.

        One that has it already gets the ways to what the network reaches now.
        Raises `Refused` if that can't be, `Transient` if the sandbox is gone.
        """
        if self.has(uid, joined, sandbox):
            return
        space, port = self._space(joined), _port(uid)
        gateway = str(network.gateway(network.own_subnet(self._place)))
        async with self._lock:
            with entered(sandbox, pid) as there:
                held = await _ip(["link", "show", _LINK], inside=there, check=False)
                sign = _SIGN.search(held)
                if sign is None or sign[1] != joined.address:
                    if held:  # what an earlier try left
                        await _ip(["link", "delete", _LINK], inside=there)
                    await _ip(["netns", "add", space], check=not (_SPACES / space).exists())
                    await _ip(["-n", space, "-force", "-batch", "-"], stdin=_outer(port), check=False)
                    await _ip(["-batch", "-"], inside=there, stdin=_inner(joined, space, port, gateway))
                else:
                    await _ip(["-batch", "-"], inside=there, stdin="\n".join(_routes(joined, gateway)))
                await _ip(["-n", space, "link", "set", port, "master", _BRIDGE, "up"])
        self._joined[uid] = sandbox, joined

    async def leave(self, uid: Uid) -> None:
        """Take what a group has in a network away, and the network with its last group.  None is fine.

        Other networks are left alone.
        """
        known = self._joined.pop(uid, None)
        port = _port(uid)
        for space in self._spaces() if known is None else [self._space(known[1])]:
            async with self._lock:
                ports = await _ports(space)
                if ports is None or (known is None and port not in ports):
                    continue
                if port in ports:
                    await _ip(["-n", space, "link", "delete", port], check=False)
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

    def _space(self, joined: Joined) -> str:
        return f"{self._prefix}{joined.network[:12]}"

    def _spaces(self) -> list[str]:
        if not _SPACES.is_dir():
            return []
        return [each.name for each in _SPACES.iterdir() if each.name.startswith(self._prefix)]

    async def _tidy(self, space: str) -> None:
        """Remove a network in which there is no group; one that can't be looked into stays."""
        if await _ports(space) == set():
            await _ip(["netns", "delete", space], check=False)


_PORT = "g"
_SIGN = re.compile(r"^ *alias (\S+)$", re.MULTILINE)


async def _ports(space: str) -> set[str] | None:
    """Name the groups' ends in a network; None if that can't be read."""
    try:
        links = json.loads(await _ip(["-n", space, "-json", "link", "show"], check=False))
    except ValueError:
        return None
    return {name for link in links if (name := link.get("ifname", "")).startswith(_PORT)}


def _port(uid: Uid) -> str:
    """Name a group's end in its network: names of devices have 15 characters at most."""
    return f"{_PORT}{uid[:14]}"


def _outer(port: str) -> str:
    """Give the input of ``ip -batch`` in a network: its bridge; and what an earlier try left goes."""
    return f"link add {_BRIDGE} type bridge\nlink set {_BRIDGE} up\nlink delete {port}\n"


def _inner(joined: Joined, space: str, port: str, gateway: str) -> str:
    """Give the input of ``ip -batch`` inside a sandbox.

    Both ends are made where they belong: the machine itself never sees either.  What the network's ranges cover is
    reached there, and nowhere else; but not the machine's own name servers, which the group asks too.
    """
    lines = [
        f"link add name {_LINK} type veth peer name {port} netns {space}",
        f"link set {_LINK} up",
        f"address replace {joined.address}/32 dev {_LINK}",
        *_routes(joined, gateway),
        f"link set {_LINK} alias {joined.address}",  # the sign that all was done: a batch ends where it fails
    ]
    return "\n".join(lines) + "\n"


def _routes(joined: Joined, gateway: str) -> list[str]:
    """Give the lines that lead to what a network covers; the name servers' come first."""
    near = [each for each in _resolvers() if any(ip_address(each) in ip_network(one) for one in joined.ranges)]
    return [
        *(f"route replace {each} via {gateway} dev eth0" for each in near),
        *(f"route replace {each} dev {_LINK} src {joined.address}" for each in joined.ranges),
    ]


def _resolvers() -> list[str]:
    """Give the name servers of this machine, which groups have in their resolv.conf."""
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines if line.startswith("nameserver")]
    return [each[1] for each in words if len(each) > 1 and each[1].replace(".", "").isdecimal()]


async def _ip(words: list[str], *, inside: int | None = None, stdin: str | None = None, check: bool = True) -> str:
    """Run ip, perhaps inside an open network namespace, and give what it printed.

    Raises `Refused` if it fails and that is to be told, `Transient` if it can't be run.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(() if inside is None else ("nsenter", f"--net=/proc/self/fd/{inside}")),
            "ip",
            *words,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=() if inside is None else (inside,),
        )
    except OSError as error:
        raise Transient(f"cannot run ip for a virtual network: {error.strerror}", retry_after=5) from None
    out, problem = await process.communicate(None if stdin is None else stdin.encode())
    if check and process.returncode:
        raise Refused("NetworkError", f"cannot join the virtual network: {problem.decode(errors='replace').strip()}")
    return out.decode(errors="replace")
