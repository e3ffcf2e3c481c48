"""`hythe exec` and `hythe attach`: commands in containers that run, and what containers write and read."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from . import completing
from .asking import Asking, asks, container_name, one_group, shows_nothing
from .exits import own_fault
from .many import Trailing

if TYPE_CHECKING:
    from ..client._sync.sessions import ContainerSession

_STDOUT, _STDERR = 1, 2


@click.command("exec", cls=Trailing)
@shows_nothing
@asks(shows=False)
@click.option("-n", "--name", "--ids", "named", metavar="NAME", help="Name or id of the group; also as an argument.",
              shell_complete=completing.groups)  # fmt: skip
@container_name
@click.option("--exec-command", metavar="TEXT", help="The command as one text, as with az; split into words.")
@click.option("-i", "--interactive", is_flag=True, help="Give the command what comes from standard input.")
@click.option("-t/-T", "--tty/--no-tty", default=None, help="With a terminal or without (default: as here).")
@click.option("--terminal-row-size", "rows", type=click.IntRange(1), metavar="N",
              help="Rows of the command's terminal (default: as here, or 24).")
@click.option("--terminal-col-size", "columns", type=click.IntRange(1), metavar="N",
              help="Columns of it (default: as here, or 80).")
@click.argument("name", metavar="[GROUP]", required=False, shell_complete=completing.groups)
@click.argument("words", metavar="[COMMAND]...", nargs=-1, type=click.UNPROCESSED)
def exec_(
    ask: Asking, name: str | None, named: str | None, container: str | None, exec_command: str | None,
    interactive: bool, tty: bool | None, rows: int | None, columns: int | None, words: Sequence[str],
) -> None:  # fmt: skip
    """Run COMMAND in a running container and end with its exit code.

    On a terminal it is interactive, with /bin/sh unless a COMMAND is given.  Azure tells no exit code and gives every
    command a terminal.
    """
    if named is not None and name is not None:
        name, words = named, (name, *words)
    name = name or named
    if name is None:
        raise click.UsageError("name the container group.")
    if exec_command is not None and words:
        raise click.UsageError("give the command by --exec-command or as words, not both.")
    terminal = sys.stdin.isatty() and sys.stdout.isatty() if tty is None else tty
    if not words and exec_command is None and not terminal:
        raise click.UsageError("give a command: only a terminal gets a shell.")
    from .terminal import size

    own_rows, own_columns = size()
    with own_fault():
        session = ask.group(name).open(
            exec_command or list(words) or "/bin/sh", container=container, tty=terminal,
            stdin=interactive or terminal,
            rows=rows or own_rows, columns=columns or own_columns,
        )  # fmt: skip
        with session:
            _carry(session, types=interactive or terminal, raw=terminal and sys.stdin.isatty())
        code = session.exit_code
    if code:
        raise SystemExit(code)


@click.command()
@shows_nothing
@asks(shows=False)
@one_group
@container_name
@click.option("-i", "--interactive", is_flag=True, help="Give the container what comes from standard input.")
def attach(ask: Asking, name: str, container: str | None, interactive: bool) -> None:
    """Show the log of a running container and what it writes from now on; Ctrl-C lets go of it.

    A container reads standard input only if the group's tag hythe.stdin names it.
    """
    try:
        with ask.group(name).attach(container) as session:
            _carry(session, types=interactive, raw=False)
    except KeyboardInterrupt:
        click.echo(f"{name} goes on.", err=True)


def _carry(session: ContainerSession, *, types: bool, raw: bool) -> None:
    """Carry bytes both ways until the other side ends."""
    from .terminal import typing

    with typing(session, raw=raw) if types else contextlib.nullcontext():
        while (piece := session.read()) is not None:
            _write(_STDERR if piece.channel == _STDERR else _STDOUT, piece.data)


def _write(to: int, data: bytes) -> None:
    """Write at once, whatever Python would keep for later."""
    left = memoryview(data)
    while left:
        left = left[os.write(to, left) :]
