"""Looking into real containers: logs that go on, commands, attaching, ports, files."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from hythe.engines.containerd import logfile

from .conftest import PAGE, TOOLS, Running, container, group, wait_for
from .streaming import SIZE, Wire, shown

pytestmark = pytest.mark.containers
FOLDER = "streams"
SECRET = "streams-host-secret"


@pytest.fixture(scope="module")
def wire(real: Running) -> Iterator[Wire]:
    """Have one group of three containers for all of this: with tools, without anything, and with an open input."""
    folder = real.folder(FOLDER)
    tools = container(image=TOOLS, command=["sh", "-c", "echo begin; exec sleep 10000"])
    reads = container(name="reads", image=TOOLS, command=["sh", "-c", "while read line; do echo got $line; done"])
    bare = container(name="bare", image=PAGE)
    described = group(tools, reads, bare, tags={"hythe.stdin": "reads"})
    real.aci.container_groups.begin_create_or_update(folder, "g", described).result()
    yield Wire(real.facts)
    real.resources.resource_groups.begin_delete(folder).result()  # some of its groups begin again and again


# --- exec -------------------------------------------------------------------------------------------------------


def test_a_command_has_its_outputs_apart_and_an_exit_code(wire: Wire) -> None:
    done = wire.exec(FOLDER, "g", """sh -c 'echo "a  b"; echo wrong >&2; exit 3'""")
    assert (done.code, done.out, done.err) == (3, b"a  b\n", b"wrong\n")
    assert wire.exec(FOLDER, "g", "/no/such/program").code == 127
    assert b"no such program" in wire.exec(FOLDER, "g", "/no/such/program").err
    assert wire.exec(FOLDER, "g", "/etc").code == 126


def test_the_input_of_a_command_ends(wire: Wire) -> None:
    given = bytes(range(256)) * 20_000
    done = wire.exec(FOLDER, "g", "sha256sum", given)
    assert done.out.split()[0].decode() == hashlib.sha256(given).hexdigest()
    done = wire.exec(FOLDER, "g", "cat", given)
    assert done.code == 0 and done.out == given
    assert wire.exec(FOLDER, "g", "cat").out == b""
    assert wire.exec(FOLDER, "g", "true", given).code == 0, "input that nobody reads is in nobody's way"


def test_a_terminal_as_az_has_it(wire: Wire) -> None:
    assert wire.terminal(FOLDER, "g", f"sh -c '{SIZE}'", rows=31, cols=77).strip() == b"31 77"
    said = wire.terminal(FOLDER, "g", "sh", b"echo $((6*7)); exit\n")
    assert b"\r\n42\r\n" in said
    uri, password = wire.session(FOLDER, "g", "cat")
    with wire.connect(uri) as socket:
        socket.send(password)
        socket.send(b"\x03")
        assert b"".join(shown(socket)).strip() == b"^C"


def test_our_terminal_takes_a_new_size(wire: Wire) -> None:
    uri, password = wire.session(FOLDER, "g", f"sh -c '{SIZE}; read x; stty size'")
    with wire.connect(uri + "&tty=true", subprotocols=["exec.hythe.v1"]) as socket:
        socket.send(password)
        assert socket.recv() == b"\x0124 80\r\n"
        socket.send(b"\x04" + json.dumps({"rows": 50, "cols": 132}).encode())
        socket.send(b"\0\n")
        said = b"".join(frame[1:] for frame in shown(socket) if frame[0] == 1)
    assert said.strip() == b"50 132"


def test_what_a_command_leaves_running_does_not_hold_the_session(wire: Wire) -> None:
    begun = time.monotonic()
    assert wire.exec(FOLDER, "g", "sh -c 'sleep 100 & echo done'").out == b"done\n"
    assert time.monotonic() - begun < 5


def test_a_client_that_goes_takes_its_process_with_it(wire: Wire) -> None:
    uri, password = wire.session(FOLDER, "g", "sleep 7654")
    with wire.connect(uri, subprotocols=["exec.hythe.v1"]) as socket:
        socket.send(password)
        wait_for(lambda: b"sleep 7654" in wire.exec(FOLDER, "g", "ps").out, 5)
    wait_for(lambda: b"sleep 7654" not in wire.exec(FOLDER, "g", "ps").out, 5)


def test_a_password_is_for_one_session_once(wire: Wire) -> None:
    uri, password = wire.session(FOLDER, "g", "echo hi")
    with wire.connect(uri) as socket:
        socket.send("wrong")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
    assert wire.refused(uri) == (404, "SessionNotFound")

    uri, password = wire.session(FOLDER, "g", "echo hi")
    with wire.connect(uri, additional_headers={"Authorization": password}) as socket:
        assert b"".join(shown(socket)) == b"hi\r\n"
    assert wire.refused(uri) == (404, "SessionNotFound")


def test_the_uri_follows_the_host_and_a_foreign_host_is_refused(wire: Wire) -> None:
    path = wire.path(FOLDER, "g", "containers/c/exec")
    headers = {"Authorization": f"Bearer {wire.token}", "Host": "management.azure.com"}
    answer = wire.send("POST", path, b'{"command":"true"}', headers)
    with answer:
        said = json.loads(answer.read())
    answer.connection.close()  # type: ignore[attr-defined]
    assert said["webSocketUri"].startswith("wss://management.azure.com/execstream/sessionId/")
    assert len(said["password"]) >= 22
    local = said["webSocketUri"].replace("management.azure.com", wire.address)
    assert wire.refused(local, Host="evil.example") == (421, "MisdirectedRequest")


def test_frames_have_a_limit(wire: Wire) -> None:
    uri, password = wire.session(FOLDER, "g", "cat")
    with wire.connect(uri) as socket:
        socket.send(password)
        socket.send(b"x" * ((1 << 20) + 1))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


def test_what_can_not_be_run_is_refused_with_a_sentence(real: Running, wire: Wire) -> None:
    def refused(name: str, container: str = "c", command: str = "true") -> tuple[int, str]:
        path = wire.path(FOLDER, name, f"containers/{container}/exec")
        status, said = wire.ask("POST", path, {"command": command})
        return status, said["error"]["code"]

    assert refused("g", "nosuch") == (404, "ResourceNotFound")
    assert refused("nosuch") == (404, "ResourceNotFound")
    assert refused("g", command="echo 'open") == (400, "InvalidExecCommand")
    real.run(FOLDER, "ended", "true")
    assert refused("ended") == (409, "ContainerNotRunning")
    real.aci.container_groups.begin_create_or_update(FOLDER, "stopped", group(container())).result()
    real.aci.container_groups.stop(FOLDER, "stopped")
    assert refused("stopped") == (409, "ContainerGroupStopped")


# --- logs -------------------------------------------------------------------------------------------------------


def test_a_followed_log_comes_as_it_is_written_and_ends(real: Running, wire: Wire) -> None:
    script = "echo one; until test -e /go; do sleep 0.1; done; echo two >&2; printf three; sleep 1"
    task = container(image=TOOLS, command=["sh", "-c", script])
    real.aci.container_groups.begin_create_or_update(FOLDER, "slow", group(task, restart_policy="Never")).result()
    wait_for(lambda: real.log(FOLDER, "slow"))
    took = []
    for _ in range(5):  # whatever else the machine does is in it too
        begun = time.monotonic()
        answer = wire.follow(FOLDER, "slow")
        assert answer.read1(100) == b"one\n", "before there is more"
        took.append(time.monotonic() - begun)
        if len(took) < 5:
            answer.connection.close()  # type: ignore[attr-defined]
    assert min(took) < 0.4, "from the request to the first byte"
    assert wire.exec(FOLDER, "slow", "touch /go").code == 0
    assert answer.read() == b"two\nthree"
    answer.connection.close()  # type: ignore[attr-defined]
    again = wire.follow(FOLDER, "slow", tail=2, timestamps="true")
    lines = again.read().decode().splitlines()
    again.connection.close()  # type: ignore[attr-defined]
    assert [line.partition("Z ")[2] for line in lines] == ["two", "three"]


def test_no_line_is_lost_or_doubled_when_the_log_rotates(real: Running, wire: Wire) -> None:
    count = 5_000_000  # 39 MB of text, 235 MB of file
    task = container(image=TOOLS, command=["sh", "-c", f"sleep 1; seq 1 {count}; sleep 1; echo end; sleep 2"])
    real.aci.container_groups.begin_create_or_update(FOLDER, "much", group(task, restart_policy="Never")).result()
    answer = wire.follow(FOLDER, "much")
    seen = hashlib.sha256()
    size = 0
    last = b""
    while block := answer.read1(1 << 20):
        seen.update(block)
        size += len(block)
        last = (last + block)[-100:]
    answer.connection.close()  # type: ignore[attr-defined]
    expected = hashlib.sha256()
    length = 0
    for start in range(1, count, 100_000):
        block = "".join(f"{each}\n" for each in range(start, start + 100_000)).encode()
        length += len(block)
        expected.update(block)
    expected.update(b"end\n")
    assert (size, last.endswith(b"\nend\n")) == (length + 4, True)
    assert seen.hexdigest() == expected.hexdigest()
    folder = next((real.data_dir / "engine" / "logs").glob("*/c/*.log.*")).parent
    files = [*folder.iterdir()]
    assert len(files) > 1, "it rotated"
    wait_for(lambda: sum(each.size for each in logfile.files(folder)) < 160 << 20, 15)
    content = real.log(FOLDER, "much")
    assert content.endswith(f"{count}\nend\n") and len(content) == 4 << 20
    status, tail = wire.ask("GET", wire.path(FOLDER, "much", "containers/c/logs", tail=2))
    assert (status, tail["content"]) == (200, f"{count}\nend\n")


def test_the_log_of_the_previous_run(real: Running, wire: Wire) -> None:
    task = container(image=TOOLS, command=["sh", "-c", "cat /proc/uptime; sleep 0.3; exit 1"])
    real.aci.container_groups.begin_create_or_update(FOLDER, "again", group(task)).result()
    path = wire.path(FOLDER, "again", "containers/c/logs")
    wait_for(lambda: real.aci.container_groups.get(FOLDER, "again").containers[0].instance_view.restart_count)
    before = wait_for(lambda: (said := wire.ask("GET", path + "&previous=true"))[0] == 200 and said)
    now = wait_for(lambda: (said := wire.ask("GET", path))[1]["content"] and said)
    assert float(before[1]["content"].split()[0]) < float(now[1]["content"].split()[0])
    status, said = wire.ask("GET", wire.path(FOLDER, "g", "containers/c/logs", previous="true"))
    assert (status, said["error"]["code"]) == (404, "ContainerLogNotAvailable")


# --- attach -----------------------------------------------------------------------------------------------------


def test_attach_shows_output_and_gives_input(wire: Wire) -> None:
    def attached(name: str) -> tuple[str, str]:
        status, said = wire.ask("POST", wire.path(FOLDER, "g", f"containers/{name}/attach"))
        assert status == 200, said
        return said["webSocketUri"], said["password"]

    uri, password = attached("reads")
    with wire.connect(uri, additional_headers={"Authorization": password}) as socket:
        socket.send(b"one\n")
        assert socket.recv(timeout=20) == b"got one\n"
    uri, password = attached("reads")
    with wire.connect(uri) as socket:
        socket.send(password)
        assert socket.recv(timeout=20) == b"got one\n", "what was written before"
        socket.send("two\n")
        assert socket.recv(timeout=20) == b"got two\n"
    uri, password = attached("c")
    with wire.connect(uri) as socket:
        socket.send(password)
        assert socket.recv(timeout=20) == b"begin\n"
        socket.send(b"x")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003 and "hythe.stdin" in closed.value.rcvd.reason


# --- ports ------------------------------------------------------------------------------------------------------


def test_a_port_that_listens_on_localhost_only(wire: Wire) -> None:
    server = """
