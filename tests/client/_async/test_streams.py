"""Tests what goes on between a client and a running container: logs, commands, attachments, files, ports."""

from __future__ import annotations

import io
import os
import socket
import threading
from pathlib import Path

import pytest

from hythe.errors import Conflict, ConnectionFailed, InvalidRequest, NotFound, NotOffered, ServiceError
from hythe.models import Container, ContainerGroup, ResourceRequests, ResourceRequirements
from hythe.testing import Outcome, Scripted, running_service

from .subject import (
    ContainerInstanceManagementClient,
    FakeTransport,
    StaticTokenCredential,
    close,
    nap,
    open_command,
    pytestmark,
    served,
)

__all__ = ["pytestmark"]

NEEDS = ResourceRequirements(requests=ResourceRequests(cpu=1.0, memory_in_gb=1.0))
COMMANDS = {
    "ls -l": Scripted(out=b"total 0\n", err=b"odd\n", exit_code=3),
    "cat": Scripted(echoes=True),
    "echo a b": Scripted(out=b"a b\n"),
}


async def make(aci: ContainerInstanceManagementClient, *names: str, policy: str = "Never") -> None:
    await aci.ensure_resource_group("hythe")
    containers = [Container(name=name, image="any", resources=NEEDS) for name in names]
    group = ContainerGroup(location="eastus", os_type="Linux", containers=containers, restart_policy=policy)
    await (await aci.container_groups.begin_create_or_update("hythe", "web", group)).result()


# --- commands ---------------------------------------------------------------------------------------------------


async def test_a_command_gives_stdout_stderr_and_its_exit_code() -> None:
    with running_service({"c": Outcome(exec=COMMANDS)}) as service:
        async with served(service) as aci:
            await make(aci, "b", "c")
            group = aci.group("web")
            done = await group.exec(["ls", "-l"], container="c")
            assert (done.stdout, done.stderr, done.exit_code, done.ok) == ("total 0\n", "odd\n", 3, False)
            assert (await group.exec(["echo", "a b"], container="c")).stdout == "a b\n"
            assert (await group.exec(["nosuch"], container="c")).exit_code == 127
            with pytest.raises(NotFound):
                await group.exec("ls", container="d")
            with pytest.raises(ValueError, match="it is empty"):
                await group.exec([], container="c")


async def test_a_command_reads_its_input() -> None:
    with running_service({"c": Outcome(exec=COMMANDS)}) as service:
        async with served(service) as aci:
            await make(aci, "c")
            group = aci.group("web")
            assert (await group.exec("cat", input="héllo")).stdout == "héllo"
            large = os.urandom(3 << 20)
            assert (await group.exec("cat", input=large)).stdout_bytes == large
            assert (await group.exec("cat", input=io.BytesIO(b"from a file"))).stdout == "from a file"
            assert (await group.exec("cat")).stdout == ""


async def test_a_session_goes_both_ways() -> None:
    with running_service({"c": Outcome(exec=COMMANDS)}) as service:
        async with served(service) as aci:
            await make(aci, "c")
            async with await aci.group("web").open("cat", tty=True, rows=10, columns=20) as session:
                assert session.knows_exit_code and session.tty
                await session.write(b"typed")
                piece = await session.read()
                assert (piece.channel, piece.data) == (1, b"typed")
                await session.resize(30, 100)
                await session.end_input()
                assert await session.read() is None
                assert session.exit_code == 0
            size = service.processes[-1].size
            assert (size.rows, size.columns) == (30, 100)


async def test_closing_a_session_ends_the_command() -> None:
    with running_service({"c": Outcome(exec=COMMANDS)}) as service:
        async with served(service) as aci:
            await make(aci, "c")
            session = await aci.group("web").open("cat")
            await session.write(b"x")
            assert (await session.read()).data == b"x"
            await session.close()
            with pytest.raises(ConnectionFailed):
                await session.write(b"y")


async def test_a_group_that_does_not_run_takes_no_commands() -> None:
    with running_service({"c": Outcome(exec=COMMANDS)}) as service:
        async with served(service) as aci:
            await make(aci, "c")
            await aci.group("web").stop()
            with pytest.raises(Conflict, match="ContainerGroupStopped"):
                await aci.group("web").exec("cat")


