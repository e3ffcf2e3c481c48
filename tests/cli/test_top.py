"""Tests what `hythe top` draws; tests/real has it with containers that work."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import cast

from click.testing import Result
from rich.console import Console

from hythe.cli.top import _table, sparks
from hythe.client.usage import ContainerUsage, GroupUsage

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

    (line,) = json.loads(hythe("top", name, "-o", "json").stdout)
    table = hythe("top").stdout

    assert (line["group"], line["container"], line["cpuLimit"]) == (name, name, 1.0)
    assert table.split()[:4] == ["Group", "Container", "CPU", "of"] and name in table
    assert hythe("top", "nosuch").exit_code == 3
