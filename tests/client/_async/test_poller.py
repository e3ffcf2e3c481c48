"""Tests how pollers ask, wait, end and call back."""

from __future__ import annotations

import pytest

from hythe.errors import ConnectionFailed, NotFound, OperationFailed, ServiceError, StillRunning, UnexpectedAnswer
from hythe.models import ContainerGroup

from ..script import BASE, Line, answer, fault, group
from .subject import AzureOperationPoller, FakeClock, FakeTransport, client, pytestmark

__all__ = ["pytestmark"]

MONITOR = f"{BASE}/subscriptions/s/operations/1?api-version=2018-06-01&t=1&s=x%2Fy"
RUNNING = answer(200, {"status": "Pending"}, retry_after="3")
SUCCEEDED = answer(200, {"status": "Succeeded"})


async def begin(*lines: Line) -> tuple[AzureOperationPoller[ContainerGroup], FakeTransport, FakeClock]:
    """Begin a create whose monitor plays the lines."""
    first = answer(201, group("Pending"), azure_asyncoperation=MONITOR, retry_after="1")
    aci, script, clock = client(first, *lines)
    return await aci.container_groups.begin_create_or_update("rg", "web", {}), script, clock


async def test_follows_the_monitor_and_then_gets_the_resource() -> None:
    poller, script, clock = await begin(RUNNING, RUNNING, SUCCEEDED, answer(200, group()))
    assert poller.status() == "InProgress"
    assert (await poller.result()).name == "web"
    assert poller.status() == "Succeeded"
    assert [request.url for request in script.requests[1:4]] == [MONITOR] * 3
    assert script.requests[4].url == script.requests[0].url
    assert clock.naps == [3, 3]


async def test_what_the_poller_has_is_given_without_a_question() -> None:
    aci, script, _ = client(answer(201, group("Pending")), answer(201, group("Succeeded")))
    poller = await aci.container_groups.begin_create_or_update("rg", "web", {}, polling=False)
    assert poller.polling_method() is poller
    again = await aci.container_groups.begin_create_or_update("rg", "web", {})
    assert again.resource().name == "web" and again.status() == "Succeeded"
    going, _, _ = await begin()
    assert going.resource() is None
    assert len(script.requests) == 2


async def test_the_result_is_asked_for_once() -> None:
    poller, script, _ = await begin(SUCCEEDED, answer(200, group()))
    await poller.wait()
    assert len(script.requests) == 2
    assert await poller.result() == await poller.result()
    assert len(script.requests) == 3


async def test_done_asks_only_when_the_next_question_is_due() -> None:
    poller, script, clock = await begin(RUNNING, SUCCEEDED)
    assert not await poller.done()
    assert not await poller.done()
    assert len(script.requests) == 2
    assert script.requests[1].headers["prefer"] == "wait=0"
    assert poller.status() == "Pending"
    clock.pass_by(3)
    assert await poller.done()
    assert await poller.done()
    assert len(script.requests) == 3


async def test_wait_returns_in_time_and_can_go_on() -> None:
    poller, _, clock = await begin(RUNNING, RUNNING, SUCCEEDED)
    await poller.wait(timeout=5)
    assert clock.naps == [3, 2]
    assert poller.status() == "Pending"
    await poller.wait()
    assert poller.status() == "Succeeded"


async def test_result_tells_that_it_still_runs() -> None:
    poller, _, _ = await begin(RUNNING)
    with pytest.raises(StillRunning, match="it is Pending"):
        await poller.result(timeout=2)
    with pytest.raises(TimeoutError):
        await poller.result(timeout=0.5)


@pytest.mark.parametrize("word", ["Failed", "failed", "Canceled", "CANCELED"])
async def test_a_failure_has_code_message_and_events(word: str) -> None:
    properties = {"events": [{"name": "Failed", "message": "no such file", "type": "Warning", "count": 1}]}
    error = {"code": "RunContainerError", "message": "it did not start"}
    poller, _, _ = await begin(answer(200, {"status": word, "error": error, "properties": properties}))
    with pytest.raises(OperationFailed, match="cannot create container group 'web': it did not start") as caught:
        await poller.result()
    assert caught.value.code == "RunContainerError"
    assert caught.value.events[0].message == "no such file"
    assert poller.status() == word.capitalize()
    assert await poller.done()
    with pytest.raises(OperationFailed):
        await poller.wait()


