"""Log workspaces: what az looks up, and what is posted to one.  Simulated containers, a local server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.sim import Outcome
from hythe.service.settings import load
from hythe.service.workspaces import collector as module
from hythe.service.workspaces.posting import EVENTS, LOGS, NotNow, NotTaken, Target, post

from .harness import FOLDER, GROUPS, SUBSCRIPTION, Service, container, group, running

WORKSPACES = f"{FOLDER}/providers/Microsoft.OperationalInsights/workspaces"
ID, KEY = "11111111-2222-3333-4444-555555555555", base64.b64encode(b"a key of a workspace").decode()
NOON = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


class Workspace(ThreadingHTTPServer):
    """Takes posts that are signed with the key."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken: list[tuple[str, Any]] = []
        self.pause = 0.0
        """Seconds between taking a post and answering it."""
        self.trouble: list[int] = []
        """Codes of the next answers."""
        self.asked: list[tuple[str, int]] = []
        """The tables of all posts, with the answers."""
        self.url = f"http://127.0.0.1:{self.server_port}/at/{{workspaceId}}"

    def lines(self, table: str = LOGS) -> list[str]:
        return [each["Message"] for name, records in self.taken if name == table for each in records]


class Handler(BaseHTTPRequestHandler):
    server: Workspace

    def do_POST(self) -> None:
        """Check the signature by the documented recipe, not by the code under test."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = f"POST\n{len(body)}\napplication/json\nx-ms-date:{self.headers['x-ms-date']}\n/api/logs"
        digest = hmac.new(b"a key of a workspace", said.encode("utf-8"), hashlib.sha256).digest()
        code = self.server.trouble.pop(0) if self.server.trouble else 200
        if self.headers["Authorization"] != f"SharedKey {ID}:{base64.b64encode(digest).decode()}":
            code = 403
        if code == 200:
            assert self.path == f"/at/{ID}/api/logs?api-version=2016-04-01"
            assert self.headers["time-generated-field"] == "TimeGenerated"
            self.server.taken.append((self.headers["Log-Type"], json.loads(body)))
        time.sleep(self.server.pause)
        self.server.asked.append((self.headers["Log-Type"], code))
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = Workspace()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GATHER_SECONDS", 0.01)
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.01)


def logged(key: str = KEY, workspace: str = ID) -> dict:
    return group(diagnostics={"logAnalytics": {"workspaceId": workspace, "workspaceKey": key}})


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


# --- what is looked up ---


async def test_workspaces_and_keys_as_az_looks_them_up() -> None:
    async with running() as service:
        await service.make_folder()
        made = await service.ask("PUT", f"{WORKSPACES}/logs", {"location": "eastus"}, version="2021-12-01-preview")
        again = await service.ask("PUT", f"{WORKSPACES}/logs", {"tags": {"a": "b"}}, version="2021-12-01-preview")
        everywhere = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.OperationalInsights/workspaces"
        listed = await service.ask("GET", everywhere, version="2021-12-01-preview")
        where = f"{WORKSPACES.replace('resourceGroups', 'resourcegroups')}/logs/sharedKeys"
        keys = [await service.ask("POST", where, version="2020-08-01") for _ in range(2)]
        missing = await service.ask("POST", f"{WORKSPACES}/none/sharedKeys", version="2020-08-01")
        await service.ask("DELETE", f"{WORKSPACES}/logs")
        await service.ask("PUT", f"{WORKSPACES}/logs", {"location": "eastus"})
        other = await service.ask("POST", where, version="2020-08-01")

    assert (made.status, made.json["properties"]["provisioningState"]) == (201, "Succeeded")
    assert again.json["properties"]["customerId"] == made.json["properties"]["customerId"]
    assert made.json["properties"] | {"customerId": ""} == {
        "customerId": "", "provisioningState": "Succeeded", "retentionInDays": 30, "sku": {"name": "PerGB2018"},
    }  # fmt: skip
    assert [each["name"] for each in listed.json["value"]] == ["logs"]
    first = keys[0].json
    assert keys[1].json == first and first["primarySharedKey"] != first["secondarySharedKey"]
    assert len(base64.b64decode(first["primarySharedKey"])) == 64
    assert (missing.status, missing.code) == (404, "ResourceNotFound")
    assert other.json["primarySharedKey"] != first["primarySharedKey"]  # another life, other keys


# --- what is posted ---


async def test_lines_and_events_are_posted(workspace: Workspace) -> None:
    async with running({"web": Outcome(log="one\ntwo\n")}, workspaces=workspace.url) as service:
        service.collector.start()
        await service.make_folder()
        assert (await service.ask("PUT", f"{GROUPS}/web", logged())).status == 201
        await service.ask("PUT", f"{GROUPS}/quiet", group(container("web")))
        await until(lambda: workspace.lines() == ["one", "two"] and "Started container" in workspace.lines(EVENTS))
        row = service.store.get(f"{GROUPS}/web".lower())
        service.engine.say(row.uid, "web", "three\n")
        await until(lambda: len(workspace.lines()) == 3)
        await service.collector.stop()

    assert workspace.lines() == ["one", "two", "three"]
    (_, lines) = next(each for each in workspace.taken if each[0] == LOGS)
    assert lines[0] | {"TimeGenerated": ""} == {
        "TimeGenerated": "", "Message": "one", "ContainerGroup": "web", "ContainerGroupInstanceId": row.uid,
        "ContainerName": "web", "ContainerImage": "image", "Location": "eastus", "OSType": "Linux",
        "Source": "LoggingAgent",
    }  # fmt: skip
    (_, events) = next(each for each in workspace.taken if each[0] == EVENTS)
    assert {"Reason", "Count", "FirstTimestamp", "LastTimestamp"} < events[0].keys()
    assert not any(KEY in str(each) for each in workspace.taken)


@pytest.mark.parametrize("pause", [0.0, 0.3], ids=["at once", "stopped while it posts"])
async def test_a_next_run_is_followed_and_nothing_comes_twice(
    pause: float, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.pause = pause
    kept = tmp_path / "posted.json"
    async with running({"web": Outcome(log="hello\n")}, workspaces=workspace.url, posted=kept) as service:
        service.collector.start()
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", logged())
        await until(lambda: workspace.lines() == ["hello"])
        await service.collector.stop()
        workspace.pause = 0.0
        events = len(workspace.lines(EVENTS))
        again = Service(service.engine, service.store, workspaces=workspace.url, posted=kept)
        again.collector.start()
        await again.collector.look(f"{GROUPS}/web".lower())
        row = service.store.get(f"{GROUPS}/web".lower())
        service.engine.say(row.uid, "web", "more\n")
        await until(lambda: len(workspace.lines()) == 2)
        await service.ask("POST", f"{GROUPS}/web/restart")
        await again.collector.look(f"{GROUPS}/web".lower())
        await until(lambda: len(workspace.lines()) == 3)
        await again.collector.stop()

    assert workspace.lines() == ["hello", "more", "hello"]
    assert len(workspace.lines(EVENTS)) > events


async def test_another_workspace_is_posted_to_at_once_and_none_no_more(workspace: Workspace) -> None:
    async with running({"web": Outcome(log="one\n")}, workspaces=workspace.url) as service:
        service.collector.start()
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", logged(key=base64.b64encode(b"wrong").decode()))
        await until(lambda: (LOGS, 403) in workspace.asked)
        assert workspace.lines() == []  # refused for good: the key is another one's
        await service.ask("PUT", f"{GROUPS}/web", logged())
        row = service.store.get(f"{GROUPS}/web".lower())
        service.engine.say(row.uid, "web", "two\n")
        await until(lambda: workspace.lines() == ["two"])
        await service.ask("PUT", f"{GROUPS}/web", group())
        await until(lambda: len(service.collector._tasks) == 2)  # its own two
        service.engine.say(row.uid, "web", "three\n")
        await asyncio.sleep(0.05)
        await service.collector.stop()

    assert workspace.lines() == ["two"]


async def test_a_workspace_that_is_away_gets_all_later(workspace: Workspace) -> None:
    workspace.trouble = [503, 429, 500] * 3
    async with running({"web": Outcome(log="one\n")}, workspaces=workspace.url) as service:
        service.collector.start()
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", logged())
        await until(lambda: workspace.lines() == ["one"])
        await service.collector.stop()

    assert not workspace.trouble


async def test_a_group_that_is_gone_is_not_posted_for_any_more(workspace: Workspace) -> None:
    workspace.trouble = [503] * 10_000
    async with running({"web": Outcome(log="one\n")}, workspaces=workspace.url) as service:
        service.collector.start()
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", logged())
        await until(lambda: len(workspace.trouble) < 10_000)
        await service.ask("DELETE", f"{GROUPS}/web")
        await until(lambda: len(service.collector._tasks) == 2)  # its own two
        await service.collector.stop()


async def test_runs_that_ended_while_the_workspace_was_away_are_posted_too(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with running(
        {"web": Outcome(log="hello\n")}, workspaces=workspace.url, posted=tmp_path / "posted.json"
    ) as service:
        workspace.trouble = [503] * 10_000
        service.collector.start()
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", logged())
        for _ in range(3):
            await service.ask("POST", f"{GROUPS}/web/restart")
            await service.collector.look(f"{GROUPS}/web".lower())
            await asyncio.sleep(0.02)
        workspace.trouble.clear()
        await until(lambda: len(workspace.lines()) == 4)
        await service.collector.stop()
        await service.ask("POST", f"{GROUPS}/web/restart")
        await service.ask("POST", f"{GROUPS}/web/restart")
        again = Service(service.engine, service.store, workspaces=workspace.url, posted=tmp_path / "posted.json")
        again.collector.start()
        await again.collector.look(f"{GROUPS}/web".lower())
        await until(lambda: len(workspace.lines()) >= 6)
        await asyncio.sleep(0.05)
        await again.collector.stop()

    assert workspace.lines() == ["hello"] * 6


async def test_the_last_line_needs_no_end(workspace: Workspace) -> None:
    async with running({"web": Outcome(log="one\ntwo", runs_for=0.05)}, workspaces=workspace.url) as service:
        service.collector.start()
        await service.make_folder()
        body = logged()
        body["properties"]["restartPolicy"] = "Never"
        await service.ask("PUT", f"{GROUPS}/web", body)
        await until(lambda: workspace.lines()[:2] == ["one", "two"])
        await service.collector.stop()


async def test_a_task_of_a_group_that_is_gone_ends_in_order_and_leaves_nothing(workspace: Workspace) -> None:
    workspace.trouble = [503] * 10_000
    async with running({"web": Outcome(log="one\n")}, workspaces=workspace.url) as service:
        key = f"{GROUPS}/web".lower()
        service.collector.start()
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", logged())
        await until(lambda: len(workspace.trouble) < 10_000)
        task = service.collector._groups[key].tasks["web"]
        await service.ask("DELETE", f"{GROUPS}/web")
        await asyncio.wait({task}, timeout=30)
        assert task.exception() is None

        posting, go_on = threading.Event(), threading.Event()

        def poster(*_: object) -> None:
            posting.set()
            go_on.wait(30)

        service.collector._poster = poster
        await service.ask("PUT", f"{GROUPS}/web", logged())
        await until(posting.is_set)
        tasks = [*service.collector._groups[key].tasks.values()]
        await service.ask("DELETE", f"{GROUPS}/web")
        await until(lambda: key not in service.collector._groups)
        go_on.set()
        await asyncio.wait(tasks, timeout=30)
        assert service.collector._posted == {}
        await service.collector.stop()


async def test_lines_of_a_container_that_an_update_took_away_are_posted(workspace: Workspace) -> None:
    async with running({"web": Outcome(log="one\n")}, workspaces=workspace.url) as service:
        workspace.trouble = [503] * 10_000
        service.collector.start()
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", logged())
        await until(lambda: (LOGS, 503) in workspace.asked)  # the first line is tried again and again
        row = service.store.get(f"{GROUPS}/web".lower())
        service.engine.say(row.uid, "web", "two\n")
        body = logged()
        body["properties"]["containers"] = [container("other")]
        assert (await service.ask("PUT", f"{GROUPS}/web", body)).status in (200, 201)
        await until(lambda: "other" in service.collector._groups[f"{GROUPS}/web".lower()].images)
        workspace.trouble.clear()
        await until(lambda: workspace.lines() == ["one", "two"])
        await service.collector.stop()


async def test_a_log_that_can_not_be_read_is_read_later(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running({"web": Outcome(log="one\n")}, workspaces=workspace.url) as service:
        follow, troubles = service.engine.follow, [OSError(28, "No space left on device")]

        async def troubled(*arguments: Any, **options: Any) -> Any:
            if troubles:
                raise troubles.pop()
            async for chunk in follow(*arguments, **options):
                yield chunk

        monkeypatch.setattr(service.engine, "follow", troubled)
        service.collector.start()
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", logged())
        await until(lambda: workspace.lines() == ["one"])
        await service.collector.stop()


@pytest.mark.parametrize("kept", [b"{", b'{"a": 1}', b'{"\xff": ""}', None])
async def test_a_file_of_what_was_posted_that_is_no_use_is_begun_anew(
    workspace: Workspace, tmp_path: Path, kept: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "posted.json"
    if kept is None:
        path.mkdir()  # can't be read, and not written either
    else:
        path.write_bytes(kept)
    async with running({"web": Outcome(log="one\n")}, workspaces=workspace.url, posted=path) as service:
        service.collector.start()
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", logged())
        await until(lambda: workspace.lines() == ["one"])
        await service.collector.stop()

    assert f"cannot read {path}" in caplog.text
    if kept is None:
        assert f"cannot write down in {path}" in caplog.text
    else:
        assert len(json.loads(path.read_bytes())) >= 1


@pytest.mark.parametrize("bad", [logged(workspace="evil.example/x"), logged(key="no base64!")])
async def test_an_id_that_is_none_leads_nowhere(workspace: Workspace, bad: dict) -> None:
    async with running({"web": Outcome(log="one\n")}, workspaces=workspace.url) as service:
        service.collector.start()
        await service.make_folder()
        assert (await service.ask("PUT", f"{GROUPS}/web", bad)).status == 201
        await service.ask("PUT", f"{GROUPS}/good", logged())
        await until(lambda: workspace.lines() == ["one"])
        await service.collector.stop()

    assert {each["ContainerGroup"] for _, records in workspace.taken for each in records} == {"good"}


async def test_batches_are_bounded() -> None:
    async def stream() -> Any:
        yield b"".join(b"2026-01-01T00:00:00.%09dZ line %d\n" % (number, number) for number in range(2500))
        yield b"2026-01-02T00:00:00.000000000Z " + b"x" * 100_000 + b"\n"

    found = [each async for each in module._batches(stream(), "2026-01-01T00:00:00.000000009Z")]

    assert [len(each) for each in found] == [1000, 1000, 491]
    assert found[0][0] == ("2026-01-01T00:00:00.000000010Z", "line 10")
    assert len(found[-1][-1][1]) == 32 << 10


async def test_a_line_that_comes_late_and_is_older_is_posted() -> None:
    async def stream() -> Any:
        yield b"".join(b"2026-01-01T00:00:0%dZ %d\n" % (second, second) for second in (1, 3, 4, 2, 5))
        yield b"2026-01-01T00:00:06.51Z 6"

    (lines,) = [each async for each in module._batches(stream(), "2026-01-01T00:00:03Z")]
    assert [text for _, text in lines] == ["4", "2", "5", "6"]
    (last,) = [each async for each in module._batches(stream(), "2026-01-01T00:00:06.5Z")]
    assert [text for _, text in last] == ["6"]


def test_trouble_that_passes_and_trouble_that_does_not(workspace: Workspace) -> None:
    target = Target(url=workspace.url, workspace=ID, key=KEY)
    wrong = Target(url=workspace.url, workspace=ID, key=base64.b64encode(b"another").decode())
    workspace.trouble = [500, 400]
    with pytest.raises(NotNow, match="500"):
        post(target, LOGS, [{"Message": "x"}], NOON)
    with pytest.raises(NotTaken, match="400"):
        post(target, LOGS, [{"Message": "x"}], NOON)
    with pytest.raises(NotTaken, match="403"):
        post(wrong, LOGS, [{"Message": "x"}], NOON)
    post(target, LOGS, [{"Message": "x"}], NOON)
    assert workspace.lines() == ["x"]
    with pytest.raises(NotNow, match="can't be reached"):
        post(Target(url="http://127.0.0.1:9", workspace=ID, key=KEY), LOGS, [], NOON)


def test_only_an_address_can_be_configured(tmp_path: Path) -> None:
    (tmp_path / "hythe.toml").write_text('[log_analytics]\nurl = "ftp://x"\n')
    with pytest.raises(ValueError, match="http or https"):
        load(tmp_path)
    (tmp_path / "hythe.toml").write_text('[log_analytics]\nurl = "https://{workspaceId}.ods.example"\n')
    assert load(tmp_path).log_analytics.url == "https://{workspaceId}.ods.example"