async def test_azures_terminals_have_no_exit_code_and_no_end_of_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speaks Azure's protocol to Hythe, which knows it too."""
    monkeypatch.setattr(f"{open_command.__module__}.SUBPROTOCOL", "no.such")
    with running_service({"c": Outcome(exec=COMMANDS)}) as service:
        async with served(service) as aci:
            await make(aci, "c")
            group = aci.group("web")
            done = await group.exec("ls -l", container="c")
            assert done.exit_code is None and done.stdout == "total 0\nodd\n"
            with pytest.raises(NotOffered, match="Azure's sessions are terminals"):
                await group.exec("cat", container="c", input=b"x")
            async with await group.open("cat", container="c") as session:
                assert session.tty and not session.knows_exit_code
                await session.write(b"x")
                assert (await session.read()).data == b"x"
                await session.resize(1, 1)
                with pytest.raises(NotOffered, match="Ctrl-D"):
                    await session.end_input()


async def test_what_azure_can_not_do_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    transport = FakeTransport()
    aci = ContainerInstanceManagementClient(StaticTokenCredential("t"), "s", transport=transport)
    group = aci.group("web")
    with pytest.raises(NotOffered, match="Mount a file share"):
        await group.copy_in(tmp_path, "/a", container="c")
    with pytest.raises(NotOffered, match="Mount a file share"):
        await group.copy_out("/a", tmp_path, container="c")
    with pytest.raises(NotOffered, match="Give the group an address"):
        await group.forward(80)
    assert transport.requests == []


async def test_attaching_shows_the_log_and_takes_input() -> None:
    with running_service({"c": Outcome(log="one\n")}) as service:
        async with served(service) as aci:
            await make(aci, "c")
            async with await aci.group("web").attach() as session:
                assert (await session.read()).data == b"one\n"
                await session.write(b"typed")
                service.say("web", "two\n")
                assert (await session.read()).data == b"two\n"
                service.end("web")
                assert await session.read() is None
                assert session.exit_code is None


# --- logs -------------------------------------------------------------------------------------------------------


async def test_a_followed_log_ends_with_its_container() -> None:
    with running_service({"c": Outcome(log="one\ntwo\n")}) as service:
        async with served(service) as aci:
            await make(aci, "c")
            got = []
            async for line in aci.group("web").logs(follow=True):
                got.append((line.container, line.text, bool(line.time)))
                if line.text == "two":
                    service.say("web", "three\nfour")
                    service.end("web")
            assert got == [("c", text, True) for text in ("one", "two", "three", "four")]
            assert [line.text async for line in aci.group("web").logs(follow=True, tail=1)] == ["four"]


async def test_the_logs_of_several_containers_are_followed_at_a_time() -> None:
    with running_service({"a": Outcome(log="a1\n"), "b": Outcome(log="b1\n", runs_for=0.05)}) as service:
        async with served(service) as aci:
            await make(aci, "a", "b")
            got = set()
            async for line in aci.group("web").logs(follow=True):
                got.add(str(line))
                if got == {"a1", "b1"}:
                    service.say("web", "a2\n", "a")
                    service.end("web", "a")
            assert got == {"a1", "b1", "a2"}


async def test_a_restarted_container_is_followed_on_without_repeats() -> None:
    with running_service({"c": Outcome(log="run\n", runs_for=0.02, exit_code=1)}) as service:
        async with served(service) as aci:
            await make(aci, "c", policy="OnFailure")
            got = []
            async for line in aci.group("web").logs(follow=True):
                got.append(line.time)
                if len(got) == 2:
                    service.outcomes["c"] = Outcome(log="last\n", runs_for=0.0)
            assert len(got) == len(set(got)) >= 3


