"""`hythe env`: say how programs reach the service of this machine."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import msgspec

from ..client import local
from ..client.auth_file import read_auth_file
from .exits import FAILED, Said

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "WEBSOCKET_CLIENT_CA_BUNDLE")
"""Who reads which: Python's requests; OpenSSL, aiohttp and Go; Node; `az container exec`."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the client's secret and more.")
@click.option("--intercept", is_flag=True, help="Lead Azure's own names to Hythe, as run-with does, in this shell.")
@click.option("--only", is_flag=True, help="With --intercept: let programs reach nothing but Hythe.")
@click.option("--identity", metavar="ID", help="Be a user-assigned identity (its ARM id or client id) in this shell.")
@click.option("--while", "pid", type=int, metavar="PID", help="With --intercept: until this process ends (the shell).")
@click.option("--data-dir", metavar="DIR", help="The service's data dir (default: HYTHE_HOME).")
def env(
    as_json: bool, intercept: bool, only: bool, identity: str | None, pid: int | None, data_dir: str | None
) -> None:
    """Print the shell exports that clients need: eval "$(hythe env)"."""
    where = local.data_dir(data_dir)
    if intercept:
        _print(_beside_a_shell(where, only, pid or os.getppid()), as_json)
        return
    if identity:
        _print(_of_identity(where, identity), as_json)
        return
    if only or pid:
        raise click.UsageError("--only and --while go with --intercept.")
    service = local.read_local(where)
    variables = {"AZURE_AUTH_LOCATION": str(local.auth_file(where))}
    variables |= dict.fromkeys(CA_VARIABLES, str(local.ca_bundle(where)))
    variables["HYTHE_URL"] = service.url
    if not as_json:
        _print(variables, as_json)
        return
    owner = read_auth_file(local.auth_file(where))
    document = variables | {
        "url": service.url,
        "authority": service.url,
        "tenant": service.tenant,
        "subscription": service.subscription,
        "client_id": owner.client_id,
        "client_secret": owner.client_secret,
        "ca": str(local.ca(where)),
        "auth_file": str(local.auth_file(where)),
    }
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))


def _print(variables: dict[str, str], as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(variables), indent=2).decode())
        return
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _beside_a_shell(where: Path, only: bool, pid: int) -> dict[str, str]:
    """Start a proxy that ends with a process, and give the variables that lead to it."""
    options = ["--data-dir", str(where), *["--only"] * only]
    command = [sys.executable, "-m", "hythe", "keep-intercepting", *options, str(pid)]
    keeper = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert keeper.stdout and keeper.stderr  # noqa: S101 - both are pipes
    said, complaint = keeper.stdout.read(), keeper.stderr.read()  # it closes both once it is ready
    try:
        variables: dict[str, str] = msgspec.json.decode(said, type=dict[str, str])
    except msgspec.DecodeError:
        raise Said(complaint.decode().strip().removeprefix("Error: "), keeper.wait() or FAILED) from None
    keeper.returncode = 0  # it goes on without us
    return variables | {"HYTHE_INTERCEPT_PID": str(keeper.pid)}


def _of_identity(where: Path, identity: str) -> dict[str, str]:
    """Give the variables with which Azure's libraries get tokens of an identity, without a secret of its own."""
    asked = msgspec.json.encode({"id": identity})
    service = local.read_local(where)
    answer = local.admin(
        service, where, "POST", "/hythe/host-identity", asked, doing=f"find identity '{identity}'"
    )
    found = msgspec.json.decode(answer, type=dict[str, str])
    return found | dict.fromkeys(CA_VARIABLES, str(local.ca_bundle(where))) | {"HYTHE_URL": service.url}
