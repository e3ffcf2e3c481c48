"""What the service says: a status, headers and the bytes of a body."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

import msgspec
from msgspec import Struct

from ..models import Model, to_json
from .sockets import Socket

JSON = "application/json; charset=utf-8"


class Answer(Struct, kw_only=True):
    """An answer before it is sent."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = []
    content_type: str = JSON
    chunks: AsyncGenerator[bytes, None] | None = None
    """A body that is sent as it is made, instead of `body`."""
    talk: Callable[[Socket], Awaitable[None]] | None = None
    """What follows the handshake of a websocket, which is accepted there."""


def shown(model: Model, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Answer with a resource."""
    return Answer(status=status, body=to_json(model), headers=[*headers])


def listed(models: Iterable[Model]) -> Answer:
    """Answer with one page of resources."""
    return Answer(body=b'{"value":[' + b",".join(to_json(model) for model in models) + b"]}")


def plain(value: object, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Answer with any JSON value."""
    return Answer(status=status, body=msgspec.json.encode(value), headers=[*headers])


def empty(status: int, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Answer without a body."""
    return Answer(status=status, headers=[*headers])
