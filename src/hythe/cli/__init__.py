"""The command line: each command parses, asks, and shows; modules are imported when their command is used."""

from __future__ import annotations

import importlib

import click

from .._version import __version__

_COMMANDS = {
    "doctor": ("doctor", "doctor"),
    "down": ("up", "down"),
    "env": ("env", "env"),
    "image": ("image", "image"),
    "keep-intercepting": ("intercepting", "keep_intercepting"),
    "run-with": ("run_with", "run_with"),
    "service": ("service_unit", "service"),
    "share": ("share", "share"),
    "sp": ("sp", "sp"),
    "subscription": ("subscription", "subscription"),
    "up": ("up", "up"),
}


class _Lazy(click.Group):
    """A group whose commands live in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        return sorted(_COMMANDS.keys() - {"keep-intercepting"})  # which only `env` calls

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f".{module}", __name__), name)
        return command


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hythe")
def main() -> None:
    """Run Azure-Container-Instances-style container groups on this machine."""
