"""Decides how a long-running operation is followed.  Pure: an answer goes in, the next step comes out.

The first answer names the monitor: the ``Azure-AsyncOperation`` header, else ``Location``, else (PUT and PATCH)
the resource's own URL.  Whoever polls keeps nothing but the last step::

    step = begin("PUT", url, answer, default_delay=1)
    while isinstance(step, Poll):
        ...wait step.delay, GET step.url...
        step = proceed(step, answer, default_delay=1)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, Protocol
from urllib.parse import urljoin

import msgspec
from msgspec import Struct

from hythe.models import Event

RUNNING = "InProgress"
SUCCEEDED = "Succeeded"
_BAD_ENDS = {"failed": "Failed", "canceled": "Canceled"}
_ACCEPTED = 202
_MIN_DELAY, _MAX_DELAY = 0.1, 600.0
_WITH_RESULT = ("PUT", "PATCH")


class Answer(Protocol):
    """What the rules need of an HTTP answer; header names are in lower case."""

    @property
    def status(self) -> int:
        """HTTP status; the rules see successes only."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name."""

    @property
    def body(self) -> bytes:
        """Body, perhaps empty."""


class Poll(Struct, frozen=True, kw_only=True):
    """Not ended: GET ``url`` after ``delay`` seconds."""

    monitor: Literal["operation", "location", "resource"]
    url: str
    delay: float
    word: str
    result_url: str | None = None
    """Where the result is once the operation has succeeded; None if the first answer had all there is."""
    first_body: bytes = b""


class Fetch(Struct, frozen=True, kw_only=True):
    """Ended well: the result is at ``url``."""

    url: str


class Done(Struct, frozen=True, kw_only=True):
    """Ended well: the result is ``body``, perhaps empty."""

    body: bytes


class Failed(Struct, frozen=True, kw_only=True):
    """Ended badly."""

    word: str
    code: str
    message: str
    events: tuple[Event, ...] = ()


Step = Poll | Fetch | Done | Failed


class _Error(Struct):
    code: str | None = None
    message: str | None = None


class _InstanceView(Struct, rename="camel"):
    events: list[msgspec.Raw] | None = None


class _Properties(Struct, rename="camel"):
    provisioning_state: str | None = None
    events: list[msgspec.Raw] | None = None
    instance_view: _InstanceView | None = None


class _Document(Struct):
    """The members that matter, of a resource and of an operation alike."""

    status: str | None = None
    error: _Error | None = None
    properties: _Properties | None = None


def _read(body: bytes) -> _Document:
    return msgspec.json.decode(body, type=_Document) if body.strip() else _Document()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds the service asks to wait: whole or fractional, else None."""
    for name, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None


def _delay(answer: Answer, default: float) -> float:
    asked = retry_after(answer.headers)
    return min(max(default if asked is None else asked, _MIN_DELAY), _MAX_DELAY)


def begin(method: str, url: str, answer: Answer, *, default_delay: float) -> Step:
    """Choose the monitor after the first answer.  Raises `msgspec.DecodeError` for a body that is not JSON."""
    operation, location = answer.headers.get("azure-asyncoperation"), answer.headers.get("location")
    result_url = url if method in _WITH_RESULT else None
    if operation:
        # asked at once: a service that holds the answer until the end then ends the wait to the point
        return Poll(
            monitor="operation", url=urljoin(url, operation), delay=0, word=RUNNING,
            result_url=result_url, first_body=answer.body,
        )  # fmt: skip
    known = result_url and answer.status != _ACCEPTED and _state(_read(answer.body))
    if location and not known:
        return Poll(
            monitor="location", url=urljoin(url, location), delay=0, word=RUNNING,
            result_url=result_url, first_body=answer.body,
        )  # fmt: skip
    if result_url is None:
        return Done(body=answer.body)
    return _by_resource(url, answer, default_delay)


def proceed(step: Poll, answer: Answer, *, default_delay: float) -> Step:
    """Go on after the answer to a poll.  Raises `msgspec.DecodeError` for a body that is not JSON."""
    delay = _delay(answer, default_delay)
    if step.monitor == "resource":
        return _by_resource(step.url, answer, default_delay)
    if step.monitor == "location":
        if answer.status == _ACCEPTED:
            moved = answer.headers.get("location")
            return msgspec.structs.replace(step, delay=delay, url=urljoin(step.url, moved) if moved else step.url)
        return _end(step, answer.body)
    document = _read(answer.body)
    word = document.status
    if word is None:  # an operation without a word: the status of HTTP speaks
        word = RUNNING if answer.status == _ACCEPTED else SUCCEEDED
    if word.lower() in _BAD_ENDS:
        return _failed(word, document)
    if word.lower() == SUCCEEDED.lower():
        return _end(step, b"")
    return msgspec.structs.replace(step, delay=delay, word=word)


def _end(step: Poll, body: bytes) -> Step:
    if body.strip():
        return Done(body=body)
    return Fetch(url=step.result_url) if step.result_url else Done(body=step.first_body)


def _state(document: _Document) -> str | None:
    """Give the provisioning state when it is an end."""
    state = document.properties.provisioning_state if document.properties else None
    return state if state and (state.lower() in _BAD_ENDS or state.lower() == SUCCEEDED.lower()) else None


def _by_resource(url: str, answer: Answer, default_delay: float) -> Step:
    document = _read(answer.body)
    word = document.properties.provisioning_state if document.properties else None
    end = _state(document)
    if end and end.lower() in _BAD_ENDS:
        return _failed(end, document)
    if end or (word is None and answer.status != _ACCEPTED):
        return Done(body=answer.body)
    return Poll(monitor="resource", url=url, delay=_delay(answer, default_delay), word=word or RUNNING, result_url=url)


def _failed(word: str, document: _Document) -> Failed:
    word = _BAD_ENDS[word.lower()]
    events = _events(document.properties)
    error = document.error or _Error()
    warnings = [event.message for event in events if event.type == "Warning" and event.message]
    message = error.message or (warnings[-1] if warnings else f"the operation ended as {word}")
    return Failed(word=word, code=error.code or f"Operation{word}", message=message, events=events)


def _events(properties: _Properties | None) -> tuple[Event, ...]:
    """Read the events, without those that can't be read: they must not hide the failure they belong to."""
    if properties is None:
        return ()
    raw = properties.events or (properties.instance_view.events if properties.instance_view else None) or []
    events = []
    for one in raw:
        try:
            events.append(msgspec.json.decode(one, type=Event))
        except msgspec.DecodeError:
            continue
    return tuple(events)
