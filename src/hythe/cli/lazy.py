"""Groups of commands that import a command when it is used, and say what goes wrong in a sentence."""

from __future__ import annotations

import importlib
from typing import Any

import click

from . import exits


class Lazy(click.Group):
    """A group whose commands live in modules of their own: ``commands_at`` maps names to ``module:attribute``."""

    def __init__(self, *arguments: Any, commands_at: dict[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        return sorted(self._commands_at.keys() - {"keep-intercepting"})  # which only `env` calls

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._commands_at:
            return None
        module, _, name = self._commands_at[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f".{module}", __package__), name)
        return command


class Main(Lazy):
    """The outermost group: what a command raises becomes a sentence and an exit code here, and nowhere else."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(exits.INTERRUPTED) from None
        except Exception as error:
            said = exits.explained(error)
            if said is None:
                raise
            raise said from None
