"""Tags with a meaning to this service.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ....models import ContainerGroup
from ....wire.faults import Detail

TTL = "hythe.ttl"
"""Seconds after which a group goes by itself."""
GRACE = "hythe.shutdown-grace"
"""Seconds that containers have to end when they are stopped."""
NETWORK = "hythe.network"
"""``none`` for a group that reaches nothing but itself."""
_LONGEST = 7 * 86400


def tag_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check the tags that mean something."""
    tags = group.tags or {}
    grace = tags.get(GRACE)
    if grace is not None and not (grace.isdecimal() and int(grace[:9]) <= _LONGEST):
        yield _problem(name, GRACE, f"'{grace}' is not a whole number of seconds, at most {_LONGEST}")
    network = tags.get(NETWORK)
    if network not in (None, "none"):
        yield _problem(name, NETWORK, f"'{network}' is not 'none'")
    if network == "none" and (group.ip_address or group.subnet_ids):
        yield _problem(name, NETWORK, "a group without a network can't have an address")


def _problem(name: str, tag: str, what: str) -> Detail:
    return Detail(code="InvalidTag", message=f"The tag '{tag}' of container group '{name}': {what}.", target="tags")
