"""`hythe container create`: a group from options, as az makes it, or from a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import rows
from .asking import Asking, asks, split
from .exits import Said
from .many import Bare, Many
from .progress import result

if TYPE_CHECKING:
    from ..models import ContainerGroup

NETWORK_RANGE, SUBNET_RANGE = "10.0.0.0/16", "10.0.0.0/24"
"""Of networks and subnets that are made: az's own."""
SYSTEM = "[system]"
"""Stands for the identity that a group has of its own."""
_AROUND = ("vnet", "vnet_address_prefix", "subnet_address_prefix", "scope", "role")
"""Options about what is beside the group's definition."""
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
    click.option("--vnet", "--vnet-name", "vnet", metavar="NAME|ID", help="With --subnet NAME: its network."),
    click.option("--vnet-address-prefix", default=NETWORK_RANGE, metavar="RANGE",
                 help=f"Range of a network that is made for the group (default: {NETWORK_RANGE})."),
    click.option("--subnet", metavar="NAME|ID", help="Subnet that the group joins. What is not there is made."),
    click.option("--subnet-address-prefix", default=SUBNET_RANGE, metavar="RANGE",
                 help=f"Range of a subnet that is made for the group (default: {SUBNET_RANGE})."),
    click.option("--registry-login-server", metavar="HOST", help="Registry of the image (default: from its name)."),
    click.option("--registry-username", metavar="NAME"),
    click.option("--registry-password", metavar="TEXT"),
    click.option("--acr-identity", metavar="NAME|ID", help="Identity that pulls the image."),
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
    click.option("--log-analytics-workspace", metavar="NAME|ID",
                 help="Workspace for logs: its name or its customer id."),
    click.option("--log-analytics-workspace-key", metavar="KEY",
                 help="Key of it (default: looked up in the subscription)."),
    click.option("--assign-identity", cls=Bare, alone=SYSTEM, multiple=True, metavar="[ID]...",
                 help=f"Identities; {SYSTEM}, or none named, is the group's own."),
    click.option("--scope", metavar="ID", help="What the group's own identity gets a role over."),
    click.option("--role", metavar="NAME|ID", help="That role (default: Contributor)."),
    click.option("--zone", metavar="ZONE"),
    click.option("--priority", type=_choice("Regular", "Spot")),
    click.option("--sku", type=_choice("Standard", "Dedicated", "Confidential")),
    click.option("--cce-policy", metavar="BASE64"),
    click.option("--allow-escalation/--no-allow-escalation", default=None,
                 help="Whether a process may gain more rights than its parent has."),
    click.option("--privileged/--no-privileged", default=None, help="Whether the container is privileged."),
    click.option("--run-as-user", type=int, metavar="UID"),
    click.option("--run-as-group", type=int, metavar="GID"),
    click.option("--seccomp-profile", metavar="BASE64"),
    click.option("--add-capabilities", multiple=True, metavar="NAME"),
    click.option("--drop-capabilities", multiple=True, metavar="NAME"),
    click.option("--container-group-profile-id", metavar="ID", help="Profile that the group is made from."),
    click.option("--container-group-profile-revision", type=int, metavar="N"),
    click.option("--standby-pool-profile-id", metavar="ID"),
    click.option("--fail-container-group-create-on-reuse-failure", is_flag=True, default=None,
                 help="Make no new group if the pool has none ready."),
    click.option("--no-wait", is_flag=True, help="Return as soon as the service has accepted it."),
)  # fmt: skip


