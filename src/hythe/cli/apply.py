"""`hythe apply`: make a group what a file says, and change nothing that is so already."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asking import Asking, asks, split
from .output import paint
from .progress import step

if TYPE_CHECKING:
    from ..client.changes import Plan
    from ..models import ContainerGroup

_DONE = {
    "create": "Created", "none": "Nothing to do for", "tags": "Changed the tags of", "update": "Updated",
    "replace": "Deleted and created again:",
}  # fmt: skip
_COLOURS = {"+": "green", "-": "red", "~": "yellow"}


@click.command()
@asks()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-n", "--name", metavar="NAME", help="Name of the group (default: from the file, or the file's own).")
@click.option("-l", "--location", metavar="REGION", help="Region (default: from the file, or the resource group's).")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--force", is_flag=True, help="Send all, also if nothing seems to differ: secrets can't be compared.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask, even if the group has to be deleted and made again.")
def apply(
    ask: Asking, file: Path, name: str | None, location: str | None, dry_run: bool, force: bool, yes: bool
) -> None:
    """Make a container group what FILE says: a compose file, a pod, or the YAML of `az container create`.

    Shows what changes first, and changes only that.
    """
    from ..client.definitions import read_definition

    wanted = read_definition(file)
    folder, short = split(name) if name else (None, wanted.name or file.stem)
    folder = folder or ask.resource_group
    wanted.name = short
    plan = ask.client.plan(wanted, resource_group=folder, name=short)
    if ask.form == "table":
        _show(plan, force)
    if not dry_run and (force or plan.action != "none"):
        _allowed(plan, yes)
        wanted.location = _location(ask, wanted, location, folder, plan)
        with step(f"apply {file}"):
            plan = ask.client.apply(wanted, resource_group=folder, name=short, force=force)
        if ask.form == "table":
            click.echo(f"{_DONE[plan.action]} {short}.")
    if ask.form != "table" or ask.query is not None:
        changes = [{"path": each.path, "before": each.before, "after": each.after} for each in plan.changes]
        ask.show({
            "name": plan.name, "resourceGroup": plan.resource_group, "action": plan.action, "changes": changes,
            "notCompared": list(plan.unseen), "applied": not dry_run and (force or plan.action != "none"),
        })  # fmt: skip


def _location(ask: Asking, wanted: ContainerGroup, location: str | None, folder: str, plan: Plan) -> str | None:
    """Choose the region; a resource group that is not there is made first, where Azure has to be told its region."""
    chosen = location or wanted.location
    if chosen is None or plan.action == "create":
        return ask.located(chosen, folder)
    return chosen


def _show(plan: Plan, force: bool) -> None:
    """Print a plan, each change in its colour."""
    for line in str(plan).splitlines():
        if "force=True" in line and force:
            continue
        mark = line.strip()[:1]
        text = line.replace("force=True sends all.", "--force sends all.")
        click.echo(paint(text, _COLOURS[mark]) if mark in _COLOURS else text)


def _allowed(plan: Plan, yes: bool) -> None:
    """Ask before a group is deleted."""
    if plan.action != "replace" or yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"'{plan.name}' has to be deleted and created again: give --yes to allow it.")
    click.confirm(f"Delete {plan.name} and create it again?", abort=True)
