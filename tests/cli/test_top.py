"""Tests what `hythe top` draws, and that it draws again until it is interrupted."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Callable
from typing import cast

import pytest
from click.testing import Result
from rich.console import Console

from hythe.cli.top import _table, sparks
from hythe.client.usage import ContainerUsage, GroupUsage

from .conftest import HYTHE, Service, clean_environment

Hythe = Callable[..., Result]


def test_sparks_fill_the_line() -> None:
    assert sparks([0, 1, 2, 4, 8], 4) == "▂▃▅█"
    assert sparks([0, 0], 5) == "▁▁"
    assert sparks([], 5) == ""


def test_what_is_near_its_limit_is_red() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=150, color_system="standard")
    near = ContainerUsage(
        name="[a]", cpu=0.95, cpu_limit=1, memory=1 << 20, memory_limit=1 << 30, cpu_before=[0.1, 0.9]
    )
    console.print(_table([
        GroupUsage(name="web", containers=[near, ContainerUsage(name="b")], network_received=2500.0),
    ]))  # fmt: skip
    said = cast(io.StringIO, console.file).getvalue()

    assert "\x1b[31m" in said and "[a]" in said and "▁█" in said and "1024.0 MB" in said
    assert said.count("web") == said.count("2.5 kB") == 1


def test_a_group_that_runs_is_listed_with_its_limits(hythe: Hythe) -> None:
    name = hythe("run", "-d", "nginx").stdout.strip()

    deadline = time.monotonic() + 60
    while not (lines := json.loads(hythe("top", name, "-o", "json").stdout)):  # it is measured each second
        assert time.monotonic() < deadline
    (line,) = lines
    table = hythe("top").stdout

    assert (line["group"], line["container"], line["cpuLimit"]) == (name, name, 1.0)
    assert table.split()[:4] == ["Group", "Container", "CPU", "of"] and name in table
    assert hythe("top", "nosuch").exit_code == 3


@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_terminal_the_table_is_drawn_again_until_ctrl_c(service: Service, hythe: Hythe, no_color: str) -> None:
    name = hythe("run", "-d", "nginx").stdout.strip()
    ours, theirs = pty.openpty()
    environment = clean_environment() | {
        "HYTHE_HOME": str(service.data_dir), "NO_COLOR": no_color, "TERM": "xterm-256color", "COLUMNS": "200",
    }  # fmt: skip
    with subprocess.Popen(
        [*HYTHE, "top", name], env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as program:
        os.close(theirs)
        said = b""
        # CPU is known one second later than memory.
        while said.count(b"CPU cores") < 3 or not re.search(rb"0\.\d{3}", said) or "▁".encode() not in said:
            said += os.read(ours, 1 << 16)
        program.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # what a terminal gives when its program has ended
            while block := os.read(ours, 1 << 16):
                said += block
        assert program.wait(30) == 0
    os.close(ours)
    assert name.encode() in said
    assert said.startswith(b"\x1b[?1049h") and b"\x1b[?1049l" in said, "it gives the screen back"
    assert (b"\x1b[36m" in said) != bool(no_color)