import socket
listening = socket.create_server(('127.0.0.1', 7000))
peer, _ = listening.accept()
said = b''
while block := peer.recv(9):
    said += block
peer.sendall(said[::-1])
"""
    uri, password = wire.session(FOLDER, "g", f'python3 -c "{server}"')
    with wire.connect(uri, subprotocols=["exec.hythe.v1"]) as listening:
        listening.send(password)
        port = f"wss://{wire.address}{wire.path(FOLDER, 'g', 'portForward', port=7000)}"
        signed = {"Authorization": f"Bearer {wire.token}"}
        wait_for(lambda: b":1B58 " in wire.exec(FOLDER, "g", "cat /proc/net/tcp").out)
        with wire.connect(port, additional_headers=signed) as socket:
            socket.send(b"hello")
            socket.send("eof")
            assert [*shown(socket)] == [b"olleh", b"eof"]
        assert wire.refused(port.replace("port=7000", "port=7001"), **signed) == (502, "PortNotReached")
        assert wire.refused(port) == (401, "AuthenticationFailed")


# --- files ------------------------------------------------------------------------------------------------------


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as out:
        for member, content in members:
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return held.getvalue()


def plain(name: str, **more: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(member, key, value)
    return member


def put(wire: Wire, path: str, body: bytes, name: str = "c") -> tuple[int, str]:
    answer = wire.send("PUT", wire.path(FOLDER, "g", f"containers/{name}/archive", path=path), body)
    with answer:
        said = answer.read()
    answer.connection.close()  # type: ignore[attr-defined]
    return answer.status, json.loads(said)["error"]["code"] if said else ""


def got(wire: Wire, path: str, name: str = "c") -> dict[str, bytes | str]:
    answer = wire.send("GET", wire.path(FOLDER, "g", f"containers/{name}/archive", path=path))
    with answer:
        said = answer.read()
    answer.connection.close()  # type: ignore[attr-defined]
    if answer.status != 200:
        return {"": json.loads(said)["error"]["code"]}
    found: dict[str, bytes | str] = {}
    with tarfile.open(fileobj=io.BytesIO(said)) as members:
        for member in members:
            content = members.extractfile(member) if member.isreg() else None
            found[member.name] = content.read() if content else member.linkname
    return found


@pytest.mark.parametrize("name", ["c", "bare"])
def test_files_go_in_and_out(wire: Wire, name: str) -> None:
    body = archive(
        (plain("d", type=tarfile.DIRTYPE, mode=0o755), b""),
        (plain("d/f", mode=0o6750), b"content" * 100_000),
        (plain("d/l", type=tarfile.SYMTYPE, linkname="f"), b""),
        (plain("d/h", type=tarfile.LNKTYPE, linkname="d/f"), b""),
    )
    assert put(wire, "/", body, name) == (204, "")
    content = b"content" * 100_000
    assert got(wire, "/d", name) == {"d": "", "d/f": content, "d/h": content, "d/l": "f"}
    assert got(wire, "/d/f", name) == {"f": content}
    assert set(got(wire, "/d/.", name)) == {".", "./f", "./h", "./l"}
    if name == "c":
        assert wire.exec(FOLDER, "g", "stat -c '%a %u' /d/f").out == b"750 0\n"


def test_no_planted_link_leads_a_copy_out(wire: Wire, tmp_path: Path) -> None:
    outside = tmp_path / SECRET
    outside.write_text("the host's")
    plant = f"""sh -c 'mkdir -p /p; cd /p; ln -sfn {outside} file; ln -sfn {tmp_path} folder; ln -sfn / root;
        ln -sfn ../../../../../../../.. up; ln -sfn /proc/1/root proc; mkfifo -m 666 pipe; ls'"""
    assert wire.exec(FOLDER, "g", plant).code == 0

    assert got(wire, "/p/file/.") == {"": "PathNotFound"}
    assert got(wire, f"/p/folder/{SECRET}") == {"": "PathNotFound"}
    assert got(wire, f"/p/up{outside}") == {"": "PathNotFound"}
    assert got(wire, f"/p/proc{outside}")[""] in ("PathNotFound", "CopyFailed")
    assert got(wire, f"/../../..{outside}") == {"": "PathNotFound"}
    assert got(wire, "/p") == {
        "p": "", "p/file": str(outside), "p/folder": str(tmp_path), "p/root": "/", "p/proc": "/proc/1/root",
        "p/up": "../../../../../../../..",
    }  # fmt: skip

    assert put(wire, "/p/folder", archive((plain("x"), b"in"))) == (404, "PathNotFound")
    for path in ("/p/root", "/p/up"):
        assert put(wire, path, archive((plain("planted"), b"in"))) == (204, "")
    assert not Path("/planted").exists()
    assert got(wire, "/planted") == {"planted": b"in"}
    assert put(wire, "/p", archive((plain("file"), b"new"))) == (204, "")
    assert outside.read_text() == "the host's"
    assert got(wire, "/p/file") == {"file": b"new"}, "the link was replaced, not written through"
    assert put(wire, "/p", archive((plain("folder/x"), b"in"))) == (409, "CopyFailed")
    assert [*tmp_path.iterdir()] == [outside]


