"""Tests that the reference page lists what there is, and that each command can be imported and explained."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from hythe.cli import main

ROOT = Path(__file__).parents[2]


def tool() -> Any:
    spec = importlib.util.spec_from_file_location("describe", ROOT / "tools" / "describe_command_line.py")
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_page_is_up_to_date() -> None:
    describe = tool()

    assert describe.PAGE.read_text() == describe.written(), f"run {sys.executable} tools/describe_command_line.py"


COMMANDS = dict(tool().commands(main, click.Context(main, info_name="hythe")))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_and_option_says_what_it_is_for(name: str) -> None:
    command = COMMANDS[name]

    assert command.help and command.help.strip()[0].isupper()
    flags = [flag for each in command.params if isinstance(each, click.Option) for flag in each.opts]
    assert len(flags) == len(set(flags)), "two options have the same name"


AZ = {
    "": "attach create delete exec export list logs restart show start stop container-group-profile",
    "container-group-profile": "create delete list list-revisions show show-revision",
}


@pytest.mark.parametrize("under", AZ)
def test_the_verbs_of_az_are_there(under: str) -> None:
    found = main.get_command(click.Context(main), "container")
    if under and isinstance(found, click.Group):
        found = found.get_command(click.Context(found), under)
    assert isinstance(found, click.Group)

    assert set(AZ[under].split()) <= set(found.list_commands(click.Context(found)))


AZ_CREATE = """
--name --image --location --cpu --memory --config-map --os-type --ip-address --ports --protocol --dns-name-label
--restart-policy --command-line --environment-variables --secure-environment-variables --secrets --secrets-mount-path
--file --zone --priority --sku --no-wait --cce-policy --allow-escalation --privileged --run-as-user --run-as-group
--seccomp-profile --add-capabilities --drop-capabilities --assign-identity --vnet --subnet --registry-login-server
--registry-username --registry-password --acr-identity --azure-file-volume-share-name --azure-file-volume-account-name
--azure-file-volume-account-key --azure-file-volume-mount-path --log-analytics-workspace --log-analytics-workspace-key
--container-group-profile-id --container-group-profile-revision --standby-pool-profile-id
--fail-container-group-create-on-reuse-failure --gitrepo-url --gitrepo-dir --gitrepo-revision --gitrepo-mount-path
"""


def test_create_has_the_arguments_of_az() -> None:
    """All but those that make networks and give roles: --vnet-address-prefix, --scope and their like."""
    flags = {flag for each in COMMANDS["hythe container create"].params for flag in each.opts}

    assert set(AZ_CREATE.split()) <= flags
