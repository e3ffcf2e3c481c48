"""`hythe sp`: look after service principals, the identities that programs sign in with."""

from __future__ import annotations

import click
import msgspec
from msgspec import Struct

from .asking import Showing, shows
from .owner import ask_owner, data_dir_option


class _Made(Struct, rename="camel"):
    """The members of an auth file that az prints without --sdk-auth."""

    client_id: str
    client_secret: str
    tenant_id: str

    def __repr__(self) -> str:
        return f"_Made(client_id={self.client_id!r}, client_secret=***)"


@click.group()
def sp() -> None:
    """Make service principals for programs to sign in with."""


@sp.command("create")
@shows
@click.option("--sdk-auth", is_flag=True, help="Print an auth file, for AZURE_AUTH_LOCATION.")
@click.option("--name", default="hythe-sp", show_default=True, help="Name to show people.")
@click.option("--subscription", metavar="ID", help="Subscription that the auth file names (default: the first).")
@click.option(
    "--role", default="Contributor", show_default=True, metavar="ROLE",
    help='What it may do: Owner, Contributor, Reader, "Azure Container Instances Contributor Role"; "" for nothing.',
)
@click.option(
    "--scopes", multiple=True, metavar="ID",
    help="What the role is for, as often as needed: the id of a subscription, resource group or resource (default: the "
    "subscription).",
)
@data_dir_option
def create(
    show: Showing, sdk_auth: bool, name: str, subscription: str | None, role: str, scopes: tuple[str, ...],
    data_dir: str | None,
) -> None:  # fmt: skip
    """Make a service principal with a role and print it; its secret can't be shown again."""
    asked: dict[str, str | list[str]] = {"displayName": name, "role": role}
    asked["scopes"] = [scope for each in scopes for scope in each.split()]  # az takes several in one option
    if subscription:
        asked["subscriptionId"] = subscription
    answer = ask_owner(data_dir, "make a service principal", "POST", "/hythe/service-principals", asked)
    try:
        made = msgspec.json.decode(answer, type=_Made)
    except msgspec.DecodeError:
        raise click.ClickException(
            "cannot make a service principal: the service's answer can't be read. Update hythe and the service."
        ) from None
    if not sdk_auth:
        answer = msgspec.json.encode(
            {"appId": made.client_id, "displayName": name, "password": made.client_secret, "tenant": made.tenant_id}
        )
    show.tell(msgspec.json.format(answer, indent=2).decode(), msgspec.json.decode(answer))
