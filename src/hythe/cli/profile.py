"""`hythe container container-group-profile`: definitions that groups are made from, in revisions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from . import rows
from .asking import Asking, asks, one_named, shows_nothing
from .create import defined, profile_options
from .many import Many

_MEMBERS = (
    "containers", "os_type", "restart_policy", "ip_address", "volumes", "image_registry_credentials", "diagnostics",
    "priority", "sku", "confidential_compute_properties", "zones", "tags",
)  # fmt: skip


_named = one_named("container group profile", "cg_profiles")


@click.group("container-group-profile")
def profile() -> None:
    """Manage container group profiles."""


@profile.command("list")
@asks()
def list_(ask: Asking) -> None:
    """List profiles: all of the subscription, or those of a resource group."""
    profiles = ask.client.cg_profiles
    found = (
        profiles.list_by_resource_group(ask.asked_group) if ask.asked_group else profiles.list_by_subscription()
    )  # fmt: skip
    ask.show(list(found), rows.of_profile)


@profile.command("create", cls=Many)
@asks()
@_named
@profile_options
def create(ask: Asking, folder: str, name: str, file: Path | None, no_wait: bool, **given: Any) -> None:
    """Create a profile, or add a revision to it."""
    from ..models import ContainerGroupProfile

    if file is not None:
        wanted = ContainerGroupProfile.from_yaml(file.read_text(), os.environ)
        wanted.location = ask.located(given["location"] or wanted.location, folder)
    else:
        location = ask.located(given["location"], folder)
        group = defined(ask, name, given, location, folder)
        wanted = ContainerGroupProfile(location=location, **{member: getattr(group, member) for member in _MEMBERS})
    made = ask.client.cg_profile.create_or_update(folder, name, wanted)
    if not no_wait:
        ask.show(made, rows.of_profile)


@profile.command("show")
@asks()
@_named
def show(ask: Asking, folder: str, name: str) -> None:
    """Show the newest revision of a profile."""
    ask.show(ask.client.cg_profile.get(folder, name), rows.of_profile)


@profile.command("delete")
@shows_nothing
@asks(shows=False)
@_named
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(ask: Asking, folder: str, name: str, yes: bool) -> None:
    """Delete a profile with all its revisions."""
    from .container import confirmed

    confirmed([name], yes)
    ask.client.cg_profile.delete(folder, name)


@profile.command("list-revisions")
@asks()
@_named
def list_revisions(ask: Asking, folder: str, name: str) -> None:
    """List all revisions of a profile."""
    ask.show(list(ask.client.cg_profile.list_all_revisions(folder, name)), rows.of_profile)


@profile.command("show-revision")
@asks()
@_named
@click.option("-r", "--revision", type=click.IntRange(min=1), required=True, metavar="N", help="Number of it.")
def show_revision(ask: Asking, folder: str, name: str, revision: int) -> None:
    """Show one revision of a profile."""
    ask.show(ask.client.cg_profile.get_by_revision_number(folder, name, revision), rows.of_profile)