@pytest.mark.parametrize("how", ["between two looks", "before its log was there", "of a group that was restarted"])
async def test_a_run_that_came_and_went_is_not_left_out(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    once = how != "between two looks"
    outcome = Outcome(log="first\n", runs_for=None if once else 0.02, exit_code=0 if once else 1)
    with running_service({"c": outcome}) as service:
        async with served(service) as aci:
            await make(aci, "c", policy="Never" if once else "OnFailure")
            get, open_one, looks = aci.container_groups.get, aci._session.open, list[str]()

            async def late(*names: str) -> ContainerGroup:
                looks.append("")
                if len(looks) == 2:  # the first is before anything is read
                    service.outcomes["c"] = Outcome(log="l1\nl2\nlast\n", runs_for=0.0)
                    if how.startswith("before"):
                        service.end("web")
                    if how.endswith("restarted"):
                        await (await aci.container_groups.begin_restart("hythe", "web")).result()
                while len(looks) > 1 and (await get(*names)).instance_view.state != "Succeeded":
                    await nap(0.01)
                return await get(*names)

            async def not_yet(*words: object, **options: object) -> object:
                if len(looks) == 1 and how.startswith("before"):
                    raise Conflict("follow", status=409, code="ContainerGroupTransitioning", message="it starts")
                return await open_one(*words, **options)

            monkeypatch.setattr(aci.container_groups, "get", late)
            monkeypatch.setattr(aci._session, "open", not_yet)
            got = []
            async for line in aci.group("web").logs(follow=True, tail=1):
                got.append(line.text)
                if once and len(got) == 1 and len(looks) == 1:
                    service.end("web")

    assert got == (["first"] if how.startswith("before") else ["first", "l1", "l2", "last"])
    assert len(looks) == 3


async def test_who_follows_may_stop_at_any_time() -> None:
    with running_service({"a": Outcome(log="a1\n"), "b": Outcome(log="b1\n")}) as service:
        async with served(service) as aci:
            await make(aci, "a", "b")
            for names in ("a", ["a", "b"]):
                lines = aci.group("web").logs(names, follow=True)
                async for _ in lines:
                    break
                await close(lines)
            assert (await aci.group("web").state()) == "Running"


# --- files ------------------------------------------------------------------------------------------------------


async def test_files_go_in_and_out(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "file").write_bytes(b"content")
    with running_service() as service:
        async with served(service) as aci:
            await make(aci, "c")
            group = aci.group("web")
            await group.copy_in(tree, "/data/")
            # a simulated container gives back the very archive that was put there
            assert await group.copy_out("/data", tmp_path / "back") == tmp_path / "back"
            assert (tmp_path / "back" / "inner" / "file").read_bytes() == b"content"
            (tmp_path / "there").mkdir()
            await group.copy_in(tree / "inner" / "file", "/etc/named")
            assert await group.copy_out("/etc", tmp_path / "there") == tmp_path / "there" / "etc"
            assert (tmp_path / "there" / "etc").read_bytes() == b"content"
            with pytest.raises(ServiceError, match="PathNotFound"):
                await group.copy_out("/nosuch", tmp_path / "x")
            with pytest.raises(ValueError, match="absolute path"):
                await group.copy_in(tree, "relative")
            with pytest.raises(FileNotFoundError):
                await group.copy_in(tmp_path / "nosuch", "/a")


# --- ports ------------------------------------------------------------------------------------------------------


def talk(port: int, said: bytes) -> bytes:
    """Say something to a port of this machine, end, and give all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        got = b""
        while block := connection.recv(1 << 16):
            got += block
        return got


async def in_thread(port: int, *says: bytes) -> list[bytes]:
    """Talk from threads, so that an event loop goes on."""
    got: list[bytes] = [b""] * len(says)

    def one(index: int) -> None:
        got[index] = talk(port, says[index])

    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(says))]
    for thread in threads:
        thread.start()
    await joined(threads)
    return got


async def joined(threads: list[threading.Thread]) -> None:
    while any(thread.is_alive() for thread in threads):
        await nap(0.005)


async def test_a_port_leads_into_the_group() -> None:
    with running_service({"c": Outcome(ports=frozenset({80}))}) as service:
        async with served(service) as aci:
            await make(aci, "c")
            async with await aci.group("web").forward(80) as forward:
                large = os.urandom(1 << 20)
                assert await in_thread(forward.port, b"hello", large) == [b"hello", large]
            with pytest.raises(OSError):
                talk(forward.port, b"x")


async def test_a_port_where_nobody_listens_closes_the_connection() -> None:
    with running_service() as service:
        async with served(service) as aci:
            await make(aci, "c")
            async with await aci.group("web").forward(81) as forward:
                assert await in_thread(forward.port, b"") == [b""]
            with pytest.raises(NotFound):
                await aci.group("nosuch").forward(80)
            with pytest.raises(InvalidRequest):
                await aci.group("web").exec("'")
