"""`hythe ngroup`: sets of container groups made from a profile."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from . import rows
from .asking import Asking, asks, one_named
from .container import confirmed, no_wait
from .progress import step

_named = one_named("set of container groups", "ngroups")


@click.group()
def ngroup() -> None:
    """Manage sets of container groups that are made from a profile."""


@ngroup.command("list")
@asks()
def list_(ask: Asking) -> None:
    """List sets: all of the subscription, or those of a resource group."""
    sets = ask.client.ngroups
    ask.show(list(sets.list_by_resource_group(ask.asked_group) if ask.asked_group else sets.list()), rows.of_set)


@ngroup.command("create")
@asks()
@_named
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A definition in YAML or JSON instead of the other options.",
)
@click.option("--profile", metavar="NAME|ID", help="Profile that the groups are made from.")
@click.option("--revision", type=click.IntRange(min=1), metavar="N", help="Its revision (default: the newest).")
@click.option("--count", type=click.IntRange(min=0), default=1, show_default=True, help="How many groups.")
@click.option("--maintain", is_flag=True, help="Replace groups that are deleted.")
@click.option("--prefix", metavar="TEXT", help="Begin the groups' names so.")
@click.option(
    "--update",
    type=click.Choice(["Manual", "Rolling"], case_sensitive=False),
    help="How groups follow a changed profile.",
)
@click.option("-l", "--location", metavar="REGION", help="Region (default: the resource group's).")
@no_wait
def create(ask: Asking, folder: str, name: str, file: Path | None, no_wait: bool, **given: Any) -> None:
    """Create a set, or change it."""
    from ..models import NGroup

    if file is None and given["profile"] is None:
        raise click.UsageError("give --profile or --file.")
    if file is not None:
        wanted = NGroup.from_yaml(file.read_text(), os.environ)
        wanted.location = ask.located(given["location"] or wanted.location, folder)
    else:
        location = ask.located(given["location"], folder)
        wanted = _defined(location, ask.client._session.subscription_id, folder, given)
    poller = ask.client.ngroups.begin_create_or_update(folder, name, wanted)
    if no_wait:
        return
    with step(f"create {name}"):
        made = poller.result()
    ask.show(made, rows.of_set)


def _defined(location: str, subscription: str, folder: str, given: dict[str, Any]) -> Any:
    from ..models import (
        ApiEntityReference,
        ContainerGroupProfileStub,
        ElasticProfile,
        ElasticProfileContainerGroupNamingPolicy,
        ElasticProfileContainerGroupNamingPolicyGuidNamingPolicy,
        NGroup,
        UpdateProfile,
    )

    profile = given["profile"]
    if not profile.startswith("/"):
        profile = (
            f"/subscriptions/{subscription}/resourceGroups/{folder}/providers/Microsoft.ContainerInstance/"
            f"containerGroupProfiles/{profile}"
        )
    prefix = ElasticProfileContainerGroupNamingPolicyGuidNamingPolicy(prefix=given["prefix"])
    naming = ElasticProfileContainerGroupNamingPolicy(guid_naming_policy=prefix) if given["prefix"] else None
    elastic = ElasticProfile(
        desired_count=given["count"], maintain_desired_count=given["maintain"] or None,
        container_group_naming_policy=naming,
    )  # fmt: skip
    stub = ContainerGroupProfileStub(resource=ApiEntityReference(id=profile), revision=given["revision"])
    return NGroup(
        location=location,
        elastic_profile=elastic,
        container_group_profiles=[stub],
        update_profile=UpdateProfile(update_mode=given["update"]) if given["update"] else None,
    )


@ngroup.command("show")
@asks()
@_named
def show(ask: Asking, folder: str, name: str) -> None:
    """Show a set."""
    ask.show(ask.client.ngroups.get(folder, name), rows.of_set)


@ngroup.command("delete")
@asks(shows=False)
@_named
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@no_wait
def delete(ask: Asking, folder: str, name: str, yes: bool, no_wait: bool) -> None:
    """Delete a set with its groups."""
    confirmed([name], yes)
    _done(ask.client.ngroups.begin_delete(folder, name), f"delete {name}", no_wait)


@ngroup.command("start")
@asks(shows=False)
@_named
@no_wait
def start(ask: Asking, folder: str, name: str, no_wait: bool) -> None:
    """Start all groups of a set."""
    _done(ask.client.ngroups.begin_start(folder, name), f"start {name}", no_wait)


@ngroup.command("restart")
@asks(shows=False)
@_named
@no_wait
def restart(ask: Asking, folder: str, name: str, no_wait: bool) -> None:
    """Restart all groups of a set."""
    _done(ask.client.ngroups.begin_restart(folder, name), f"restart {name}", no_wait)


@ngroup.command("stop")
@asks(shows=False)
@_named
def stop(ask: Asking, folder: str, name: str) -> None:
    """Stop all groups of a set."""
    ask.client.ngroups.stop(folder, name)


def _done(poller: Any, doing: str, no_wait: bool) -> None:
    if not no_wait:
        with step(doing):
            poller.result()
