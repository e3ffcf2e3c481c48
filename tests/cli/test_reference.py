"""Tests that the reference page lists what there is, and that each command can be imported and explained."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from hythe.cli import main
from hythe.cli.output import FORMATS

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


AZ = json.loads((Path(__file__).parent / "az_container.json").read_text())
"""What `az container` takes; its ``source`` says where that was read."""


def flags(name: str) -> set[str]:
    command = COMMANDS[f"hythe container {name}"]
    options = [each for each in command.params if isinstance(each, click.Option)]
    return {flag for each in options for flag in (*each.opts, *each.secondary_opts)} | {"--help", "-h"}


@pytest.mark.parametrize("name", AZ["arguments"])
def test_the_verbs_and_the_arguments_of_az_are_there(name: str) -> None:
    missing = {*AZ["arguments"][name]} - flags(name)

    assert not missing


def test_what_every_command_of_az_takes_ours_take_too() -> None:
    for name in AZ["arguments"]:
        assert not {*AZ["everywhere"]} - flags(name), name


@pytest.mark.parametrize("name", AZ["without_words"])
def test_what_az_takes_without_words_needs_none(name: str) -> None:
    given = AZ["without_words"][name]
    command = COMMANDS[f"hythe container {name}"]
    context = command.make_context(name, ["-n", "web", "--image", "x", *given])

    wrong = {flag: context.params[flag.strip("-").replace("-", "_")] for flag in given if flag != "--allow-escalation"}
    assert wrong == {flag: ("[system]",) if flag == "--assign-identity" else True for flag in wrong}
    assert context.params["allow_escalation"] is True


def test_forms_of_output_are_those_of_az() -> None:
    assert {*FORMATS} >= {"json", "jsonc", "none", "table", "tsv", "yaml", "yamlc"}
