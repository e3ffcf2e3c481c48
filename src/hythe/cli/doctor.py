"""`hythe doctor`: what this machine lacks, and the one command that mends it."""

from __future__ import annotations

import fcntl
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from .. import machine
from ..client.local import data_dir as resolve_data_dir

_SERVICE_MODULES = ("cryptography", "grpc", "jwt", "sqlalchemy", "starlette", "uvicorn")


@click.command()
@click.option("--data-dir", metavar="DIR", help="The service's data dir (default: HYTHE_HOME).")
@click.option("--port", type=click.IntRange(1, 65535), default=8443, show_default=True, help="Port to look at.")
def doctor(data_dir: str | None, port: int) -> None:
    """Say what this machine lacks for running containers, and what to do about it."""
    # A service that runs holds the port itself.
    looked_at = None if _runs(resolve_data_dir(data_dir)) else port
    found = [*_python(), *machine.checks(looked_at)]
    width = max(len(check.what) for check in found)
    for check in found:
        if check.lack is None:
            click.echo(f"ok       {check.what:<{width}}  {check.found}")
        else:
            click.echo(f"missing  {check.what:<{width}}  {check.lack.why}")
    lacks = [check.lack for check in found if check.lack is not None]
    if not lacks:
        click.echo("\nNothing is missing. Start the service: hythe up")
        return
    click.echo(f"\nThis mends it:\n  {machine.mend(lacks)}")
    raise SystemExit(1)


def _python() -> Iterator[machine.Check]:
    """Look for the Python packages of the service."""
    absent = [name for name in _SERVICE_MODULES if importlib.util.find_spec(name) is None]
    if absent:
        command = f"{sys.executable} -m pip install 'hythe[service]'"
        yield machine.Check("hythe[service]", "", machine.Lack("hythe[service]", "the service needs it", command))
    else:
        yield machine.Check("hythe[service]", "installed")


def _runs(where: Path) -> bool:
    """Tell whether a service holds the data dir."""
    try:
        with (where / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
