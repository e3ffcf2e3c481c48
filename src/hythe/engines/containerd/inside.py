"""Opens a listening socket inside the network namespace of a group.

The containers of a group may use every port of theirs on every address, so the socket takes none that they are likely
to want: it listens on a port of its own, and a rule in the namespace leads the asked-for port there.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
import subprocess
import threading

from ..base import Transient
from .netns import enter
from .network import OWN_PORT

_LOOPBACK = 1
_IPTABLES_SECONDS = 10


async def listen(pid: int, address: str, port: int) -> socket.socket:
    """Give a socket that containers reach at this address and port.  ``pid`` is any process of the group."""
    loop = asyncio.get_running_loop()
    made: asyncio.Future[socket.socket] = loop.create_future()

    def tell(result: socket.socket | None, error: Exception | None) -> None:
        if made.done():
            if result is not None:
                result.close()
        elif error is not None:
            made.set_exception(error)
        elif result is not None:
            made.set_result(result)

    def work() -> None:
        result, failed = None, None
        try:
            _enter(pid)
            _own(address)
            _lead(address, port)
            result = _listening(address)
        except (OSError, subprocess.SubprocessError) as error:
            failed = Transient(f"cannot listen on {address}:{port} inside a group: {error}")
        loop.call_soon_threadsafe(tell, result, failed)

    # A thread that has entered another namespace is of no use for anything else: it ends with this.
    threading.Thread(target=work, name="inside", daemon=True).start()
    return await made


def _enter(pid: int) -> None:
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_ino == os.stat("/proc/self/ns/net").st_ino:
            raise OSError(errno.ESRCH, "its process is gone, and another one of the machine has its number")
        enter(descriptor)
    finally:
        os.close(descriptor)


def _own(address: str) -> None:
    """Give the loopback device an address more; there already is fine."""
    raw = socket.inet_aton(address)
    newaddr, request, ack, create, exclusive, host_scope = 20, 0x1, 0x4, 0x400, 0x200, 254
    local, own = 2, 1
    body = struct.pack("BBBBi", socket.AF_INET, 32, 0, host_scope, _LOOPBACK)
    for kind in (local, own):
        body += struct.pack("HH4s", 8, kind, raw)
    head = struct.pack("IHHII", 16 + len(body), newaddr, request | ack | create | exclusive, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.settimeout(5)
        netlink.send(head + body)
        (code,) = struct.unpack_from("i", netlink.recv(4096), 16)
    if code not in (0, -errno.EEXIST):
        raise OSError(-code, os.strerror(-code))


def _lead(address: str, port: int) -> None:
    """Lead a port of the address to the one that is listened on; a rule that is there already is fine."""
    rule = [
        "OUTPUT", "-d", f"{address}/32", "-p", "tcp", "--dport", str(port),
        "-j", "DNAT", "--to-destination", f"{address}:{OWN_PORT}",
    ]  # fmt: skip

    def iptables(verb: str, *, check: bool) -> int:
        done = subprocess.run(
            ["iptables", "-w", "-t", "nat", verb, *rule],
            capture_output=True,
            text=True,
            timeout=_IPTABLES_SECONDS,
            check=False,
        )
        if check and done.returncode:
            raise OSError(f"iptables said: {done.stderr.strip() or done.returncode}")
        return done.returncode

    if iptables("-C", check=False):
        iptables("-A", check=True)


def _listening(address: str) -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((address, OWN_PORT))
        held.listen(64)
        held.setblocking(False)
    except OSError:
        held.close()
        raise
    return held
