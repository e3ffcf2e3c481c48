"""`hythe wait` and `hythe why`: wait for a group, and explain it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from . import rows
from .asking import Asking, asks, one_group
from .progress import step

_STATES = ("Running", "Succeeded", "Failed", "Stopped", "Terminated")


@click.command()
@asks()
@one_group
@click.option(
    "--for",
    "states",
    type=click.Choice(_STATES, case_sensitive=False),
    multiple=True,
    help="State to wait for, one of several (default: Running); Terminated is any end.",
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="How long at most.")
def wait(ask: Asking, name: str, states: Sequence[str], timeout: float | None) -> None:
    """Wait until a group is in a state; if it ends in another, say why and end with 1."""
    wanted = list(states) or ["Running"]
    with step(f"wait until {name} is {' or '.join(wanted)}"):
        found = ask.group(name).wait(wanted, timeout=timeout)
    ask.show(found, rows.of_group)


@click.command()
@asks(shows=False)
@one_group
def why(ask: Asking, name: str) -> None:
    """Explain how a group is, and why it does not run, from its states, events and logs."""
    click.echo(ask.group(name).why())
