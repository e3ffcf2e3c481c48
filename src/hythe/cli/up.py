"""`hythe up` and `hythe down`: start and end a service."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from ..client.local import data_dir as resolve_data_dir

_START_SECONDS = 180.0
_STOP_SECONDS = 60.0
_data_dir = click.option(
    "--data-dir", metavar="DIR", help="Where everything lives (default: HYTHE_HOME, or /var/lib/hythe for root)."
)


def _need_service() -> None:
    """Refuse with one sentence where only the library is installed."""
    missing = [name for name in ("starlette", "uvicorn", "sqlalchemy", "grpc", "jwt", "cryptography")
               if importlib.util.find_spec(name) is None]  # fmt: skip
    if missing:
        raise click.ClickException(
            f"cannot run a service: {', '.join(missing)} not installed. Run: pip install 'hythe[service]'"
        )


@click.command()
@_data_dir
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API (default: 8443).")
@click.option("--engine", type=click.Choice(["containerd", "sim"]), help="What runs the containers.")
@click.option("--detach", is_flag=True, help="Return as soon as the service answers; it goes on in the background.")
def up(data_dir: str | None, port: int | None, engine: str | None, detach: bool) -> None:
    """Start the service and bring back the groups that should run."""
    _need_service()
    where = resolve_data_dir(data_dir)
    if detach:
        _detach(where, port, engine)
        return
    from ..service import app

    try:
        settings = app.load(where, port=port, engine=engine)
        app.run(settings, click.echo)
    except (app.CannotStart, ValueError) as error:
        raise click.ClickException(str(error)) from None


def _detach(where: Path, port: int | None, engine: str | None) -> None:
    """Start a service in the background and show what it says until it answers."""
    command = [sys.executable, "-m", "hythe", "up", "--data-dir", str(where)]
    command += ["--port", str(port)] if port else []
    command += ["--engine", engine] if engine else []
    try:
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = (where / "service.log").open("ab")
    except OSError as error:
        raise click.ClickException(
            f"cannot use {where}: {error.strerror}. Choose another folder with --data-dir."
        ) from None
    with log, (where / "service.log").open("rb") as said:
        said.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        lines: list[str] = []
        while not any(line.startswith("Hythe answers at") for line in lines):
            ended = process.poll() is not None  # asked before the log is read: its last words are not missed
            lines = said.read().decode(errors="replace").splitlines()
            for line in lines:
                if line.startswith("Error: "):
                    raise click.ClickException(line.removeprefix("Error: "))
                click.echo(line)
            if ended:
                raise click.ClickException(f"the service ended. Its log is {where / 'service.log'}.")
            if time.monotonic() > deadline:
                raise click.ClickException(f"the service does not answer. Its log is {where / 'service.log'}.")
            time.sleep(0.02)


@contextlib.contextmanager
def _alone(where: Path) -> Iterator[bool]:
    """Tell whether no service runs in a data dir, and keep it so meanwhile."""
    with (where / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _end_service(where: Path) -> None:
    """Ask the service of a data dir to end, and wait until it has."""
    deadline = time.monotonic() + _STOP_SECONDS
    asked = False
    while True:
        with _alone(where) as alone:
            if alone:
                return
        if not asked:
            try:
                pid = int((where / "lock").read_text())
                os.kill(pid, signal.SIGTERM)
            except (ValueError, ProcessLookupError):
                pass  # it is just starting or just ending
            except PermissionError:
                raise click.ClickException("cannot stop the service: it belongs to another user.") from None
            else:
                asked = True
        if time.monotonic() > deadline:
            raise click.ClickException(f"the service does not end. Its log is {where / 'service.log'}.")
        time.sleep(0.02)


@click.command()
@_data_dir
@click.option("--purge", is_flag=True, help="Remove definitions, images, network rules and files too.")
def down(data_dir: str | None, purge: bool) -> None:
    """Stop the service and its containers; the definitions stay, so that the next `up` brings them back."""
    _need_service()
    where = resolve_data_dir(data_dir)
    if not (where / "lock").exists():
        raise click.ClickException(f"cannot stop anything: there is no service in {where}. Name it with --data-dir.")
    _end_service(where)
    from ..service import app

    with _alone(where):
        try:
            app.take_down(where, purge=purge)
        except (app.CannotStart, ValueError) as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"Removed everything in {where}." if purge else "Stopped. `hythe up` brings the groups back.")
