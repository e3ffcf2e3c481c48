"""Looking inside, on the simulated engine: sessions, frames, refusals, logs, ports, files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hythe.engines.base import Uid
from hythe.engines.offers import Size
from hythe.engines.sim import Outcome
from hythe.engines.sim_streams import Scripted
from hythe.service.sockets import Gone, Socket
from hythe.service.streams.authentication import opened
from hythe.service.streams.exec import clamped
from hythe.service.streams.sessions import MOST, Session, Sessions
from hythe.service.streams.words import split
from hythe.wire.faults import Fault

from .harness import GROUPS, Service, container, group, running
from .peer import Peer, answering, connected

OWN = ["exec.hythe.v1"]
G = f"{GROUPS}/g"
COMMANDS = {
    "say a b": Scripted(out=b"out", err=b"err", exit_code=3),
    "cat": Scripted(echoes=True),
}


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    outcomes = {
        "web": Outcome(log="one\ntwo\n", exec=COMMANDS, ports=frozenset({80})),
        "task": Outcome(runs_for=0, log="done\n"),
    }
    async with running(outcomes) as made:
        await made.make_folder()
        both = group(container("web"), container("task"), restartPolicy="Never")
        assert (await made.ask("PUT", G, both)).status == 201
        async with asyncio.timeout(30):
            while "Terminated" not in (await made.ask("GET", G)).raw.decode():
                await asyncio.sleep(0.005)
        yield made


async def session(service: Service, command: str = "cat", **size: int) -> tuple[str, str]:
    body = {"command": command, "terminalSize": size} if size else {"command": command}
    reply = await service.ask("POST", f"{G}/containers/web/exec", body)
    assert reply.status == 200, reply.raw
    return reply.json["webSocketUri"], reply.json["password"]


async def status(peer: Peer) -> Any:
    frame = await peer.frame()
    assert isinstance(frame, bytes) and frame[0] == 3
    assert await peer.closed() == (1000, "")
    return json.loads(frame[1:])


# --- passwords --------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def asked(name: str = "c") -> Session:
    return Session(uid=Uid("u"), container=name, command=("true",))


def test_a_password_opens_its_session_once_and_no_other() -> None:
    sessions = Sessions(Clock())
    first, password = sessions.open(asked("one"))
    second, other = sessions.open(asked("two"))
    assert password != other and len(password) >= 32
    assert sessions.claim(second, password) is None
    assert sessions.claim(second, other) is None, "a wrong try ends a session"
    found = sessions.claim(first, password)
    assert found is not None and found.container == "one"
    assert sessions.claim(first, password) is None
    assert sessions.claim("nosuch", password) is None


def test_a_password_is_gone_after_its_time() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    identity, password = sessions.open(asked())
    clock.now = 59.9
    assert sessions.waits(identity, attach=False) and not sessions.waits(identity, attach=True)
    late, late_password = sessions.open(asked())
    clock.now = 60.0
    assert not sessions.waits(identity, attach=False)
    assert sessions.claim(identity, password) is None
    assert sessions.claim(late, late_password) is not None


def test_sessions_that_nobody_begins_do_not_pile_up() -> None:
    sessions = Sessions(Clock())
    made = [sessions.open(asked()) for _ in range(MOST + 1)]
    assert sessions.claim(*made[0]) is None
    assert sessions.claim(*made[1]) is not None
    assert sessions.claim(*made[-1]) is not None


def test_no_password_is_kept() -> None:
    sessions = Sessions(Clock())
    _, password = sessions.open(asked())
    assert password not in repr(vars(sessions))


async def test_a_connection_has_a_time_to_authenticate() -> None:
    peer = Peer()

    async def send(message: Any) -> None:
        peer.got.put_nowait(message)

    sessions = Sessions()
    identity, password = sessions.open(asked())
    socket = Socket(peer.sent.get, send, subprotocols=(), authorization="")
    assert await opened(socket, sessions, identity, subprotocol=None, seconds=0.01) is None
    assert (await peer.next())["type"] == "websocket.accept"
    code, reason = await peer.closed()
    assert code == 1008 and "0.01 s" in reason
    assert sessions.claim(identity, password) is None
    peer.leave()
    with pytest.raises(Gone):
        await socket.receive()


# --- commands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/bin/sh", ("/bin/sh",)),
        ("sh -c 'echo  $HOME; ls *'", ("sh", "-c", "echo  $HOME; ls *")),
        ('a "b c" d\\ e ""', ("a", "b c", "d e", "")),
        ("  echo #no comment ", ("echo", "#no", "comment")),
        ("echo é🙂", ("echo", "é🙂")),
    ],
)
def test_a_command_is_split_as_a_shell_splits_words(command: str, words: tuple[str, ...]) -> None:
    assert split(command) == words


@pytest.mark.parametrize("command", [None, "", "  ", "'open", 'a "', "a\\", "a\0b", "''", "x" * 70_000])
def test_what_is_no_command_is_refused(command: str | None) -> None:
    with pytest.raises(Fault) as refused:
        split(command)
    assert (refused.value.status, refused.value.code) == (400, "InvalidExecCommand")


def test_sizes_of_terminals_stay_within_reason() -> None:
    base = Size(rows=24, columns=80)
    assert clamped(None, 0, base) == base
    assert clamped(-1, 10**9, base) == Size(rows=1, columns=4096)


# --- exec -------------------------------------------------------------------------------------------------------


@pytest.mark.proves("Containers_ExecuteCommand")
async def test_our_protocol_keeps_outputs_apart_and_ends_with_the_exit_code(service: Service) -> None:
    uri, password = await session(service, "say a b")
    async with connected(service, uri, subprotocols=["other", *OWN]) as peer:
        assert (await peer.next()) == {"type": "websocket.accept", "subprotocol": OWN[0]}
        peer.send(password)
        assert [await peer.frame(), await peer.frame()] == [b"\x01out", b"\x02err"]
        assert await status(peer) == {"exitCode": 3}
    assert service.engine.processes[-1].size is None and service.engine.processes[-1].closed


async def test_input_and_its_end_and_a_new_size(service: Service) -> None:
    uri, password = await session(service)
    async with connected(service, uri + "&tty=true", subprotocols=OWN) as peer:
        await peer.next()
        peer.send(password)
        peer.send(b"\0abc")
        assert await peer.frame() == b"\x01abc"
        peer.send(b'\x04{"rows": 50, "cols": 9999}')
        peer.send(b"\xff\0")
        assert await status(peer) == {"exitCode": 0}
    assert service.engine.processes[-1].size == Size(rows=50, columns=4096)


@pytest.mark.proves("Containers_ExecuteCommand")
async def test_azures_protocol_is_a_terminal(service: Service) -> None:
    uri, password = await session(service, rows=33, cols=99)
    assert uri.startswith("wss://localhost/execstream/sessionId/")
    assert uri.endswith("?api-version=1.0&rows=33&cols=99")
    async with connected(service, uri.replace("rows=33", "rows=44")) as peer:
        assert (await peer.next()) == {"type": "websocket.accept", "subprotocol": None}
        peer.send(password)
        peer.send(b"key")
        assert await peer.frame() == b"key"
        peer.send("text")
        assert await peer.frame() == b"text"
        process = service.engine.processes[-1]
        assert process.size == Size(rows=44, columns=99)
        assert not process.closed
    assert process.closed, "the client left"


@pytest.mark.parametrize("frame", [b"", b"\x01x", b"\xff\x01", b"\x04{}", b"\x04no", "text", b"\x09"])
async def test_a_frame_that_breaks_our_protocol_ends_the_session(service: Service, frame: bytes | str) -> None:
    uri, password = await session(service)
    async with connected(service, uri, subprotocols=OWN) as peer:
        await peer.next()
        peer.send(password)
        peer.send(frame)
        code, reason = await peer.closed()
        assert code == 1003 and reason
    assert service.engine.processes[-1].closed


@pytest.mark.parametrize("password", ["wrong", "", b"\xff\xfe", "x" * 5000])
async def test_a_wrong_password_runs_nothing(service: Service, password: bytes | str) -> None:
    uri, right = await session(service)
    async with connected(service, uri) as peer:
        await peer.next()
        peer.send(password)
        assert (await peer.closed())[0] == 1008
    async with connected(service, uri, headers={"authorization": right}) as peer:
        assert await peer.refused() == (404, "SessionNotFound")
    assert service.engine.processes == []


@pytest.mark.parametrize("prefix", ["", "Bearer "])
async def test_the_password_may_come_in_the_handshake(service: Service, prefix: str) -> None:
    uri, password = await session(service, "say a b")
    async with connected(service, uri, subprotocols=OWN, headers={"authorization": prefix + password}) as peer:
        await peer.next()
        assert await peer.frame() == b"\x01out"


async def test_a_program_that_is_not_there(service: Service) -> None:
    uri, password = await session(service, "nosuch")
    async with connected(service, uri, subprotocols=OWN) as peer:
        await peer.next()
        peer.send(password)
        frame = await peer.frame()
        assert isinstance(frame, bytes) and frame[0] == 2 and b"nosuch" in frame
        assert await status(peer) == {"exitCode": 127}


async def test_a_session_is_of_its_group_and_of_no_group_that_came_after(service: Service) -> None:
    uri, password = await session(service, "say a b")
    await service.ask("DELETE", G)
    assert (await service.ask("PUT", G, group(container("web")))).status == 201
    async with connected(service, uri, subprotocols=OWN) as peer:
        await peer.next()
        peer.send(password)
        assert (await status(peer))["error"]["code"] == "ContainerNotRunning"


async def test_what_can_not_be_run_is_refused(service: Service) -> None:
    async def refused(path: str, command: object = "true") -> tuple[int, str]:
        reply = await service.ask("POST", f"{GROUPS}/{path}/exec", {"command": command})
        return reply.status, reply.code

    assert await refused("g/containers/nosuch") == (404, "ResourceNotFound")
    assert await refused("nosuch/containers/web") == (404, "ResourceNotFound")
    assert await refused("g/containers/task") == (409, "ContainerNotRunning")
    assert await refused("g/containers/web", "'") == (400, "InvalidExecCommand")
    await service.ask("POST", f"{G}/stop")
    assert await refused("g/containers/web") == (409, "ContainerGroupStopped")


async def test_a_websocket_elsewhere_is_refused_as_any_request_is(service: Service) -> None:
    port = f"{G}/portForward?api-version=2023-05-01&port=80"
    signed = {"authorization": "Bearer x"}
    for uri, headers, expected in (
        ("/no/such", signed, (404, "NotFound")),
        (G, signed, (405, "MethodNotAllowed")),
        (f"{G}/containers/web/exec", signed, (405, "MethodNotAllowed")),
        ("/execstream/sessionId/x", {}, (404, "SessionNotFound")),
        (port, {"host": "evil"} | signed, (421, "MisdirectedRequest")),
        (port, {}, (401, "AuthenticationFailed")),
        (port.replace("80", "81"), signed, (502, "PortNotReached")),
        (port.replace("80", "0"), signed, (400, "InvalidParameter")),
    ):
        async with connected(service, uri, headers=headers) as peer:
            assert await peer.refused() == expected, uri
    for method in ("GET", "WEBSOCKET"):
        reply = await service.ask(method, f"{G}/portForward", query="port=80")
        assert reply.status == 426 and reply.headers["upgrade"] == "websocket", method


# --- logs and attach --------------------------------------------------------------------------------------------


async def test_a_followed_log_goes_on_until_its_run_ends(service: Service) -> None:
    uid = next(iter(service.engine.groups))
    async with answering(service, "GET", f"{G}/containers/web/logs", "follow=true&tail=1") as peer:
        start = await peer.next()
        assert (start["status"], dict(start["headers"])[b"content-type"]) == (200, b"text/plain; charset=utf-8")
        assert b"content-length" not in dict(start["headers"])
        assert (await peer.next())["body"] == b"two\n"
        service.engine.say(uid, "web", "three\n")
        assert await peer.next() == {"type": "http.response.body", "body": b"three\n", "more_body": True}
        await service.ask("POST", f"{G}/stop")
        assert await peer.next() == {"type": "http.response.body", "body": b""}


async def test_a_follower_that_leaves_is_let_go_and_the_end_of_the_service_breaks_off(service: Service) -> None:
    async with answering(service, "GET", f"{G}/containers/web/logs", "follow=true") as peer:
        assert (await peer.next())["status"] == 200
    async with answering(service, "GET", f"{G}/containers/web/logs", "follow=true") as peer:
        await peer.next()
        await peer.next()
        service.gate.end()
        await asyncio.sleep(0.01)
        assert peer.got.empty(), "the body was not ended as if it were whole"


@pytest.mark.proves("Containers_ListLogs")
async def test_logs_of_runs(service: Service) -> None:
    logs = f"{G}/containers/task/logs"
    assert (await service.ask("GET", logs)).json == {"content": "done\n"}
    for query in ("previous=true", "previous=true&follow=true"):
        reply = await service.ask("GET", logs, query=query)
        assert (reply.status, reply.code) == (404, "ContainerLogNotAvailable")
    await service.ask("POST", f"{G}/restart")
    assert (await service.ask("GET", logs, query="previous=true")).json == {"content": "done\n"}
    assert (await service.ask("GET", f"{G}/containers/nosuch/logs")).code == "ResourceNotFound"
    assert (await service.ask("GET", logs, query="tail=no")).code == "InvalidParameter"
    assert (await service.ask("GET", logs, query="tail=99999999999999999999")).status == 200


@pytest.mark.proves("Containers_Attach")
async def test_attach_shows_the_log_and_takes_input(service: Service) -> None:
    reply = await service.ask("POST", f"{G}/containers/web/attach")
    assert reply.json["webSocketUri"].startswith("wss://localhost/logstream/sessionId/")
    uid = next(iter(service.engine.groups))
    as_exec = reply.json["webSocketUri"].replace("logstream", "execstream")
    async with connected(service, as_exec) as peer:
        assert await peer.refused() == (404, "SessionNotFound")
    async with connected(service, reply.json["webSocketUri"]) as peer:
        await peer.next()
        peer.send(reply.json["password"])
        assert await peer.frame() == b"one\ntwo\n"
        peer.send(b"typed")
        service.engine.say(uid, "web", "more\n")
        assert await peer.frame() == b"more\n"
        await service.ask("POST", f"{G}/stop")
        assert (await peer.closed())[0] == 1000
    assert service.engine.inside[uid].inputs["web"] == b"typed"
    assert (await service.ask("POST", f"{G}/containers/web/attach")).code == "ContainerGroupStopped"


# --- ports and files --------------------------------------------------------------------------------------------


async def test_a_port_carries_both_directions_until_both_end(service: Service) -> None:
    uri = f"{G}/portForward?api-version=2023-05-01&port=80"
    async with connected(service, uri, headers={"authorization": "Bearer x"}) as peer:
        await peer.next()
        peer.send(b"hello")
        assert await peer.frame() == b"hello"
        peer.send("eof")
        assert await peer.frame() == "eof"
        assert (await peer.closed())[0] == 1000


async def test_files_are_streamed_in_and_out(service: Service) -> None:
    path = f"{G}/containers/web/archive"
    async with answering(service, "PUT", path, "path=/a", [b"x" * (5 << 20), b"y"]) as peer:
        assert (await peer.next())["status"] == 204
    async with answering(service, "GET", path, "path=/a") as peer:
        start = await peer.next()
        assert dict(start["headers"])[b"content-type"] == b"application/x-tar"
        assert len((await peer.next())["body"]) == (5 << 20) + 1
        assert await peer.next() == {"type": "http.response.body", "body": b""}
    for query, expected in (
        ("path=/no", (404, "PathNotFound")),
        ("path=no", (400, "InvalidParameter")),
        ("", (400, "InvalidParameter")),
    ):
        reply = await service.ask("GET", path, query=query)
        assert (reply.status, reply.code) == expected
    reply = await service.ask("GET", f"{G}/containers/task/archive", query="path=/a")
    assert (reply.status, reply.code) == (409, "ContainerNotRunning")


async def test_an_archive_that_is_too_large_is_refused(service: Service) -> None:
    service.api.streams._copy_limit = 10
    async with answering(service, "PUT", f"{G}/containers/web/archive", "path=/a", [b"x" * 11]) as peer:
        assert (await peer.next())["status"] == 413
