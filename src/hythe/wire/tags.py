"""Tags that mean something to Hythe: all begin with ``hythe.``.  Pure."""

from __future__ import annotations

import re

from msgspec import Struct

PUBLISH = "hythe.publish"
"""Ports of this machine that lead to ports of a group: ``8080:80`` or ``5353:53/udp``, several separated by commas."""

TTL = "hythe.ttl"
"""How long a group stays after its end."""
GRACE = "hythe.shutdown-grace"
"""How long containers have between being asked to end and being killed."""
NETWORK = "hythe.network"
"""``none`` for a group that reaches nothing but itself."""
LIFETIME = "hythe.lifetime"
"""Seconds after its creation when a sandbox goes; written by this service only."""

_PORTS = re.compile(r"\s*(\d{1,5})\s*:\s*(\d{1,5})\s*(?:/\s*(tcp|udp)\s*)?", re.IGNORECASE)
_LAST_PORT = 65535


class PublishedPort(Struct, frozen=True, kw_only=True):
    """A port of this machine and the group's port behind it."""

    host: int
    container: int
    protocol: str = "tcp"
    """``tcp`` or ``udp``."""


def published(text: str) -> list[PublishedPort]:
    """Read the tag `PUBLISH`.  Raises ValueError with a sentence."""
    ports = []
    for part in text.split(",") if text.strip() else ():
        found = _PORTS.fullmatch(part)
        if found is None or not all(1 <= int(number) <= _LAST_PORT for number in found.group(1, 2)):
            raise ValueError(
                f"'{part.strip()}' is not HOST-PORT:GROUP-PORT or HOST-PORT:GROUP-PORT/udp "
                f"with ports from 1 to {_LAST_PORT}"
            )
        protocol = (found[3] or "tcp").lower()
        ports.append(PublishedPort(host=int(found[1]), container=int(found[2]), protocol=protocol))
    if len({(port.host, port.protocol) for port in ports}) != len(ports):
        raise ValueError("a port of this machine is named twice")
    return ports
