"""`hythe top`: what containers use, as a table that goes on."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .asking import Asking, asks
from .output import Row, coloured

if TYPE_CHECKING:
    from ..client.usage import GroupUsage

_WIDTH = 30
_SPARKS = "▁▂▃▄▅▆▇█"
_KB = 1000
_MB = 1 << 20
_NEARLY = 0.9
_AZURES_GRAIN = 60.0


@click.command()
@asks()
@click.option("--once", is_flag=True, help="Show it once; so it is anyhow where there is no terminal.")
@click.argument("names", metavar="[GROUP]...", nargs=-1, shell_complete=completing.groups)
def top(ask: Asking, once: bool, names: Sequence[str]) -> None:
    """Show what the containers of groups use, of all groups unless some are named, until Ctrl-C.

    Hythe measures each second, Azure each minute.
    """
    if once or ask.form != "table" or ask.query is not None or not sys.stdout.isatty():
        ask.show(_plain(_usages(ask, names)), _row)
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


def _usages(ask: Asking, names: Sequence[str]) -> list[GroupUsage]:
    from ..client._sync.measuring import usage_of
    from ..errors import NotFound

    if names:
        return [ask.group(name).top() for name in names]
    listed = ask.client.container_groups
    groups = list(listed.list_by_resource_group(ask.asked_group) if ask.asked_group else listed.list())
    found = []
    for group in groups:
        with contextlib.suppress(NotFound):  # it was deleted in between
            found.append(usage_of(ask.client, group))
    return found


def _plain(usages: Sequence[GroupUsage]) -> list[dict[str, Any]]:
    """Write a line for each container; the network is the group's, and each of its containers has it."""
    return [
        {
            "group": usage.name, "container": each.name, "cpu": each.cpu, "cpuLimit": each.cpu_limit,
            "memory": each.memory, "memoryLimit": each.memory_limit,
            "groupNetworkReceived": usage.network_received, "groupNetworkSent": usage.network_sent,
        }
        for usage in usages for each in usage.containers
    ]  # fmt: skip


def _row(usage: dict[str, Any]) -> Row:
    return {
        "Group": usage["group"],
        "Container": usage["container"],
        "CPU": _cores(usage["cpu"]),
        "of": _cores(usage["cpuLimit"]),
        "Memory": _megabytes(usage["memory"]),
        "of ": _megabytes(usage["memoryLimit"]),
        "In/s": _kilobytes(usage["groupNetworkReceived"]),
        "Out/s": _kilobytes(usage["groupNetworkSent"]),
    }


def _cores(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _megabytes(value: float | None) -> str:
    return "" if value is None else f"{value / _MB:.1f} MB"


def _kilobytes(value: float | None) -> str:
    return "" if value is None else f"{value / _KB:.1f} kB"


def _table(usages: Sequence[GroupUsage]) -> Any:
    """Draw the table with lines of sparks; what is near its limit is red, and the network stands at a group's first."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    right = ("CPU cores", "Memory", "of", "In/s", "Out/s")
    for name in ("Group", "Container", "CPU cores", "of", "", "Memory", "of", "", "In/s", "Out/s"):
        table.add_column(name, justify="right" if name in right else "left", no_wrap=True)
    for usage in usages:
        for number, each in enumerate(usage.containers):
            table.add_row(
                Text("" if number else usage.name),
                Text(each.name),
                Text(_cores(each.cpu), style=_style(each.cpu, each.cpu_limit)),
                Text(_cores(each.cpu_limit)),
                Text(sparks(each.cpu_before, _WIDTH), style="cyan"),
                Text(_megabytes(each.memory), style=_style(each.memory, each.memory_limit)),
                Text(_megabytes(each.memory_limit)),
                Text(sparks(each.memory_before, _WIDTH), style="magenta"),
                Text("" if number else _kilobytes(usage.network_received)),
                Text("" if number else _kilobytes(usage.network_sent)),
            )
    return table


def _style(value: float | None, limit: float | None) -> str:
    return "red" if value is not None and limit and value > _NEARLY * limit else ""


def sparks(values: Sequence[float], width: int) -> str:
    """Draw the newest values as a line of bars, the highest of them in full."""
    shown = values[-width:]
    highest = max(shown, default=0)
    if highest <= 0:
        return _SPARKS[0] * len(shown)
    return "".join(_SPARKS[min(int(value / highest * len(_SPARKS)), len(_SPARKS) - 1)] for value in shown)
