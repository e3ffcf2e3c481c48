"""Tests what Python's logging is told of requests: enough to follow them, and no secret."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback

import pytest

from hythe import ContainerInstanceManagementClient, StaticTokenCredential
from hythe.client._sync import exchange
from hythe.client._sync._sockets import open_socket
from hythe.client.request_log import LOGGER, shown
from hythe.errors import ConnectionFailed, NotFound
from hythe.models import Container, ContainerGroup, ResourceRequests, ResourceRequirements
from hythe.testing import Outcome, Scripted, running_service

from ._sync.subject import FakeTransport
from .script import BASE, SUBSCRIPTION, answer, group

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://h/a?api-version=2025-09-01", "https://h/a?api-version=2025-09-01"),
        ("https://h/a?%24expand=instanceView&t=1&s=Sig&c", "https://h/a?%24expand=instanceView&t=***&s=***&***"),
        ("https://h/a", "https://h/a"),
        ("https://h/a?API-Version=1#secret", "https://h/a?API-Version=1"),
        ("https://user:pw@h:1/a@b?token", "https://h:1/a@b?***"),
        ("https://h/a?api-version=1;sig=s", "https://h/a?api-version=***"),
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


def test_streams_and_sessions_are_told_and_nobody_tells_what_they_carry(caplog: pytest.LogCaptureFixture) -> None:
    outcome = Outcome(exec={"ls": Scripted(out=f"{SECRET}\n".encode())}, log=f"{SECRET}\n")
    with running_service({"nginx": outcome}) as place, place.client() as client:
        needs = ResourceRequirements(requests=ResourceRequests(cpu=1.0, memory_in_gb=1.0))
        web = ContainerGroup(
            location="local", os_type="Linux", containers=[Container(name="web", image="nginx", resources=needs)]
        )
        client.apply(web, resource_group="rg", name="web")
        group = client.group("web", "rg")
        caplog.set_level(logging.DEBUG)  # of all there are
        assert group.exec(["ls"]).stdout == f"{SECRET}\n"
        assert next(iter(group.logs(follow=True))).text == SECRET
        with pytest.raises(NotFound):
            group.copy_out("/nothing/there", "there")

    told = [record.message for record in caplog.records if record.name == LOGGER]
    assert any(line.startswith("GET wss://") and ": 101 in " in line for line in told)
    assert any("/logs?" in line and line.endswith(", read as it comes") for line in told)
    assert any("404 in " in line for line in told)
    assert not [record for record in caplog.records if record.name.startswith("websockets.client")]


@pytest.mark.parametrize("end", ["\n", " ", "\u20ac"])
@pytest.mark.parametrize("open_it", [True, False], ids=["a stream", "a whole answer"])
def test_a_header_that_can_not_be_sent_is_refused_without_its_value(open_it: bool, end: str) -> None:
    client = ContainerInstanceManagementClient(StaticTokenCredential(f"{SECRET}{end}"), SUBSCRIPTION, BASE)

    with pytest.raises(ValueError, match="the value of the header authorization has a blank") as why:
        client._session.open("GET", BASE, doing="look") if open_it else client.container_groups.get("rg", "web")

    assert SECRET not in "".join(traceback.format_exception(why.value))


def test_a_proxy_that_is_none_is_said_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"user:{SECRET}@proxy:3128")

    with pytest.raises(ConnectionFailed, match="the proxy that the environment names") as why:
        open_socket("wss://nowhere.invalid/x", None, headers={})

    assert SECRET not in "".join(traceback.format_exception(why.value))


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
