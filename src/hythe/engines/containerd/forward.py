"""Connects to ports inside a group, also to those that listen on the group's localhost only."""

from __future__ import annotations

import asyncio
import socket

from ..base import Lost, Refused
from .netns import work_in

_CONNECT_SECONDS = 5.0


def _socket() -> socket.socket:
    """Make a TCP socket in the calling thread's network namespace; it stays there wherever it is used."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)


async def connect(namespace: int, port: int) -> socket.socket:
    """Connect to a port on localhost in a network namespace.  Raises `Refused` (PortNotReached)."""
    try:
        made = await work_in(namespace, _socket)
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
