"""`hythe cp` and `hythe forward`: files and ports of containers that run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

import click

from . import completing
from .asking import Asking, asks, container_name


@click.command()
@asks(shows=False)
@container_name
@click.argument("source", shell_complete=completing.paths)
@click.argument("target", shell_complete=completing.paths)
def cp(ask: Asking, container: str | None, source: str, target: str) -> None:
    """Copy a file or folder: one side is a path here, the other GROUP:PATH.

    A target that ends with / is the folder to copy into.
    """
    there, here = _inside(source), _inside(target)
    if (there is None) == (here is None):
        raise click.UsageError("one of the two must be GROUP:PATH, the other a path on this machine.")
    if there is not None:
        name, path = there
        click.echo(ask.group(name).copy_out(path, target, container=container))
    elif here is not None:
        name, path = here
        ask.group(name).copy_in(source, path, container=container)


def _inside(text: str) -> tuple[str, str] | None:
    """Read GROUP:PATH; a path that begins with / or . is one of this machine, whatever is in it."""
    name, colon, path = text.partition(":")
    if not colon or name.startswith(("/", ".", "~")):
        return None
    if not name or not path.startswith("/"):
        raise click.UsageError(f"'{text}' is not GROUP:PATH with a PATH that begins with /.")
    return name, path


@click.command()
@asks(shows=False)
@click.option("--address", default="127.0.0.1", show_default=True, metavar="IP", help="Address here.")
@click.argument("name", metavar="GROUP", shell_complete=completing.groups)
@click.argument("ports", metavar="[PORT:]PORT...", nargs=-1, required=True)
def forward(ask: Asking, address: str, name: str, ports: Sequence[str]) -> None:
    """Let ports of this machine lead to ports inside a group, also those that it does not publish, until Ctrl-C.

    8080:80 leads from 8080 here to 80 there, 80 from 80, and :80 from a free port.
    """
    wanted = [_pair(each) for each in ports]
    group = ask.group(name)
    with contextlib.ExitStack() as open_ports:
        for here, there in wanted:
            try:
                made = group.forward(there, here, host=address)
            except OSError as why:
                raise click.ClickException(
                    f"cannot open port {here} of {address}: {why.strerror}. Choose another: {here + 1}:{there}."
                ) from None
            open_ports.enter_context(made)
            click.echo(f"{made.host}:{made.port} -> {name}:{there}")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            made.wait()


def _pair(text: str) -> tuple[int, int]:
    here, colon, there = text.rpartition(":")
    if not there.isdecimal() or (here and not here.isdecimal()):
        raise click.UsageError(f"'{text}' is neither PORT nor PORT:PORT.")
    return (int(here or 0) if colon else int(there)), int(there)
