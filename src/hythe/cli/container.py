"""`hythe container`: container groups, with the verbs and arguments of `az container`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import rows
from .asking import Asking, asks, container_name, is_short, one_group, shows_nothing, some_groups
from .exits import Said
from .lazy import Lazy
from .progress import step

if TYPE_CHECKING:
    from ..client.options import Expand

_COMMANDS = {
    "attach": "sessions:attach",
    "container-group-profile": "profile:profile",
    "create": "create:create",
    "delete": "container:delete",
    "exec": "sessions:exec_",
    "export": "container:export",
    "list": "container:list_",
    "logs": "container:logs",
    "restart": "container:restart",
    "show": "container:show",
    "start": "container:start",
    "stop": "container:stop",
}
_yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
no_wait = click.option("--no-wait", is_flag=True, help="Return as soon as the service has accepted it.")


@click.command(cls=Lazy, commands_at=_COMMANDS)
def container() -> None:
    """Manage container groups, with the verbs and arguments of `az container`."""


@click.command("list")
@asks()
def list_(ask: Asking) -> None:
    """List container groups: all of the subscription, or those of a resource group."""
    groups = ask.client.container_groups
    # Lists show how groups are if they are asked to; Azure's are not known to understand the question.
    expand: Expand | None = None if ask.is_azure else "instanceView"
    listed = (
        groups.list_by_resource_group(ask.asked_group, expand=expand) if ask.asked_group else groups.list(expand=expand)
    )
    ask.show(list(listed), rows.of_group)


@click.command()
@asks()
@some_groups
def show(ask: Asking, names: Sequence[str]) -> None:
    """Show container groups and how they are."""
    found = [ask.group(name).get() for name in names]
    ask.show(found[0] if len(found) == 1 else found, rows.of_group)


@click.command()
@shows_nothing
@asks(shows=False)
@one_group
@container_name
@click.option("-f", "--follow", is_flag=True, help="Go on until the containers have ended.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
@click.option("-t", "--timestamps", is_flag=True, help="Begin each line with its time.")
@click.option("-a", "--all", "every", is_flag=True, help="Of all containers, each line with the container's name.")
@click.option("-p", "--previous", is_flag=True, help="Of the run before the newest one; not on Azure.")
def logs(
    ask: Asking, name: str, container: str | None, follow: bool, tail: int | None, timestamps: bool, every: bool,
    previous: bool,
) -> None:  # fmt: skip
    """Show what a container has written: the first container unless one is named."""
    if every and container is not None:
        raise click.UsageError("give --container-name or --all, not both.")
    if follow and previous:
        raise click.UsageError("give --follow or --previous, not both: a previous run has ended.")
    group = ask.group(name)
    chosen = None if every else container or _first(group.get().containers or ())
    for line in group.logs(chosen, follow=follow, tail=tail, previous=previous):
        before = (f"[{line.container}] " if every else "") + (f"{line.time} " if timestamps else "")
        click.echo(before + line.text)
        if follow:
            sys.stdout.flush()


def confirmed(names: Sequence[str], yes: bool) -> None:
    """Ask whether to delete, unless that has been said."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("cannot ask whether to delete, because this is no terminal: give --yes.")
    click.confirm(f"Delete {', '.join(names)}?", abort=True)


def _first(containers: Sequence[object]) -> str:
    return str(getattr(containers[0], "name", "")) if containers else ""


@click.command()
@shows_nothing
@asks(shows=False)
@some_groups
@no_wait
def start(ask: Asking, names: Sequence[str], no_wait: bool) -> None:
    """Start stopped container groups."""
    _each(ask, names, "start", no_wait)


@click.command()
@shows_nothing
@asks(shows=False)
@some_groups
@no_wait
def restart(ask: Asking, names: Sequence[str], no_wait: bool) -> None:
    """Restart all containers of container groups in place."""
    _each(ask, names, "restart", no_wait)


@click.command()
@shows_nothing
@asks(shows=False)
@some_groups
def stop(ask: Asking, names: Sequence[str]) -> None:
    """Stop container groups; they stay, and can be started again."""
    for name in names:
        ask.group(name).stop()


def _each(ask: Asking, names: Sequence[str], verb: str, no_wait: bool) -> None:
    pollers = []
    for name in names:
        group = ask.group(name)
        pollers.append(getattr(ask.client.container_groups, f"begin_{verb}")(group.resource_group, group.name))
    if not no_wait:
        with step(f"{verb} {', '.join(names)}"):
            for poller in pollers:
                poller.result()


@click.command()
@asks()
@some_groups
@_yes
@no_wait
def delete(ask: Asking, names: Sequence[str], yes: bool, no_wait: bool) -> None:
    """Delete container groups."""
    confirmed(names, yes)
    groups = [ask.group(name) for name in names]
    if is_short():
        for group in groups:
            group.get()  # a name that was written wrong is told before anything is deleted
    pollers = [ask.client.container_groups.begin_delete(group.resource_group, group.name) for group in groups]
    if no_wait:
        return
    with step(f"delete {', '.join(names)}"):
        gone = [each for poller in pollers if (each := poller.result())]  # as az: of what was not there nothing
    if gone and ask.form != "table":
        ask.show(gone[0] if len(gone) == 1 else gone)


@click.command()
@shows_nothing
@asks(shows=False)
@one_group
@click.option("-f", "--file", "to", type=click.Path(dir_okay=False, path_type=Path), help="Where to (default: here).")
def export(ask: Asking, name: str, to: Path | None) -> None:
    """Write a container group as YAML that `create --file` and `apply` take; secrets can't be had and are left out."""
    text = ask.group(name).get().to_yaml()
    if to is None or str(to) == "-":
        click.echo(text, nl=False)
        return
    try:
        to.write_text(text)
    except OSError as why:
        raise Said(f"cannot write {to}: {why.strerror}. Choose another --file.") from None
