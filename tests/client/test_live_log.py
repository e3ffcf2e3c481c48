"""Tests that a log shows itself where Python is typed: in notebooks and in IPython, whose real shell is used here."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from hythe.client._async._log import Log as AsyncLog
from hythe.client._sync._log import Log
from hythe.client.log_cursor import LogLine, printed

LINES = [LogLine("a", "one"), LogLine("b", "two")]


PROGRAM = """
from hythe.testing import Outcome, running_service
with running_service({"image": Outcome(runs_for=0.1, log="first\\nlast\\n")}) as service, service.client() as client:
    client.run("image", "x", name="task", keep=True)
    get_ipython().run_cell("client.group('task', 'hythe').logs(follow=True)").raise_error()
    get_ipython().run_cell("client.group('task', 'hythe').get()").raise_error()
"""


def test_the_log_of_a_cell_is_printed_below_it(tmp_path: Path) -> None:
    (tmp_path / "program.ipy").write_text(PROGRAM)
    ipython = [sys.executable, "-m", "IPython", "--no-banner", "--HistoryManager.enabled=False", "--colors=nocolor"]
    done = subprocess.run(
        [*ipython, str(tmp_path / "program.ipy")], env=os.environ | {"IPYTHONDIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, last, group, *_ = done.stdout.splitlines()
    assert (first, last) == ("Out[0]: first", "last")
    assert group.startswith("Out[0]: ContainerGroup(")


def test_an_interrupted_cell_is_no_error_and_reads_no_further(capsys: pytest.CaptureFixture[str]) -> None:
    ended = []

    def lines() -> Generator[LogLine, None, None]:
        try:
            yield LINES[0]
            raise KeyboardInterrupt
        finally:
            ended.append(True)

    log = Log(lines(), ["a"])
    log._ipython_display_()
    assert (capsys.readouterr().out, ended, [*log]) == ("one\n", [True], [])


async def test_an_asynchronous_log_prints_itself_while_the_notebook_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    more = asyncio.Event()

    async def lines() -> AsyncGenerator[LogLine, None]:
        yield LINES[0]
        await more.wait()
        yield LINES[1]
        await asyncio.Event().wait()

    log = AsyncLog(lines(), ["a"])
    log._ipython_display_()
    log._ipython_display_()  # shown twice, it is read once
    await asyncio.sleep(0.01)
    assert capsys.readouterr().out == "one\n"
    more.set()
    await asyncio.sleep(0.01)
    assert capsys.readouterr().out == "two\n"
    await log.aclose()
    assert [line async for line in log] == []


def test_several_containers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a", "b"]
    assert printed(LINES[0], ["a"]) == "one"
    assert printed(LINES[1], names) == "\x1b[35m[b]\x1b[0m two"
    monkeypatch.setenv("NO_COLOR", "1")
    assert printed(LINES[1], names) == "[b] two"
