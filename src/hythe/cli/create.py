"""`hythe container create`: a group from options, as az makes it, or from a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from . import rows
from .asking import Asking, asks, split
from .many import Many
from .progress import result

_WORDS: dict[str, Any] = {"multiple": True, "metavar": "NAME=VALUE"}


def _choice(*words: str) -> click.Choice[str]:
    return click.Choice(words, case_sensitive=False)


_OPTIONS = (
    click.option("-f", "--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                 help="A definition in YAML or JSON instead of the other options; $NAME is the environment's."),
    click.option("--image", help="The container's image."),
    click.option("-l", "--location", help="Region (default: the resource group's)."),
    click.option("--cpu", type=float, help="Cores (default: 1)."),
    click.option("--memory", type=float, help="GB of memory (default: 1.5)."),
    click.option("--os-type", type=_choice("Linux", "Windows"), help="Default: Linux."),
    click.option("--restart-policy", type=_choice("Always", "Never", "OnFailure"), help="Default: Always."),
    click.option("--command-line", metavar="TEXT", help="Command instead of the image's; split into words."),
    click.option("-e", "--environment-variables", help="Variables of the container.", **_WORDS),
    click.option("--secure-environment-variables", help="Variables that no answer shows.", **_WORDS),
    click.option("--config-map", help="Files below /mnt/configmap of the container.", **_WORDS),
    click.option("--ip-address", type=_choice("Public", "Private"), help="Give the group an address."),
    click.option("--ports", multiple=True, type=click.IntRange(1, 65535), help="Ports of it (default: 80)."),
    click.option("--protocol", type=_choice("TCP", "UDP"), help="Of the ports (default: TCP)."),
    click.option("--dns-name-label", metavar="LABEL", help="Host name of a public address."),
    click.option("--vnet", metavar="NAME|ID", help="With --subnet NAME: its network. It has to be there."),
    click.option("--subnet", metavar="NAME|ID", help="Subnet that the group joins. It has to be there."),
    click.option("--registry-login-server", metavar="HOST", help="Registry of the image (default: from its name)."),
    click.option("--registry-username", metavar="NAME"),
    click.option("--registry-password", metavar="TEXT"),
    click.option("--acr-identity", metavar="ID", help="Identity that pulls the image."),
    click.option("--azure-file-volume-share-name", metavar="NAME"),
    click.option("--azure-file-volume-account-name", metavar="NAME"),
    click.option("--azure-file-volume-account-key", metavar="KEY"),
    click.option("--azure-file-volume-mount-path", metavar="PATH"),
    click.option("--secrets", help="Files of a secret volume.", **_WORDS),
    click.option("--secrets-mount-path", metavar="PATH"),
    click.option("--gitrepo-url", metavar="URL"),
    click.option("--gitrepo-dir", metavar="PATH"),
    click.option("--gitrepo-revision", metavar="NAME"),
    click.option("--gitrepo-mount-path", metavar="PATH"),
    click.option("--log-analytics-workspace", metavar="ID", help="Customer id of a workspace."),
    click.option("--log-analytics-workspace-key", metavar="KEY"),
    click.option("--assign-identity", multiple=True, metavar="ID", help="Identities; [system] is the group's own."),
    click.option("--zone", metavar="ZONE"),
    click.option("--priority", type=_choice("Regular", "Spot")),
    click.option("--sku", type=_choice("Standard", "Dedicated", "Confidential")),
    click.option("--cce-policy", metavar="BASE64"),
    click.option("--allow-escalation", type=bool, metavar="BOOL"),
    click.option("--privileged", type=bool, metavar="BOOL"),
    click.option("--run-as-user", type=int, metavar="UID"),
    click.option("--run-as-group", type=int, metavar="GID"),
    click.option("--seccomp-profile", metavar="BASE64"),
    click.option("--add-capabilities", multiple=True, metavar="NAME"),
    click.option("--drop-capabilities", multiple=True, metavar="NAME"),
    click.option("--container-group-profile-id", metavar="ID", help="Profile that the group is made from."),
    click.option("--container-group-profile-revision", type=int, metavar="N"),
    click.option("--standby-pool-profile-id", metavar="ID"),
    click.option("--fail-container-group-create-on-reuse-failure", type=bool, metavar="BOOL"),
    click.option("--no-wait", is_flag=True, help="Return as soon as the service has accepted it."),
)  # fmt: skip


_NOT_OF_PROFILES = frozenset(
    {"vnet", "subnet", "assign_identity", "zone", "no_wait", "container_group_profile_id",
     "container_group_profile_revision", "standby_pool_profile_id", "fail_container_group_create_on_reuse_failure"}
)  # fmt: skip


def create_options(function: Any) -> Any:
    """Give a command az's options for making a group."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def profile_options(function: Any) -> Any:
    """Give a command those of them that a profile can have."""
    made = create_options(function)
    made.__click_params__ = [each for each in made.__click_params__ if each.name not in _NOT_OF_PROFILES]
    return made


@click.command(cls=Many)
@asks()
@click.argument("name", metavar="[GROUP]", required=False)
@click.option("-n", "--name", "named", metavar="NAME", help="Name of the group; also as an argument.")
@create_options
def create(ask: Asking, name: str | None, named: str | None, file: Path | None, no_wait: bool, **given: Any) -> None:
    """Create a container group, or replace it.

    Networks are not made, nor roles given: what --subnet and --assign-identity name has to be there.
    """
    from ..models import ContainerGroup

    chosen = name or named
    if file is not None:
        wanted = ContainerGroup.from_yaml(file.read_text(), os.environ)
        if chosen and wanted.name and chosen != wanted.name:
            raise click.UsageError(f"{file} is for group '{wanted.name}', not for '{chosen}'.")
        chosen = chosen or wanted.name
    if not chosen:
        raise click.UsageError("name the container group.")
    folder, short = split(chosen)
    folder = folder or ask.resource_group
    location = ask.located(given["location"] or (wanted.location if file else None), folder)
    if file is not None:
        wanted.location = wanted.location or location
    else:
        wanted = defined(short, given, location, ask.client._session.subscription_id, folder)
    poller = ask.client.container_groups.begin_create_or_update(folder, short, wanted)
    if no_wait:
        return
    ask.show(result(poller, ask.client.group(short, folder), f"create {short}"), rows.of_group)


def defined(name: str, given: dict[str, Any], location: str, subscription: str, folder: str) -> Any:
    """Make a definition of the options."""
    from .definition import Written, define

    given = dict(given)
    vnet, subnet = given.pop("vnet", None), given.get("subnet")
    if vnet and not subnet:
        raise click.UsageError("--vnet needs --subnet too.")
    if subnet and not subnet.startswith("/"):
        if not vnet:
            raise click.UsageError(f"'{subnet}' is no id: give --vnet too.")
        network = vnet if vnet.startswith("/") else (
            f"/subscriptions/{subscription}/resourceGroups/{folder}/providers/Microsoft.Network/virtualNetworks/{vnet}"
        )  # fmt: skip
        given["subnet"] = f"{network}/subnets/{subnet}"
    if not given["image"] and not given.get("container_group_profile_id"):
        raise click.UsageError("give --image, --container-group-profile-id or --file.")
    given["ports"] = given["ports"] or (80,)
    given["assign_identity"] = given.get("assign_identity") or None
    return define(name, Written(**given), location)
