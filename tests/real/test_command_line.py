"""Tests the commands that look into containers, with real ones: run, logs, exec, attach, cp, forward."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import termios
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from .conftest import HYTHE, TOOLS, Running, wait_for
from .streaming import SIZE

pytestmark = pytest.mark.containers

LOOP = ["sh", "-c", "echo begun; while :; do sleep 0.1; done"]


class Ran(Struct):
    code: int
    out: str
    err: str


class Line:
    """Is the command line against one service."""

    def __init__(self, service: Running) -> None:
        self.service = service
        self.environment = os.environ | {"HYTHE_HOME": str(service.data_dir), "HYTHE_RESOURCE_GROUP": "line"}

    def __call__(self, *words: str, given: str | None = None) -> Ran:
        done = subprocess.run(
            [*HYTHE, *words], env=self.environment, input=given, capture_output=True, text=True, timeout=90, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, given: str | None = None) -> str:
        done = self(*words, given=given)
        assert done.code == 0, done
        return done.out

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*HYTHE, *words], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture(scope="module")
def line(real: Running) -> Line:
    return Line(real)


@pytest.fixture(scope="module")
def tools(line: Line) -> Iterator[str]:
    """Give a group that goes on, with a shell in it."""
    yield line.ok("run", "-d", "--name", "tools", TOOLS, *LOOP).strip()
    line.ok("rm", "-y", "tools")


def test_run_shows_the_log_and_ends_with_the_exit_code(line: Line) -> None:
    script = "echo $WORD; echo to stderr >&2; exit 7"

    done = line("run", "--only-show-errors", "--rm", "--name", "once", "-e", "WORD=hello", TOOLS, "sh", "-c", script)

    assert (done.code, done.err) == (7, "")
    assert set(done.out.splitlines()) == {"hello", "to stderr"}
    assert line("show", "once").code == 3


def test_run_without_rm_leaves_the_group_and_its_log(line: Line) -> None:
    assert line.ok("run", "--name", "stays", TOOLS, "echo", "kept") == "kept\n"

    assert line.ok("logs", "stays") == "kept\n"
    assert line.ok("logs", "-a", "stays") == "[stays] kept\n"
    again = line("run", "--name", "stays", TOOLS, "echo", "x")
    assert again.code == 2 and "hythe rm stays" in again.err
    line.ok("rm", "-y", "stays")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(line: Line, number: signal.Signals) -> None:
    running = line.begin("run", "--name", "broken-off", TOOLS, *LOOP)
    assert running.stdout is not None and running.stdout.readline() == "begun\n"

    running.send_signal(number)

    _, said = running.communicate(timeout=60)
    assert (running.returncode, "Traceback" in said) == (130, False)
    assert line("show", "broken-off").code == 3


def test_an_image_that_is_not_there_is_said(line: Line) -> None:
    done = line("run", "--name", "none", "localhost:1/none/such:1", "x")

    assert done.code == 125 and "Traceback" not in done.err and "image" in done.err.lower()
    assert line("show", "none").code == 3


def test_logs_follow_to_the_end(line: Line) -> None:
    line.ok("run", "-d", "--name", "slow", TOOLS, "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done")

    assert line.ok("logs", "-f", "slow") == "1\n2\n3\n"
    assert line.ok("logs", "--tail", "1", "slow") == "3\n"
    stamped = line.ok("logs", "-t", "--tail", "1", "slow")
    assert stamped.startswith("20") and stamped.endswith(" 3\n")
    line.ok("rm", "-y", "slow")


def test_exec_gives_output_and_exit_code(line: Line, tools: str) -> None:
    done = line("exec", tools, "sh", "-c", "echo out; echo err >&2; exit 3")

    assert (done.code, done.out, done.err) == (3, "out\n", "err\n")
    assert line.ok("exec", "-i", tools, "cat", given="typed") == "typed"
    assert line.ok("container", "exec", "-n", tools, "--exec-command", "echo 'a b'") == "a b\n"
    assert line("exec", tools, "none-such").code == 127
    assert line("exec", "none-such", "ls").code == 125


def test_exec_on_a_terminal_is_interactive(line: Line, tools: str) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 100))
    with subprocess.Popen(
        [*HYTHE, "exec", tools],
        env=line.environment,
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    ) as running:  # fmt: skip
        os.close(theirs)
        said = b""

        def read(wanted: bytes) -> None:
            nonlocal said
            while wanted not in said:
                said += os.read(ours, 4096)

        read(b"#")
        os.write(ours, f"echo $((6*7))-$(tty | cut -c1-5)-$({SIZE})\r".encode())
        read(b"42-/dev/-30 100")
        termios.tcsetwinsize(ours, (40, 120))
        running.send_signal(signal.SIGWINCH)  # which its terminal would send if it had started the program
        os.write(ours, b"until stty size | grep -q 120; do sleep 0.1; done; echo now $(stty size)\r")
        read(b"now 40 120")
        os.write(ours, b"exit 5\r")
        assert running.wait(60) == 5
    os.close(ours)


def test_attach_shows_the_log_until_it_is_left(line: Line, tools: str) -> None:
    attached = line.begin("attach", tools)
    assert attached.stdout is not None and attached.stdout.readline() == "begun\n"

    attached.send_signal(signal.SIGINT)

    _, said = attached.communicate(timeout=60)
    assert (attached.returncode, said) == (0, "tools goes on.\n")
    assert "Running" in line.ok("show", tools)


def test_cp_there_and_back(line: Line, tools: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("content")

    line.ok("cp", str(tmp_path / "there"), f"{tools}:/tmp/")
    assert line.ok("exec", tools, "cat", "/tmp/there/file") == "content"
    line.ok("cp", f"{tools}:/tmp/there/file", str(tmp_path / "back"))

    assert (tmp_path / "back").read_text() == "content"
    assert line("cp", f"{tools}:/none", str(tmp_path)).code == 3
    assert line("cp", "a", "b").code == 2


def test_forward_leads_to_a_port_of_localhost(line: Line, real: Running) -> None:
    server = [
        "python3", "-c",
        "import http.server as h; h.HTTPServer(('127.0.0.1', 8000), h.SimpleHTTPRequestHandler).serve_forever()",
    ]  # fmt: skip
    line.ok("run", "-d", "--name", "page", TOOLS, *server)
    leading = line.begin("forward", "page", ":8000")
    assert leading.stdout is not None
    here = leading.stdout.readline().split()[0]

    def answered() -> bool:
        try:
            with urllib.request.urlopen(f"http://{here}/", timeout=5) as answer:
                return bool(answer.read())
        except OSError:
            return False

    wait_for(answered)
    leading.send_signal(signal.SIGINT)
    leading.communicate(timeout=60)
    assert leading.returncode == 0
    line.ok("rm", "-y", "page")