async def test_callbacks_are_called_once_at_the_end_and_late_ones_at_once() -> None:
    poller, _, clock = await begin(RUNNING, SUCCEEDED)
    seen: list[str] = []

    def tell(one: AzureOperationPoller[ContainerGroup]) -> None:
        seen.append(one.status())

    def unwanted(one: AzureOperationPoller[ContainerGroup]) -> None:
        seen.append("unwanted")

    poller.add_done_callback(tell)
    poller.add_done_callback(unwanted)
    poller.remove_done_callback(unwanted)
    assert not await poller.done()
    assert seen == []
    clock.pass_by(3)
    assert await poller.done()
    assert await poller.done()
    assert seen == ["Succeeded"]
    with pytest.raises(ValueError, match="not in list"):
        poller.remove_done_callback(tell)
    poller.add_done_callback(lambda one: seen.append("late"))
    assert seen == ["Succeeded", "late"]


async def test_a_failure_is_called_back_too() -> None:
    poller, _, _ = await begin(answer(200, {"status": "Failed"}))
    seen: list[str] = []
    poller.add_done_callback(lambda one: seen.append(one.status()))
    assert await poller.done()
    assert seen == ["Failed"]


async def test_a_failed_first_answer_is_a_failure() -> None:
    aci, _, _ = client(answer(201, group("Failed")))
    poller = await aci.container_groups.begin_create_or_update("rg", "web", {})
    assert await poller.done()
    with pytest.raises(OperationFailed):
        await poller.result()


async def test_a_lost_connection_does_not_end_the_poller() -> None:
    lost = ConnectionFailed("gone", reason="lost")
    poller, _, _ = await begin(lost, lost, lost, lost, SUCCEEDED)
    with pytest.raises(ConnectionFailed):
        await poller.done()
    assert await poller.done()


async def test_a_slow_answer_is_no_answer() -> None:
    poller, _, _ = await begin(ConnectionFailed("slow", reason="timeout"), SUCCEEDED)
    assert not await poller.done()
    assert await poller.done()


async def test_a_fault_of_the_service_does_not_end_the_poller_but_a_forgotten_operation_does() -> None:
    poller, _, _ = await begin(*[answer(500)] * 4, fault(404, "OperationNotFound"))
    with pytest.raises(ServiceError):
        await poller.wait()
    assert await poller.done()
    with pytest.raises(NotFound):
        await poller.result()


async def test_nonsense_from_the_monitor_is_a_clear_error() -> None:
    poller, _, _ = await begin(answer(200, b"<html>"))
    with pytest.raises(UnexpectedAnswer, match="can't be read"):
        await poller.result()


async def test_the_token_goes_to_no_monitor_elsewhere() -> None:
    first = answer(201, group("Pending"), azure_asyncoperation="https://elsewhere.example/1")
    aci, script, _ = client(first, SUCCEEDED)
    poller = await aci.container_groups.begin_create_or_update("rg", "web", {})
    assert await poller.done()
    assert "authorization" in script.requests[0].headers
    assert "authorization" not in script.requests[1].headers


async def test_a_monitor_without_tls_is_refused() -> None:
    first = answer(201, group("Pending"), azure_asyncoperation="http://elsewhere.example/1")
    aci, script, _ = client(first)
    poller = await aci.container_groups.begin_create_or_update("rg", "web", {})
    with pytest.raises(UnexpectedAnswer, match="use https"):
        await poller.result()
    assert len(script.requests) == 1


async def test_another_client_goes_on_from_a_token() -> None:
    poller, _, _ = await begin()
    token = poller.continuation_token()
    aci, script, _ = client(SUCCEEDED, answer(200, group()))
    other = await aci.container_groups.begin_create_or_update("rg", "web", {}, continuation_token=token)
    assert (await other.result()).name == "web"
    assert [request.method for request in script.requests] == ["GET", "GET"]


async def test_a_token_of_somebody_else_is_refused() -> None:
    aci, script, _ = client()
    for token in ("", "nonsense", "e30=", "eyJraW5kIjoieCIsInN0ZXAiOnt9fQ=="):
        with pytest.raises(ValueError, match="continuation_token"):
            await aci.container_groups.begin_delete("rg", "web", continuation_token=token)
    assert not script.requests


async def test_without_polling_the_first_answer_is_the_result() -> None:
    aci, script, _ = client(answer(201, group("Pending"), azure_asyncoperation=f"{BASE}/o"))
    poller = await aci.container_groups.begin_create_or_update("rg", "web", {}, polling=False)
    assert await poller.done()
    assert (await poller.result()).provisioning_state == "Pending"
    assert len(script.requests) == 1


async def test_the_deadline_is_for_the_whole_operation() -> None:
    running = answer(200, {"status": "InProgress"}, retry_after="4")
    aci, _, clock = client(answer(201, group("Pending"), azure_asyncoperation=f"{BASE}/o"), *[running] * 3)
    poller = await aci.container_groups.begin_create_or_update("rg", "web", {}, deadline=10)
    with pytest.raises(StillRunning, match="goes on"):
        await poller.result()
    assert sum(clock.naps) == 10
