"""`hythe subscription`: look after subscriptions, which keep resource groups apart."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click
import msgspec
from msgspec import Struct

from .asking import Showing, shows
from .output import Row
from .owner import ask_owner, data_dir_option


class _Subscription(Struct, rename="camel"):
    subscription_id: str
    display_name: str


class _Listed(Struct):
    value: list[_Subscription]


@click.group()
def subscription() -> None:
    """Make, list and remove subscriptions."""


@subscription.command("create")
@shows
@data_dir_option
@click.option("--id", "identity", metavar="GUID", default="", help="Its id (default: a new one).")
@click.argument("name")
def create(show: Showing, data_dir: str | None, identity: str, name: str) -> None:
    """Make the subscription NAME and print its id."""
    asked = {"displayName": name, "subscriptionId": identity}
    answer = ask_owner(data_dir, f"make subscription '{name}'", "POST", "/hythe/subscriptions", asked)
    made = msgspec.json.decode(answer, type=_Subscription)
    show.tell(made.subscription_id, msgspec.to_builtins(made))


@subscription.command("ls")
@shows
@data_dir_option
def ls(show: Showing, data_dir: str | None) -> None:
    """List subscriptions; auth files name the first unless told otherwise."""
    answer = ask_owner(data_dir, "list subscriptions", "GET", "/subscriptions?api-version=2022-12-01")
    listed = msgspec.json.decode(answer, type=_Listed)
    show.show([msgspec.to_builtins(each) for each in listed.value], _row)


def _row(subscription: dict[str, Any]) -> Row:
    return {"Id": subscription["subscriptionId"], "Name": subscription["displayName"]}


@subscription.command("rm")
@data_dir_option
@click.argument("identity", metavar="ID")
def rm(data_dir: str | None, identity: str) -> None:
    """Remove a subscription that has no resource groups."""
    path = f"/hythe/subscriptions/{quote(identity, safe='')}"
    ask_owner(data_dir, f"remove subscription '{identity}'", "DELETE", path)