_NOT_OF_PROFILES = frozenset(
    {"vnet", "vnet_address_prefix", "subnet", "subnet_address_prefix", "assign_identity", "scope",
     "role", "container_group_profile_id", "container_group_profile_revision", "standby_pool_profile_id",
     "fail_container_group_create_on_reuse_failure"}
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

    A subnet that is named by --subnet and is not there is made, with its network, and is let to container groups.
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
    role = ""
    if file is not None:
        wanted.location = wanted.location or location
    else:
        wanted = defined(ask, short, given, location, folder)
        if given["scope"]:
            from .around import role_id

            role = role_id(ask.client, given["role"] or "Contributor", given["scope"])  # before anything is made
        for each in wanted.subnet_ids or ():
            from .around import ready_subnet

            ready_subnet(ask.client, each.id, location, given["vnet_address_prefix"], given["subnet_address_prefix"])
    poller = ask.client.container_groups.begin_create_or_update(folder, short, wanted)
    group = ask.client.group(short, folder)
    made = None if no_wait else result(poller, group, f"create {short}")
    if role:
        from .around import give_role

        identity = (made or group.get()).identity
        if identity is None or not identity.principal_id:
            raise Said(f"{short} has no identity yet, so it got no role. Create it again without --no-wait.")
        give_role(ask.client, identity.principal_id, role, given["scope"])
    if made is not None:
        ask.show(made, rows.of_group)


def defined(ask: Asking, name: str, given: dict[str, Any], location: str, folder: str) -> ContainerGroup:
    """Make a definition of the options.  What they name beside the group is looked up, and nothing is made."""
    from .definition import Written, define

    given = dict(given)
    around = {each: given.pop(each, None) for each in _AROUND}
    _check(given, around)
    _ask_for_secrets(given)
    subscription = ask.client._session.subscription_id
    if given.get("subnet"):
        from .around import subnet_id

        given["subnet"] = subnet_id(around["vnet"], given["subnet"], subscription, folder)
    if given["acr_identity"] and not given["acr_identity"].startswith("/"):
        kind = "Microsoft.ManagedIdentity/userAssignedIdentities"
        given["acr_identity"] = (
            f"/subscriptions/{subscription}/resourceGroups/{folder}/providers/{kind}/{given['acr_identity']}"
        )
    given["ports"] = given["ports"] or (80,)
    given["assign_identity"] = given.get("assign_identity") or None
    tags = None
    if given["log_analytics_workspace"] and not given["log_analytics_workspace_key"]:
        from .around import workspace

        found = workspace(ask.client, given["log_analytics_workspace"])
        given |= {"log_analytics_workspace": found.customer_id, "log_analytics_workspace_key": found.key}
        tags = {"oms-resource-link": found.id}  # by which Azure's portal shows the logs
    wanted = define(name, Written(**given), location)
    wanted.tags = tags
    return wanted


def _ask_for_secrets(given: dict[str, Any]) -> None:
    """Ask for secrets that are not given, as az does, where there is somebody to ask: they need be in no history."""
    if not sys.stdin.isatty():
        return
    if given["registry_username"] and not given["registry_password"]:
        given["registry_password"] = click.prompt("Image registry password", hide_input=True, err=True)
    if given["azure_file_volume_share_name"] and not given["azure_file_volume_account_key"]:
        given["azure_file_volume_account_key"] = click.prompt("Storage account key", hide_input=True, err=True)


def _check(given: dict[str, Any], around: dict[str, Any]) -> None:
    """Refuse options that don't go together, as az does."""
    subnet = given.get("subnet")
    if around["vnet"] and not subnet:
        raise click.UsageError("--vnet needs --subnet too.")
    if subnet and (given["ip_address"] == "Public" or given.get("dns_name_label")):
        raise click.UsageError("a group in a --subnet has a private address: leave out --ip-address Public and "
                               "--dns-name-label.")  # fmt: skip
    if around["role"] and not around["scope"]:
        raise click.UsageError("--role needs --scope too.")
    if around["scope"] and SYSTEM not in (given.get("assign_identity") or ()):
        raise click.UsageError(f"--scope is for the group's own identity: give --assign-identity {SYSTEM} too.")
    if given["log_analytics_workspace_key"] and not given["log_analytics_workspace"]:
        raise click.UsageError("--log-analytics-workspace-key needs --log-analytics-workspace too.")
    if not given["image"] and not given.get("container_group_profile_id"):
        raise click.UsageError("give --image, --container-group-profile-id or --file.")
