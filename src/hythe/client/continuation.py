"""Writes where an operation stands as a text that another program can go on from.  Pure."""

from __future__ import annotations

import base64
import binascii

import msgspec

from hythe.wire.poll import Done, Failed, Fetch, Poll, Step

_KINDS: dict[str, type[Poll | Fetch | Done | Failed]] = {"poll": Poll, "fetch": Fetch, "done": Done, "failed": Failed}


class _Token(msgspec.Struct):
    kind: str
    step: msgspec.Raw


def write_token(step: Step) -> str:
    """Write a step; it holds addresses and the service's last answer, no token and no secret."""
    kind = next(name for name, cls in _KINDS.items() if type(step) is cls)
    document = _Token(kind, msgspec.Raw(msgspec.json.encode(step)))
    return base64.urlsafe_b64encode(msgspec.json.encode(document)).decode()


def read_token(text: str) -> Step:
    """Read a step.  Raises ValueError for anything else; where the token may be sent is checked when it is."""
    try:
        document = msgspec.json.decode(base64.urlsafe_b64decode(text.encode()), type=_Token)
        return msgspec.json.decode(document.step, type=_KINDS[document.kind])
    except (binascii.Error, ValueError, KeyError) as why:
        raise ValueError("cannot go on with that continuation_token: it is none of this library's") from why
