"""`hythe run-with`: run a program that names Azure's own hosts, with Hythe in their place."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from ..client import local
from ..client.auth_file import VARIABLE, read_auth_file
from ..client.intercept import Proxy
from ..errors import HytheError
from .env import CA_VARIABLES

_NOT_FOUND, _NOT_RUNNABLE, _BY_SIGNAL = 127, 126, 128  # exit codes as shells give them
_AZURE = {
    "activeDirectoryEndpointUrl": "https://login.microsoftonline.com",
    "resourceManagerEndpointUrl": "https://management.azure.com/",
}
_LOCAL = "localhost,127.0.0.1,::1"


class _Intercept(Struct):
    """What the service makes for one run: a certificate for Azure's names and the authority that vouches for it."""

    names: list[str]
    certificate: str
    key: str
    ca: str

    def __repr__(self) -> str:
        return f"_Intercept(names={self.names!r}, key=***)"


@click.command("run-with", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--data-dir", metavar="DIR", help="The service's data dir (default: HYTHE_HOME).")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run_with(data_dir: str | None, command: tuple[str, ...]) -> None:
    """Run COMMAND so that its connections to Azure reach Hythe: hythe run-with -- python program.py.

    COMMAND finds Hythe's credentials where programs for Azure look for them (AZURE_CLIENT_ID and its like,
    AZURE_AUTH_LOCATION), unless it has others.
    """
    where = local.data_dir(data_dir)
    try:
        service = local.read_local(where)
        made = msgspec.json.decode(local.admin(service, where, "POST", "/hythe/intercept"), type=_Intercept)
        with tempfile.TemporaryDirectory(prefix="hythe-run-") as folder:
            code = asyncio.run(_run(command, service, where, made, Path(folder)))
    except HytheError as error:
        raise click.ClickException(str(error)) from None
    raise SystemExit(code)


async def _run(command: Sequence[str], service: local.LocalService, where: Path, made: _Intercept, folder: Path) -> int:
    """Run the command beside the proxy and give its exit code, as a shell would."""
    proxy = Proxy(made.names, service.url, local.trust(where))
    async with proxy.serve(_server_context(made, folder), folder) as url:
        environment = _environment(os.environ, url, service, where, made, folder)
        try:
            process = await asyncio.create_subprocess_exec(*command, env=environment)
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


def _server_context(made: _Intercept, folder: Path) -> ssl.SSLContext:
    """Make the context that speaks for Azure's names; the key is on disk only while it is read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = folder / "pair.pem"
    pair.touch(mode=0o600)
    try:
        pair.write_text(made.certificate + made.key)
        context.load_cert_chain(pair)
    finally:
        pair.unlink()
    return context


def _environment(
    given: Mapping[str, str], proxy: str, service: local.LocalService, where: Path, made: _Intercept, folder: Path
) -> dict[str, str]:
    """Make the command's environment: the proxy, whom to trust, and credentials that Hythe knows."""
    bundle = folder / "ca-bundle.pem"
    bundle.write_bytes(local.ca_bundle(where).read_bytes() + made.ca.encode())
    owner = read_auth_file(local.auth_file(where))
    direct = ",".join(filter(None, (given.get("no_proxy") or given.get("NO_PROXY"), _LOCAL)))
    ours = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy) | dict.fromkeys(("NO_PROXY", "no_proxy"), direct)
    ours |= dict.fromkeys(CA_VARIABLES, str(bundle)) | {"HYTHE_URL": service.url}
    if "CURL_CA_BUNDLE" in given:  # it would win over SSL_CERT_FILE
        ours["CURL_CA_BUNDLE"] = str(bundle)
    if "AZURE_CLIENT_ID" not in given:
        ours |= {
            "AZURE_TENANT_ID": owner.tenant_id,
            "AZURE_CLIENT_ID": owner.client_id,
            "AZURE_CLIENT_SECRET": owner.client_secret,
        }
    ours.setdefault("AZURE_SUBSCRIPTION_ID", given.get("AZURE_SUBSCRIPTION_ID", owner.subscription_id))
    if given.get(VARIABLE, str(local.auth_file(where))) == str(local.auth_file(where)):
        ours[VARIABLE] = str(_auth_file(local.auth_file(where), folder))
    return {**given, **ours}


def _auth_file(hythes: Path, folder: Path) -> Path:
    """Write the owner's auth file as it would be on Azure: with Azure's addresses."""
    document = msgspec.json.decode(hythes.read_bytes(), type=dict[str, object]) | _AZURE
    path = folder / hythes.name
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))
    return path
