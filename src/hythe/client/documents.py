"""Writes request bodies and reads answers: models on the Python side, JSON on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, TypeVar

import msgspec
from msgspec import Struct

from hythe.errors import (
    AuthenticationFailed,
    Conflict,
    Forbidden,
    ImageInaccessible,
    InvalidRequest,
    NotFound,
    NotRegistered,
    QuotaExceeded,
    ServiceError,
    ServiceFault,
    Throttled,
    UnexpectedAnswer,
)
from hythe.models import Model, from_json, to_json, wire_form
from hythe.wire.faults import SEVERAL, Detail
from hythe.wire.poll import retry_after

from .transport import Response

M = TypeVar("M", bound=Model)
T = TypeVar("T")

Body = Model | Mapping[str, object]
"""What a caller gives as a resource: a model, or plain dicts and lists in wire form."""

_BY_STATUS: dict[int, type[ServiceError]] = {
    400: InvalidRequest,
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: Throttled,
}
_BY_CODE: dict[str, type[ServiceError]] = {
    "InaccessibleImage": ImageInaccessible,
    "RegistryErrorResponse": ImageInaccessible,
    "ContainerGroupQuotaReached": QuotaExceeded,
    "MissingSubscriptionRegistration": NotRegistered,
}
_ELSEWHERE = "Check that base_url is the address of the service and not of a proxy or a web page."
_SHOWN = 200
_SUCCESSES = range(200, 300)
_FIRST_ERROR = 400
_FIRST_FAULT = 500


class _Error(Struct):
    code: str | None = None
    message: str | None = None
    details: list[msgspec.Raw] | None = None


class _ErrorDocument(Struct):
    error: _Error


def encode(body: Body | IO[bytes] | bytes, model: type[Model]) -> bytes:
    """Write a body.  Plain dicts may have the names of the wire or of Python, and models inside; bytes go as they are.

    Members that ``model`` does not have are sent too: the service may know more than this library.
    """
    if isinstance(body, Model):
        return to_json(body)
    if isinstance(body, Mapping):
        return msgspec.json.encode(wire_form(model, body))
    return body if isinstance(body, bytes) else body.read()


def decode(cls: type[M], body: bytes, doing: str) -> M:
    """Read a model.  Raises `UnexpectedAnswer` for anything else."""
    try:
        return from_json(cls, body)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise unreadable(doing, why) from why


class _Page(Struct, rename="camel"):
    value: list[msgspec.Raw] | None
    next_link: str | None = None


def decode_page(cls: type[M], body: bytes, doing: str) -> tuple[Iterator[M], str | None]:
    """Read one page of a list: its items, each read when it is taken, and the address of the next page.

    So a page of ten thousand never stands in memory twice.  Raises `UnexpectedAnswer` for anything else.
    """
    try:
        page = msgspec.json.decode(body, type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise unreadable(doing, why) from why
    return _items(cls, page.value or [], doing), page.next_link


def _items(cls: type[M], raws: list[msgspec.Raw], doing: str) -> Iterator[M]:
    for raw in raws:
        try:
            yield from_json(cls, raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as why:
            raise unreadable(doing, why) from why


def decode_plain(type_: type[T], body: bytes, doing: str) -> T:
    """Read a bare JSON value.  Raises `UnexpectedAnswer` for anything else."""
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise unreadable(doing, why) from why


def unreadable(doing: str, why: Exception) -> UnexpectedAnswer:
    """Make the error for an answer that can't be read."""
    return UnexpectedAnswer(f"cannot {doing}: the answer can't be read: {why}. {_ELSEWHERE}")


def error_of(response: Response, doing: str) -> ServiceError | UnexpectedAnswer | None:
    """Make the error that an answer stands for; None for a success."""
    if response.status in _SUCCESSES:
        return None
    if response.status < _FIRST_ERROR:
        return UnexpectedAnswer(
            f"cannot {doing}: the service answered {response.status} and points elsewhere. {_ELSEWHERE}"
        )
    code, message, details = _read_error(response)
    general = ServiceFault if response.status >= _FIRST_FAULT else ServiceError
    meant = code if code != SEVERAL else next((each.code for each in details if each.code in _BY_CODE), code)
    cls = _BY_CODE.get(meant) or _BY_STATUS.get(response.status, general)
    if cls is Conflict and "quota" in message.lower():  # cores: Azure's code for it is ServiceUnavailable
        cls = QuotaExceeded
    return cls(
        doing,
        status=response.status,
        code=code,
        message=message,
        details=details,
        request_id=response.headers.get("x-ms-request-id"),
        retry_after=retry_after(response.headers),
    )


def _read_error(response: Response) -> tuple[str, str, list[Detail]]:
    try:
        error = msgspec.json.decode(response.body, type=_ErrorDocument).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = " ".join(response.body[: 4 * _SHOWN].decode("utf-8", "replace").split())[:_SHOWN]
        return "UnknownError", text or "the service gave no reason", []
    details = []
    for raw in error.details or []:
        try:
            details.append(msgspec.json.decode(raw, type=Detail))
        except msgspec.DecodeError:
            continue  # other services put other things there; the message says enough
    return error.code or "UnknownError", error.message or "the service gave no reason", details