def test_bad_archives_are_refused(wire: Wire) -> None:
    assert put(wire, "/tmp", archive((plain("../x"), b""))) == (400, "InvalidArchive")
    assert put(wire, "/tmp", archive((plain("d", type=tarfile.CHRTYPE), b""))) == (400, "InvalidArchive")
    assert put(wire, "/tmp", archive((plain("h", type=tarfile.LNKTYPE, linkname="../etc/passwd"), b"")))[0] == 400
    assert put(wire, "/tmp", b"no tar at all" * 100) == (400, "InvalidArchive")
    assert put(wire, "/nosuch", archive((plain("x"), b""))) == (404, "PathNotFound")
    assert put(wire, "relative", b"")[0] == 400
    assert got(wire, "/nosuch") == {"": "PathNotFound"}


def test_nothing_is_left_of_all_this(real: Running, wire: Wire) -> None:
    left = Path(f"/run/hythe/{real.installation}/exec")
    wait_for(lambda: not left.exists() or not [*left.iterdir()], 10)

    def threads() -> int:
        return int(Path(f"/proc/{real.pid}/status").read_text().partition("Threads:")[2].split()[0])

    wait_for(lambda: threads() < 40, 5)


def test_processes_of_a_service_that_was_killed_are_ended_and_logs_go_on(fresh: Running) -> None:
    fresh.up()
    fresh.folder(FOLDER)
    task = container(image=TOOLS, command=["sh", "-c", "while true; do echo tick; sleep 0.2; done"])
    fresh.aci.container_groups.begin_create_or_update(FOLDER, "g", group(task)).result()
    wire = Wire(fresh.facts)
    uri, password = wire.session(FOLDER, "g", "sleep 7654")
    with wire.connect(uri, subprotocols=["exec.hythe.v1"]) as socket:
        socket.send(password)
        wait_for(lambda: b"sleep 7654" in wire.exec(FOLDER, "g", "ps").out, 5)
        fresh.kill()
    left = Path(f"/run/hythe/{fresh.installation}/exec")
    assert [*left.iterdir()]
    fresh.up()
    wire = Wire(fresh.facts)
    assert b"sleep 7654" not in wire.exec(FOLDER, "g", "ps").out
    wait_for(lambda: not [*left.iterdir()], 5)

    followed = wire.follow(FOLDER, "g", tail=1)
    assert followed.read1(5) == b"tick\n"

    def read() -> bytes:
        with closing(followed.connection):  # type: ignore[attr-defined]
            return followed.read()

    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read)
        begun = time.monotonic()
        fresh.end_service()
        assert time.monotonic() - begun < 4, "an answer that goes on holds nothing up"
        with pytest.raises((http.client.IncompleteRead, OSError)):
            reading.result(10)
