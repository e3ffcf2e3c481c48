"""`hythe env`: say how programs reach the service of this machine."""

from __future__ import annotations

import shlex

import click
import msgspec

from ..client import local
from ..client.auth_file import read_auth_file
from ..errors import HytheError

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "WEBSOCKET_CLIENT_CA_BUNDLE")
"""Who reads which: Python's requests; OpenSSL, aiohttp and Go; Node; `az container exec`."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the client's secret and more.")
@click.option("--data-dir", metavar="DIR", help="The service's data dir (default: HYTHE_HOME).")
def env(as_json: bool, data_dir: str | None) -> None:
    """Print the shell exports that clients need: eval "$(hythe env)"."""
    where = local.data_dir(data_dir)
    try:
        service = local.read_local(where)
        variables = {"AZURE_AUTH_LOCATION": str(local.auth_file(where))}
        variables |= dict.fromkeys(CA_VARIABLES, str(local.ca_bundle(where)))
        variables["HYTHE_URL"] = service.url
        if not as_json:
            for name, value in variables.items():
                click.echo(f"export {name}={shlex.quote(value)}")
            return
        owner = read_auth_file(local.auth_file(where))
    except HytheError as error:
        raise click.ClickException(str(error)) from None
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
