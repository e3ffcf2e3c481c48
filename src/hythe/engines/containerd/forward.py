"""Connects to ports inside a group, also to those that listen on the group's localhost only."""

from __future__ import annotations

import asyncio
import socket
import threading

from ..base import Lost, Refused
from .netns import enter

_CONNECT_SECONDS = 5.0


def socket_in(namespace: int) -> socket.socket:
    """Make a TCP socket in the network namespace of an open file; it stays there wherever it is used.

    A thread of its own enters, makes the socket and ends: no other thread ever leaves its namespace.
    """
    made: list[socket.socket | OSError] = []

    def make() -> None:
        try:
            enter(namespace)
            made.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=make, name="netns")
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


async def connect(namespace: int, port: int) -> socket.socket:
    """Connect to a port on localhost in a network namespace.  Raises `Refused` (PortNotReached)."""
    try:
        made = socket_in(namespace)
    except OSError as error:
        raise Lost(f"cannot enter the network of the group: {error}") from None
    try:
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port)), _CONNECT_SECONDS)
    except (OSError, TimeoutError) as error:
        made.close()
        why = getattr(error, "strerror", None) or "nothing answered in time"
        raise Refused("PortNotReached", f"cannot connect to port {port} inside the group: {why}.") from None
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
