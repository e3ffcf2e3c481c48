"""Tests what Python's logging is told of requests: enough to follow them, and no secret."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from hythe import ContainerInstanceManagementClient, StaticTokenCredential
from hythe.client._sync import exchange
from hythe.client.request_log import LOGGER, shown
from hythe.errors import ConnectionFailed

from ._sync.subject import FakeTransport
from .script import BASE, SUBSCRIPTION, answer, group


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://h/a?api-version=2025-09-01", "https://h/a?api-version=2025-09-01"),
        ("https://h/a?%24expand=instanceView&t=1&s=Sig&c", "https://h/a?%24expand=instanceView&t=***&s=***&c=***"),
        ("https://h/a", "https://h/a"),
        ("https://h/a?API-Version=1#secret", "https://h/a?API-Version=1"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_secret(url: str, told: str) -> None:
    assert shown(url) == told


def calls(script: FakeTransport) -> None:
    client = ContainerInstanceManagementClient(StaticTokenCredential("s3cret"), SUBSCRIPTION, BASE, transport=script)
    client.container_groups.get("rg", "web")


def test_each_try_is_a_line(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_jitter", lambda: 0.5)
    monkeypatch.setattr("hythe.client._sync._io.Clock.sleep", lambda *_: None)
    script = FakeTransport(
        ConnectionFailed("cannot reach it", reason="refused"),
        answer(200, group(), x_ms_request_id="1234", set_cookie="s3cret"),
    )
    with caplog.at_level(logging.INFO, LOGGER):
        calls(script)

    path = f"{BASE}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerInstance"
    asked = f"GET {path}/containerGroups/web?api-version="
    first, wait, second = caplog.messages
    assert first.startswith(asked) and "no answer after " in first and first.endswith(" ms (refused)")
    assert wait == "try 2 follows in 0.2 s"
    assert second.startswith(asked) and ": 200 in " in second


def test_headers_that_are_no_secrets_are_told_to_who_looks_closely(caplog: pytest.LogCaptureFixture) -> None:
    given = answer(200, group(), x_ms_request_id="1234", set_cookie="s3cret", location="https://h/o?api-version=1&s=x")
    with caplog.at_level(logging.DEBUG, LOGGER):
        calls(FakeTransport(given))

    assert caplog.messages[1] == "answered with x-ms-request-id: 1234, location: https://h/o?api-version=1&s=***"
    assert "s3cret" not in caplog.text


def test_nothing_is_told_unless_somebody_listens(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, LOGGER):
        calls(FakeTransport(answer(200, group())))

    assert not caplog.messages


def test_who_does_not_log_does_not_pay_for_it() -> None:
    code = """
import sys
import hythe.client.request_log as log
from hythe.client.transport import Request, Response
log.tell(Request(method="GET", url="https://h", headers={}), Response(status=200, headers={}), 0.1)
assert "logging" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
