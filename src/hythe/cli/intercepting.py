"""What `hythe run-with` and `hythe env --intercept` share: a proxy for Azure's names, and variables that lead to it."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from ..client import local
from ..client.auth_file import VARIABLE, read_auth_file
from ..client.intercept import Proxy
from ..tickets import no_tickets
from .env import CA_VARIABLES

_AZURE = {
    "activeDirectoryEndpointUrl": "https://login.microsoftonline.com",
    "resourceManagerEndpointUrl": "https://management.azure.com/",
}
_LOCAL = "localhost,127.0.0.1,::1"


class Intercept(Struct):
    """What the service makes for one run: a certificate for Azure's names and the authority that vouches for it."""

    names: list[str]
    certificate: str
    key: str
    ca: str

    def __repr__(self) -> str:
        return f"Intercept(names={self.names!r}, key=***)"


@asynccontextmanager
async def intercepting(given: Mapping[str, str], where: Path, *, only: bool = False) -> AsyncIterator[dict[str, str]]:
    """Serve the proxy until the block ends, and give the variables that lead a program to it.  Raises `HytheError`."""
    service = local.read_local(where)
    answer = local.admin(service, where, "POST", "/hythe/intercept", doing="lead Azure's names to Hythe")
    made = msgspec.json.decode(answer, type=Intercept)
    with tempfile.TemporaryDirectory(prefix="hythe-run-") as name:
        folder = Path(name)
        proxy = Proxy(made.names, service.url, local.trust(where), only=only)
        async with proxy.serve(_server_context(made, folder), folder) as url:
            yield _variables(given, url, service, where, made, folder, only=only)


def _server_context(made: Intercept, folder: Path) -> ssl.SSLContext:
    """Make the context that speaks for Azure's names; the key is on disk only while it is read."""
    context = no_tickets(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    pair = folder / "pair.pem"
    pair.touch(mode=0o600)
    try:
        pair.write_text(made.certificate + made.key)
        context.load_cert_chain(pair)
    finally:
        pair.unlink()
    return context


def _variables(
    given: Mapping[str, str],
    proxy: str,
    service: local.LocalService,
    where: Path,
    made: Intercept,
    folder: Path,
    *,
    only: bool,
) -> dict[str, str]:
    """Give what differs from a program's environment: the proxy, whom to trust, and credentials that Hythe knows."""
    bundle = folder / "ca-bundle.pem"
    bundle.write_bytes(local.ca_bundle(where).read_bytes() + made.ca.encode())
    owner = read_auth_file(local.auth_file(where))
    direct = _LOCAL if only else direct_hosts(given.get("no_proxy") or given.get("NO_PROXY") or "", made.names)
    proxied = ("HTTPS_PROXY", "https_proxy", *(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy") if only else ()))
    ours = dict.fromkeys(proxied, proxy) | dict.fromkeys(("NO_PROXY", "no_proxy"), direct)
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
    return ours


def direct_hosts(given: str, names: Iterable[str]) -> str:
    """Give NO_PROXY without what would lead a program past the proxy to Azure itself; this machine stays direct."""
    kept = [entry for each in given.split(",") if (entry := each.strip()) and not any(_covers(entry, n) for n in names)]
    return ",".join([*kept, _LOCAL])


def _covers(entry: str, name: str) -> bool:
    """Tell whether an entry of NO_PROXY covers a host: programs take ``*``, whole names and the ends of names."""
    if entry == "*":
        return True
    suffix = entry.lower().partition(":")[0].lstrip("*").strip(".")
    return name == suffix or name.endswith(f".{suffix}")


def _auth_file(hythes: Path, folder: Path) -> Path:
    """Write the owner's auth file as it would be on Azure: with Azure's addresses."""
    document = msgspec.json.decode(hythes.read_bytes(), type=dict[str, object]) | _AZURE
    path = folder / hythes.name
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))
    return path


# --- beside a shell ---


@click.command("keep-intercepting", hidden=True)
@click.option("--data-dir", metavar="DIR", required=True)
@click.option("--only", is_flag=True)
@click.argument("pid", type=int)
def keep_intercepting(data_dir: str, only: bool, pid: int) -> None:
    """Serve the proxy until the process PID has ended; print the variables as one line of JSON when it is ready."""
    try:
        watched = os.pidfd_open(pid)
    except OSError as why:
        raise click.ClickException(f"cannot watch process {pid}: {why.strerror}.") from None
    asyncio.run(_keep(Path(data_dir), watched, only))


async def _keep(where: Path, watched: int, only: bool) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(watched, ended.set)  # readable once the process has ended
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    async with intercepting(os.environ, where, only=only) as variables:
        sys.stdout.write(msgspec.json.encode(variables).decode() + "\n")
        sys.stdout.flush()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):  # the shell that reads our words waits for their end
            os.dup2(nothing, stream)
        await ended.wait()
    loop.remove_reader(watched)
