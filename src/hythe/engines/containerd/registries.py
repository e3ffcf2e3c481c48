"""Which registries may be asked: whoever puts a group names a host, and must not reach this machine's services so.

Nor those of other groups: a group's address leads the machine there, though other groups are kept from it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from ..base import Refused
from .network import POOL

NOT_ALLOWED = "RegistryNotAllowed"
_ANY_PORT = 9
_ANSWERED = re.compile(r"\bstatus\b[^:]*(: | https?://\S+: )(429|5\d\d) |toomanyrequests", re.IGNORECASE)
"""What containerd says of a registry that answers, but not as it should."""


def host_and_port(server: str) -> tuple[str, int]:
    """Read the first part of an image's full name.  Raises ValueError if it names no host."""
    found = urlsplit(f"//{server}")
    if not found.hostname:
        raise ValueError(server)
    return found.hostname, 443 if found.port is None else found.port


async def refuse_near(image: str, server: str, allowed: Collection[str]) -> None:
    """Refuse a registry on this machine, on a link to it, or in a group, unless it is allowed by name.

    ``allowed`` has names with or without a port.  Raises `Refused`, and OSError if its name leads nowhere.
    """
    host, port = host_and_port(server)
    if allowed and {host, f"{host}:{port}", server} & {*allowed}:
        return
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if any(_near(str(where[4][0])) for where in found):
        raise Refused(
            NOT_ALLOWED,
            f'Failed to pull image "{image}": the registry {server} is on this machine, on a link to it or in a '
            "container group, where no images are pulled from. Whoever owns this service can allow it: "
            f'local_registries = ["{server}"] under '
            "[engine.images] in hythe.toml.",
        )


def why(image: str, error: Refused) -> tuple[str, str]:
    """Say what a failed pull is: a code of the service, and the words that belong to it."""
    if error.reason == NOT_ALLOWED:
        return "InaccessibleImage", str(error).partition(": ")[2]
    server = image.partition("/")[0]
    if _ANSWERED.search(str(error)):
        return "RegistryErrorResponse", "index.docker.io" if server == "docker.io" else server
    if "no match for platform" in str(error):
        return "OsVersionNotSupported", ""
    return "InaccessibleImage", ""


def _near(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return True
    return (isinstance(address, ipaddress.IPv4Address) and address in POOL) or _own(address)


def _own(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether the machine itself has an address: then it would speak from there to it.  Nothing is sent."""
    family = socket.AF_INET if isinstance(address, ipaddress.IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as any_socket:
            any_socket.connect((str(address), _ANY_PORT))
            return ipaddress.ip_address(any_socket.getsockname()[0]) == address
    except OSError:  # no way leads there
        return False
