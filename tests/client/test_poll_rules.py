"""Tests the rules of polling as tables: an answer goes in, the next step comes out."""

from __future__ import annotations

import msgspec
import pytest

from hythe.wire.poll import Done, Failed, Fetch, Poll, Step, begin, proceed, retry_after

from .script import answer, group

URL = "https://h/groups/web?api-version=1"
OPERATION = "https://h/operations/1"
LOCATION = "https://h/results/1"
OPERATION_POLL = Poll(monitor="operation", url=OPERATION, delay=0, word="InProgress", result_url=URL)
LOCATION_POLL = Poll(monitor="location", url=LOCATION, delay=0, word="InProgress", first_body=b"first")
RESOURCE_POLL = Poll(monitor="resource", url=URL, delay=5, word="Pending", result_url=URL)


def kind(step: Step) -> str:
    """Tell a step in one word."""
    return step.monitor if isinstance(step, Poll) else type(step).__name__


@pytest.mark.parametrize(
    ("method", "status", "body", "headers", "expected"),
    [
        ("PUT", 201, group("Succeeded"), {}, "Done"),
        ("PUT", 200, group("SUCCEEDED"), {}, "Done"),
        ("PUT", 201, group("Pending"), {}, "resource"),
        ("PUT", 201, group("Failed"), {}, "Failed"),
        ("PUT", 201, group("canceled"), {}, "Failed"),
        ("PUT", 201, {"location": "x"}, {}, "Done"),
        ("PUT", 202, None, {}, "resource"),
        ("PUT", 201, group("Pending"), {"azure_asyncoperation": OPERATION, "location": LOCATION}, "operation"),
        ("PUT", 201, group("Succeeded"), {"azure_asyncoperation": OPERATION}, "operation"),
        ("PUT", 201, group("Pending"), {"location": LOCATION}, "location"),
        ("PUT", 201, group("Succeeded"), {"location": LOCATION}, "Done"),
        ("PUT", 202, None, {"location": LOCATION}, "location"),
        ("PATCH", 200, group("Updating"), {}, "resource"),
        ("POST", 204, None, {}, "Done"),
        ("POST", 202, None, {}, "Done"),
        ("POST", 204, None, {"azure_asyncoperation": OPERATION}, "operation"),
        ("POST", 204, None, {"location": LOCATION}, "location"),
        ("DELETE", 200, group("Pending"), {}, "Done"),
        ("DELETE", 204, None, {}, "Done"),
        ("DELETE", 202, None, {"location": LOCATION}, "location"),
    ],
)
def test_the_first_answer_chooses_the_monitor(
    method: str, status: int, body: object, headers: dict[str, str], expected: str
) -> None:
    assert kind(begin(method, URL, answer(status, body, **headers), default_delay=5)) == expected


@pytest.mark.parametrize(
    ("step", "status", "body", "expected"),
    [
        (OPERATION_POLL, 200, {"status": "Succeeded"}, Fetch(url=URL)),
        (OPERATION_POLL, 200, {"status": "succeeded"}, Fetch(url=URL)),
        (OPERATION_POLL, 200, {}, Fetch(url=URL)),
        (OPERATION_POLL, 204, None, Fetch(url=URL)),
        (OPERATION_POLL, 202, None, msgspec.structs.replace(OPERATION_POLL, delay=5)),
        (
            OPERATION_POLL,
            200,
            {"status": "Creating"},
            msgspec.structs.replace(OPERATION_POLL, delay=5, word="Creating"),
        ),
        (LOCATION_POLL, 202, None, msgspec.structs.replace(LOCATION_POLL, delay=5)),
        (LOCATION_POLL, 200, {"a": 1}, Done(body=b'{"a": 1}')),
        (LOCATION_POLL, 204, None, Done(body=b"first")),
        (msgspec.structs.replace(LOCATION_POLL, result_url=URL), 204, None, Fetch(url=URL)),
        (RESOURCE_POLL, 200, group("Creating"), msgspec.structs.replace(RESOURCE_POLL, word="Creating")),
    ],
)
def test_the_next_answer(step: Poll, status: int, body: object, expected: Step) -> None:
    assert proceed(step, answer(status, body), default_delay=5) == expected


def test_a_delete_by_operation_ends_with_the_first_body() -> None:
    first = begin("DELETE", URL, answer(202, {"name": "web"}, azure_asyncoperation=OPERATION), default_delay=5)
    assert isinstance(first, Poll)
    assert proceed(first, answer(200, {"status": "Succeeded"}), default_delay=5) == Done(body=b'{"name": "web"}')


def test_the_resource_ends_the_operation() -> None:
    done = proceed(RESOURCE_POLL, answer(200, group("Succeeded")), default_delay=5)
    assert isinstance(done, Done)
    assert b"Succeeded" in done.body


def test_relative_monitors_and_moved_locations() -> None:
    first = begin("PUT", URL, answer(201, group("Pending"), azure_asyncoperation="/operations/2"), default_delay=5)
    assert isinstance(first, Poll)
    assert first.url == "https://h/operations/2"
    moved = proceed(LOCATION_POLL, answer(202, location="https://h/results/2"), default_delay=5)
    assert isinstance(moved, Poll)
    assert moved.url == "https://h/results/2"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "1"}, 1),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "100"}, 0.1),
        ({"x-ms-retry-after-ms": "100", "retry-after": "9"}, 0.1),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(("asked", "delay"), [("1", 1), ("0", 0.1), ("0.5", 0.5), ("1e9", 600), ("soon", 5)])
def test_the_latest_answer_sets_the_delay(asked: str, delay: float) -> None:
    step = proceed(OPERATION_POLL, answer(200, {"status": "Running"}, retry_after=asked), default_delay=5)
    assert isinstance(step, Poll)
    assert step.delay == delay


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        ({"status": "Failed", "error": {"code": "C", "message": "m"}}, "C", "m"),
        ({"status": "Failed", "error": {"message": "m"}}, "OperationFailed", "m"),
        ({"status": "canceled"}, "OperationCanceled", "the operation ended as Canceled"),
        (
            {"status": "Failed", "properties": {"events": [{"type": "Warning", "message": "w"}, {"count": "bad"}]}},
            "OperationFailed",
            "w",
        ),
    ],
)
def test_a_failure_says_what_is_known(document: object, code: str, message: str) -> None:
    step = proceed(OPERATION_POLL, answer(200, document), default_delay=5)
    assert isinstance(step, Failed)
    assert (step.code, step.message) == (code, message)


def test_a_failed_resource_has_its_events() -> None:
    view = {"events": [{"name": "Pull", "type": "Warning", "message": "no such image"}]}
    body = {"properties": {"provisioningState": "Failed", "instanceView": view}}
    step = proceed(RESOURCE_POLL, answer(200, body), default_delay=5)
    assert isinstance(step, Failed)
    assert (step.message, [event.name for event in step.events]) == ("no such image", ["Pull"])


def test_what_is_not_json_is_not_swallowed() -> None:
    with pytest.raises(msgspec.DecodeError):
        proceed(OPERATION_POLL, answer(200, b"<html>"), default_delay=5)
