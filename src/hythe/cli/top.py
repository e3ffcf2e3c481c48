"""`hythe top`: what containers use, as a table that goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .asking import Asking, asks, complete_groups
from .output import Row, coloured

if TYPE_CHECKING:
    from .usage import Usage

_WIDTH = 30
_MB = 1 << 20
_NEARLY = 0.9
_AZURES_GRAIN = 60.0


@click.command()
@asks()
@click.option("--once", is_flag=True, help="Show it once; so it is anyhow where there is no terminal.")
@click.argument("names", metavar="[GROUP]...", nargs=-1, shell_complete=complete_groups)
def top(ask: Asking, once: bool, names: Sequence[str]) -> None:
    """Show what the containers of groups use, of all groups unless some are named, until Ctrl-C.

    Hythe measures each second, Azure each minute.
    """
    if once or ask.form != "table" or ask.query is not None or not sys.stdout.isatty():
        ask.show([_plain(each) for each in _usages(ask, names)], _row)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(no_color=not coloured(), highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                live.update(_table(_usages(ask, names)), refresh=True)
                time.sleep(_AZURES_GRAIN if ask.is_azure else 1.0)
        except KeyboardInterrupt:
            return


def _usages(ask: Asking, names: Sequence[str]) -> list[Usage]:
    from .usage import of_group

    if names:
        groups = [ask.group(name).get() for name in names]
    else:
        listed = ask.client.container_groups
        groups = list(listed.list_by_resource_group(ask.asked_group) if ask.asked_group else listed.list())
    return [each for group in groups for each in of_group(ask.client, group, azure=ask.is_azure)]


def _plain(usage: Usage) -> dict[str, Any]:
    return {
        "group": usage.group, "container": usage.container, "cpu": usage.cpu, "cpuLimit": usage.cpu_limit,
        "memory": usage.memory, "memoryLimit": usage.memory_limit,
    }  # fmt: skip


def _row(usage: dict[str, Any]) -> Row:
    return {
        "Group": usage["group"],
        "Container": usage["container"],
        "CPU": _cores(usage["cpu"]),
        "of": _cores(usage["cpuLimit"]),
        "Memory": _megabytes(usage["memory"]),
        "of ": _megabytes(usage["memoryLimit"]),
    }


def _cores(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _megabytes(value: float | None) -> str:
    return "" if value is None else f"{value / _MB:.1f} MB"


def _table(usages: Sequence[Usage]) -> Any:
    """Draw the table with lines of sparks; what is near its limit is red."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from .usage import sparks

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Group", "Container", "CPU cores", "of", "", "Memory", "of", ""):
        table.add_column(name, justify="right" if name in ("CPU cores", "Memory", "of") else "left", no_wrap=True)
    for each in usages:
        table.add_row(
            Text(each.group),
            Text(each.container),
            Text(_cores(each.cpu), style=_style(each.cpu, each.cpu_limit)),
            Text(_cores(each.cpu_limit)),
            Text(sparks(each.cpu_before, _WIDTH), style="cyan"),
            Text(_megabytes(each.memory), style=_style(each.memory, each.memory_limit)),
            Text(_megabytes(each.memory_limit)),
            Text(sparks(each.memory_before, _WIDTH), style="magenta"),
        )
    return table


def _style(value: float | None, limit: float | None) -> str:
    return "red" if value is not None and limit and value > _NEARLY * limit else ""
