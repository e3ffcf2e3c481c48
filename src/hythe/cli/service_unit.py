"""`hythe service`: let systemd start Hythe with the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from ..client.local import data_dir as resolve_data_dir

_UNIT = """\
[Unit]
Description=Hythe: container groups as on Azure Container Instances
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={command} up --data-dir {data_dir}
Restart=on-failure
RestartSec=2
# Only the service itself is ended: the containers go on, and the next start finds them.
KillMode=process
# Containers make cgroups of their own.
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
"""


@click.group()
def service() -> None:
    """Let systemd start the service with the machine."""


@service.command()
@click.option(
    "--path", default="/etc/systemd/system/hythe.service", show_default=True,
    type=click.Path(dir_okay=False, path_type=Path), help="Where the unit goes.",
)  # fmt: skip
@click.option("--data-dir", metavar="DIR", help="Where everything lives (default: HYTHE_HOME, or /var/lib/hythe).")
def install(path: Path, data_dir: str | None) -> None:
    """Write a systemd unit that runs `hythe up`."""
    if os.geteuid() != 0:
        raise click.ClickException("cannot install the service: that needs root. Run it with sudo.")
    unit = _UNIT.format(command=_quoted(_hythe()), data_dir=_quoted(str(resolve_data_dir(data_dir).absolute())))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit)
    except OSError as error:
        raise click.ClickException(
            f"cannot write {path}: {error.strerror}. Choose another place with --path."
        ) from None
    if Path("/run/systemd/system").is_dir():  # systemd's own way of saying that it runs
        subprocess.run(["systemctl", "daemon-reload"], check=False)
    click.echo(f"Wrote {path}.\nStart it now and with the machine: systemctl enable --now {path.name}")


def _hythe() -> str:
    """Find the program that a unit can call: the one beside this Python."""
    beside = Path(sys.executable).with_name("hythe")
    found = str(beside) if beside.exists() else shutil.which("hythe")
    if found is None:
        raise click.ClickException("cannot find the program `hythe`. Install the package: pip install 'hythe[service]'")
    return str(Path(found).absolute())


def _quoted(text: str) -> str:
    """Quote a word for a unit file, where % and $ stand for something else."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
