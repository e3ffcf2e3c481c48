"""`hythe completion`: let the shell complete commands, options, groups and containers."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion of a shell: eval "$(hythe completion bash)"."""
    from click.shell_completion import get_completion_class

    from . import main

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"there is no completion for {shell}.")
    click.echo(made(main, {}, "hythe", "_HYTHE_COMPLETE").source())
