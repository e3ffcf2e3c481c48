"""`hythe subscription`: look after subscriptions, which keep resource groups apart."""

from __future__ import annotations

from urllib.parse import quote

import click
import msgspec
from msgspec import Struct

from ..client import local
from ..errors import HytheError

_data_dir = click.option("--data-dir", metavar="DIR", help="The service's data dir (default: HYTHE_HOME).")


class _Subscription(Struct, rename="camel"):
    subscription_id: str
    display_name: str


class _Listed(Struct):
    value: list[_Subscription]


def _ask(data_dir: str | None, method: str, path: str, body: dict[str, str] | None = None) -> bytes:
    where = local.data_dir(data_dir)
    try:
        encoded = msgspec.json.encode(body) if body is not None else None
        return local.admin(local.read_local(where), where, method, path, encoded)
    except HytheError as error:
        raise click.ClickException(str(error)) from None


@click.group()
def subscription() -> None:
    """Make, list and remove subscriptions."""


@subscription.command("create")
@_data_dir
@click.option("--id", "identity", metavar="GUID", default="", help="Its id (default: a new one).")
@click.argument("name")
def create(data_dir: str | None, identity: str, name: str) -> None:
    """Make the subscription NAME and print its id."""
    answer = _ask(data_dir, "POST", "/hythe/subscriptions", {"displayName": name, "subscriptionId": identity})
    click.echo(msgspec.json.decode(answer, type=_Subscription).subscription_id)


@subscription.command("ls")
@_data_dir
def ls(data_dir: str | None) -> None:
    """List subscriptions; auth files name the first unless told otherwise."""
    listed = msgspec.json.decode(_ask(data_dir, "GET", "/subscriptions?api-version=2022-12-01"), type=_Listed)
    for each in listed.value:
        click.echo(f"{each.subscription_id}  {each.display_name}")


@subscription.command("rm")
@_data_dir
@click.argument("identity", metavar="ID")
def rm(data_dir: str | None, identity: str) -> None:
    """Remove a subscription that has no resource groups."""
    _ask(data_dir, "DELETE", f"/hythe/subscriptions/{quote(identity, safe='')}")
