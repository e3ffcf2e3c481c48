"""Ports for services that tests start."""

from __future__ import annotations

import socket
from random import SystemRandom

_BELOW_THE_KERNEL_S_OWN = range(10_000, 32_000)
"""From 32768 on the kernel takes ports for connections: one that is free now may be taken when a service wants it."""


def free_port() -> int:
    """Give a port of this machine on which nobody listens."""
    while True:
        port = SystemRandom().choice(_BELOW_THE_KERNEL_S_OWN)
        with socket.socket() as held:
            try:
                held.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
