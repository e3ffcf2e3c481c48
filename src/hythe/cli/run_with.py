"""`hythe run-with`: run a program that names Azure's own hosts, with Hythe in their place."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import click

from ..client import local
from .intercepting import intercepting

_NOT_FOUND, _NOT_RUNNABLE, _BY_SIGNAL = 127, 126, 128  # exit codes as shells give them


@click.command("run-with", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--only", is_flag=True, help="Let COMMAND reach nothing but Hythe: other hosts are refused.")
@click.option("--data-dir", metavar="DIR", help="The service's data dir (default: HYTHE_HOME).")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run_with(only: bool, data_dir: str | None, command: tuple[str, ...]) -> None:
    """Run COMMAND so that its connections to Azure reach Hythe: hythe run-with -- python program.py.

    COMMAND finds Hythe's credentials where programs for Azure look for them (AZURE_CLIENT_ID and its like,
    AZURE_AUTH_LOCATION), unless it has others.
    """
    raise SystemExit(asyncio.run(_run(command, local.data_dir(data_dir), only)))


async def _run(command: Sequence[str], where: Path, only: bool) -> int:
    """Run the command beside the proxy and give its exit code, as a shell would."""
    async with intercepting(os.environ, where, only=only) as variables:
        try:
            process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **variables})
        except FileNotFoundError:
            click.echo(f"Error: cannot run {command[0]}: there is no such program.", err=True)
            return _NOT_FOUND
        except OSError as why:
            click.echo(f"Error: cannot run {command[0]}: {why.strerror}.", err=True)
            return _NOT_RUNNABLE
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # a terminal tells the command itself
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, process.send_signal, number)
        code = await process.wait()
    return code if code >= 0 else _BY_SIGNAL - code
