"""What the service says: a status, headers and the bytes of a body."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

import msgspec
from msgspec import Struct

from ..models import Model, to_json
from ..wire import older
from .kinds import Kind, Shown
from .sockets import Socket
from .store import Row

JSON = "application/json; charset=utf-8"
_MOST_KEPT, _LARGEST_KEPT = 16 << 20, 64 << 10
"""Bytes of all bodies that are kept, and of the largest one."""


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


class _Kept(Struct):
    """A body and what it was made from."""

    made_from: tuple[object, ...]
    body: bytes
    size: int
    """Bytes that keeping it takes."""


class Bodies:
    """Keeps the bodies of resources, so that what did not change is not written as JSON again."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[Shown, _Kept]] = {}
        """By the resource's key and how it is shown."""
        self._size = 0

    def forget(self, key: str) -> None:
        """Let go of what is kept of a resource."""
        self._size -= sum(one.size for one in self._kept.pop(key, {}).values())

    def of(self, kind: Kind, row: Row, how: Shown) -> bytes:
        """Give a resource as JSON."""
        made_from = (
            row.uid, row.spec, row.status, row.provisioning_state, row.desired, row.epoch, row.generation,
            row.settled_generation, row.id, row.name,
        )  # fmt: skip
        kept = self._kept.get(row.key, {}).get(how)
        if kept is not None and kept.made_from == made_from:
            return kept.body
        body = to_json(kind.show(row, how))
        if row.kind == "containerGroups":
            body = older.answer(body, how.api_version)
        size = len(body) + len(row.spec) + len(row.status)
        if size <= _LARGEST_KEPT:
            if self._size + size > _MOST_KEPT:
                self._kept.clear()
                self._size = 0
            elif kept is not None:
                self._size -= kept.size
            self._kept.setdefault(row.key, {})[how] = _Kept(made_from, body, size)
            self._size += size
        return body


def shown(model: Model, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Answer with a resource."""
    return Answer(status=status, body=to_json(model), headers=[*headers])


def listed(models: Iterable[Model]) -> Answer:
    """Answer with one page of resources, which is all of them."""
    return page([to_json(model) for model in models])


def page(bodies: Iterable[bytes], next_link: str | None = None) -> Answer:
    """Answer with one page of resources that are JSON already, and where the next page is."""
    rest = b',"nextLink":' + msgspec.json.encode(next_link) if next_link else b""
    return Answer(body=b'{"value":[' + b",".join(bodies) + b"]" + rest + b"}")


def plain(value: object, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Answer with any JSON value."""
    return Answer(status=status, body=msgspec.json.encode(value), headers=[*headers])


def empty(status: int, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Answer without a body."""
    return Answer(status=status, headers=[*headers])
