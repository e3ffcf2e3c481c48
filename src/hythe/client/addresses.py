"""Tells which addresses may be talked to, and which belong together.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, quote, urlencode, urlsplit

_PORTS = {"http": 80, "https": 443}
_IPV4_NUMBERS = 4


def _split(url: str) -> tuple[SplitResult, str, int]:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"not an absolute http or https address: {url.partition('?')[0]!r}")
    return parts, parts.hostname.lower().rstrip("."), parts.port or _PORTS[parts.scheme]


def origin(url: str) -> str:
    """Give scheme, host and port: the unit that a token is meant for.  Raises ValueError."""
    parts, host, port = _split(url)
    return f"{parts.scheme}://[{host}]:{port}" if ":" in host else f"{parts.scheme}://{host}:{port}"


def is_loopback(url: str) -> bool:
    """Tell whether the address is on this machine by its very form, without asking a name server."""
    host = _split(url)[1]
    if host in ("localhost", "::1") or host.endswith(".localhost"):
        return True
    numbers = host.split(".")
    return len(numbers) == _IPV4_NUMBERS and numbers[0] == "127" and all(n.isdigit() for n in numbers)


def safe_base(url: str, what: str) -> str:
    """Return the address without a trailing slash.  Raises ValueError unless it is https or on this machine."""
    parts, host, _ = _split(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"cannot use {what} on {host}: it must be scheme, host, port and path only")
    if parts.scheme != "https" and not is_loopback(url):
        raise ValueError(f"cannot use {url!r} as {what}: http would show the token to others; use https")
    return url.rstrip("/")


def resource_url(base: str, segments: Sequence[str], query: Mapping[str, str]) -> str:
    """Write an address from names, each quoted.  Raises ValueError for a name that would change the path."""
    for segment in segments:
        if not segment or segment in (".", ".."):
            raise ValueError(f"cannot use {segment!r} as a name: give the name of an existing or new resource")
    path = "/".join(quote(segment, safe="") for segment in segments)
    return f"{base}/{path}?{urlencode(query)}"
