"""The network of an installation: a subnet of its own, a CNI list, and two iptables chains.

Each group has a point-to-point link to the host (CNI plugin ``ptp``): there is no bridge on which groups could see
each other, so what passes between them is routed, and the chain drops it.  docs/decisions has the reasons.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from hashlib import sha256

from ..base import Lost
from .config import Place

POOL = ipaddress.ip_network("10.208.0.0/13")
"""All installations take their subnets from here: none may reach a group of another."""
LINK_LOCAL = ipaddress.ip_network("169.254.0.0/16")
"""Where the machine's own cloud, if it is in one, gives out the machine's credentials: not to groups."""
TOKENS, TOKENS_PORT = "169.254.169.254", 80
"""Where every Azure library asks for tokens.  A group with an identity is answered in its own network, before this."""
OWN_PORT = 28169
"""What is listened on for that: below the ports that the kernel gives out, and in the range that Azure keeps."""
_PREFIX = 22
_IP_FREEBIND = 15


def candidates(installation: str) -> list[ipaddress.IPv4Network]:
    """Give the subnets of the pool, beginning at a place that depends on the installation's id."""
    subnets = [*POOL.subnets(new_prefix=_PREFIX)]
    start = int.from_bytes(sha256(installation.encode()).digest()[:4], "big") % len(subnets)
    return subnets[start:] + subnets[:start]


def choose(installation: str, taken: list[ipaddress.IPv4Network]) -> ipaddress.IPv4Network:
    """Choose a subnet that overlaps none of those that the host has routes to."""
    for subnet in candidates(installation):
        if not any(subnet.overlaps(other) for other in taken):
            return subnet
    raise Lost(f"cannot choose a subnet: all of {POOL} is routed elsewhere. Free a part of it.")


def own_subnet(place: Place) -> ipaddress.IPv4Network:
    """Give the subnet that was chosen for an installation."""
    return ipaddress.IPv4Network((place.root / "subnet").read_text().strip())


def gateway(subnet: ipaddress.IPv4Network) -> ipaddress.IPv4Address:
    """Give the host's own address in a subnet: the far end of every group's link."""
    return subnet.network_address + 1


def cni_list(place: Place, subnet: ipaddress.IPv4Network) -> str:
    """Give the CNI configuration list."""
    ipam = {
        "type": "host-local",
        "dataDir": str(place.state / "addresses"),
        "ranges": [[{"subnet": str(subnet)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return json.dumps(
        {"cniVersion": "0.4.0", "name": place.network, "plugins": [{"type": "ptp", "ipMasq": False, "ipam": ipam}]}
    )


def rules(place: Place, subnet: ipaddress.IPv4Network) -> str:
    """Give the input of ``iptables-restore`` that fills both chains anew.

    Groups reach the outside, never each other and no group of another installation; only the host itself reaches
    their ports (its own traffic does not pass FORWARD).
    """
    chain = place.chain
    leads = f"-p tcp --dport {TOKENS_PORT} -j DNAT --to-destination {gateway(subnet)}:{OWN_PORT}"
    return "\n".join(
        [
            "*filter",
            f":{chain} - [0:0]",
            f"-A {chain} -s {subnet} -d {LINK_LOCAL} -j REJECT",
            f"-A {chain} -s {subnet} -d {POOL} -j DROP",
            f"-A {chain} -d {subnet} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            f"-A {chain} -d {subnet} -j DROP",
            f"-A {chain} -s {subnet} -j ACCEPT",
            "COMMIT",
            "*nat",
            f":{chain} - [0:0]",
            f":{chain}-IN - [0:0]",
            f"-A {chain} -s {subnet} ! -d {POOL} -j MASQUERADE",
            f"-A {chain}-IN -s {subnet} -d {TOKENS} {leads}",
            "COMMIT",
            "",
        ]
    )


async def _run(*command: str, stdin: str | None = None, check: bool = True) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate(stdin.encode() if stdin is not None else None)
    text = out.decode(errors="replace").strip()
    if check and process.returncode:
        raise Lost(f"cannot set up the network: {' '.join(command[:3])} said: {text or process.returncode}")
    return process.returncode or 0, text


async def _routed() -> list[ipaddress.IPv4Network]:
    _, text = await _run("ip", "-4", "-json", "route", "show", "table", "all")
    networks = []
    for route in json.loads(text or "[]"):
        destination = route.get("dst", "default")
        if destination != "default" and route.get("type", "unicast") in ("unicast", "local", "unreachable"):
            networks.append(ipaddress.ip_network(destination, strict=False))
    return [network for network in networks if isinstance(network, ipaddress.IPv4Network)]


_JUMPS = (("filter", "FORWARD", ""), ("nat", "POSTROUTING", ""), ("nat", "PREROUTING", "-IN"))
"""Table, chain of the kernel's, and what the name of our chain ends with."""


async def set_up(place: Place) -> None:
    """Choose the subnet once, then see to it that CNI list and chains are there; safe to repeat."""
    folder = place.root / "cni"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = place.root / "subnet"
    if chosen.exists():
        subnet = own_subnet(place)
    else:
        subnet = choose(place.installation, await _routed())
        chosen.write_text(f"{subnet}\n")
    written = folder / "10-hythe.partial"  # containerd reads the folder as soon as something changes in it
    written.write_text(cni_list(place, subnet))
    written.replace(folder / "10-hythe.conflist")
    # Each group has a route of its own below this one.  An address that no group has must not lead to the machine's
    # gateway, and from there to whoever has it elsewhere.
    await _run("ip", "route", "replace", "unreachable", str(subnet))
    await _run("iptables-restore", "--noflush", "--wait", stdin=rules(place, subnet))
    for table, parent, end in _JUMPS:
        jump = ("-j", place.chain + end)
        missing, _ = await _run("iptables", "-w", "-t", table, "-C", parent, *jump, check=False)
        if missing:
            await _run("iptables", "-w", "-t", table, "-I", parent, "1", *jump)


def listen(place: Place) -> socket.socket:
    """Give a socket for what groups ask at the address of tokens and nothing in their own network answers.

    It is bound before the first group's link brings the address.  Raises OSError.
    """
    subnet = ipaddress.IPv4Network((place.root / "subnet").read_text().strip())
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        held.setsockopt(socket.SOL_IP, _IP_FREEBIND, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((str(gateway(subnet)), OWN_PORT))
        held.listen(64)
        held.setblocking(False)
    except OSError:
        held.close()
        raise
    return held


async def tear_down(place: Place) -> None:
    """Remove route and chains; what is gone already is fine."""
    chosen = place.root / "subnet"
    if chosen.exists():
        await _run("ip", "route", "del", "unreachable", chosen.read_text().strip(), check=False)
    for table, parent, end in _JUMPS:
        chain = place.chain + end
        for arguments in (("-D", parent, "-j", chain), ("-F", chain), ("-X", chain)):
            await _run("iptables", "-w", "-t", table, *arguments, check=False)
