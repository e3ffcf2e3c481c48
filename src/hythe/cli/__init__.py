"""The command line: each command parses, asks, and shows; modules are imported when their command is used."""

from __future__ import annotations

import click

from .._version import __version__
from .lazy import Main

_COMMANDS = {
    "apply": "apply:apply",
    "attach": "sessions:attach",
    "completion": "completion:completion",
    "container": "container:container",
    "context": "context:context",
    "cost": "cost:cost",
    "cp": "files:cp",
    "doctor": "doctor:doctor",
    "down": "up:down",
    "env": "env:env",
    "events": "events:events",
    "exec": "sessions:exec_",
    "forward": "files:forward",
    "image": "image:image",
    "keep-intercepting": "intercepting:keep_intercepting",
    "logs": "container:logs",
    "ls": "container:list_",
    "map": "mapping:map_",
    "ngroup": "ngroup:ngroup",
    "restart": "container:restart",
    "rm": "container:delete",
    "run": "run:run",
    "run-with": "run_with:run_with",
    "service": "service_unit:service",
    "share": "share:share",
    "show": "container:show",
    "sp": "sp:sp",
    "start": "container:start",
    "stop": "container:stop",
    "subscription": "subscription:subscription",
    "top": "top:top",
    "up": "up:up",
    "wait": "watching:wait",
    "why": "watching:why",
}


@click.command(cls=Main, commands_at=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hythe")
def main() -> None:
    """Run container groups as Azure Container Instances does: on this machine, or on Azure."""
