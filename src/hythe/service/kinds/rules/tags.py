"""What the tags that mean something to this service may say.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ....wire.faults import Detail
from ....wire.tags import GRACE, NETWORK, PUBLISH, TTL, published
from ...duration import seconds
from .names import named

PREFIX = "hythe."

_Check = Callable[[str], str | None]
"""Says what is wrong with the value of a tag; None if nothing is."""


def _length(value: str) -> str | None:
    if seconds(value) is None:
        return "It must be a number of seconds or an ISO 8601 duration of days and less (e.g. '3600' or 'PT1H')."
    return None


def _network(value: str) -> str | None:
    return None if value == "none" else "It can only be 'none'."


def _publish(value: str) -> str | None:
    try:
        published(value)
    except ValueError as error:
        return f"{error}.".capitalize() if str(error)[0].isalpha() else f"{error}."
    return None


def _stdin(value: str) -> str | None:
    names = [each.strip() for each in value.split(",")]
    return None if all(map(named, names)) else "It must be the names of containers, separated by commas."


KNOWN: dict[str, _Check] = {
    GRACE: _length,
    NETWORK: _network,
    PUBLISH: _publish,
    "hythe.stdin": _stdin,
    TTL: _length,
}
"""By name.  A tag that begins like these and is not among them is refused: it would be stored and ignored."""


def tag_problems(tags: Mapping[str, str] | None) -> list[Detail]:
    """Check the tags that begin with ``hythe.``; all others are the caller's own."""
    found = []
    for name, value in (tags or {}).items():
        if not name.lower().startswith(PREFIX):
            continue
        check = KNOWN.get(name)
        wrong = check(value) if check else f"This service knows {', '.join(sorted(KNOWN))}."
        if wrong:
            found.append(
                Detail(
                    code="InvalidTag",
                    message=f"The tag '{name}' with the value '{value}' is invalid. {wrong}",
                    target=f"tags.{name}",
                )
            )
    return found
