"""`hythe share`: look after the file shares that groups mount as azureFile volumes."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import click
import msgspec
from msgspec import Struct

from ..client.local import admin, read_local
from ..client.local import data_dir as resolve_data_dir
from ..errors import HytheError

_data_dir = click.option("--data-dir", metavar="DIR", help="The service's data dir (default: HYTHE_HOME).")
_GB = 1 << 30


class _Key(Struct):
    key: str

    def __repr__(self) -> str:
        return "_Key(***)"


class _Share(Struct, rename="camel"):
    account: str
    share: str
    path: str
    quota_gb: float
    used_bytes: int


class _Listed(Struct):
    shares: list[_Share]


class _Copied(Struct):
    files: int
    bytes: int
    left_out: int


def _ask(data_dir: str | None, method: str, path: str, body: dict[str, object] | None = None) -> bytes:
    where = resolve_data_dir(data_dir)
    encoded = msgspec.json.encode(body) if body is not None else None
    try:
        return admin(read_local(where), where, method, path, encoded)
    except HytheError as error:
        raise click.ClickException(str(error)) from None


def _named(text: str) -> tuple[str, str]:
    account, slash, name = text.partition("/")
    if not account or not slash or not name or "/" in name:
        raise click.UsageError(f"'{text}' names no share: write ACCOUNT/SHARE.")
    return account, name


def account_key(account: str) -> str:
    """Give the key of a storage account of this machine's service."""
    asked: dict[str, object] = {"account": account, "renew": False}
    return msgspec.json.decode(_ask(None, "POST", "/hythe/share-keys", asked), type=_Key).key


def share_at(folder: str) -> str:
    """Name the share, ACCOUNT/SHARE, whose files are in a folder of this machine."""
    wanted = Path(folder).expanduser().resolve()
    for each in msgspec.json.decode(_ask(None, "GET", "/hythe/shares"), type=_Listed).shares:
        if Path(each.path).resolve() == wanted:
            return f"{each.account}/{each.share}"
    raise click.ClickException(
        f"{wanted} is no share: name it below [[shares]] in hythe.toml, or make a share with `hythe share create` and "
        "fill it with `hythe share cp`."
    )


@click.group()
def share() -> None:
    """Create, list, remove and fill file shares."""


@share.command("create")
@_data_dir
@click.option("--quota-gb", type=float, default=0.0, metavar="GB", help="Most that the share may hold (default: all).")
@click.argument("name", metavar="ACCOUNT/SHARE")
def create(data_dir: str | None, quota_gb: float, name: str) -> None:
    """Make a share, with its storage account if there is none, and print the account's key."""
    account, named = _named(name)
    asked: dict[str, object] = {"account": account, "share": named, "quotaGb": quota_gb}
    click.echo(msgspec.json.decode(_ask(data_dir, "PUT", "/hythe/shares", asked), type=_Key).key)


@share.command("key")
@_data_dir
@click.option("--renew", is_flag=True, help="Make a new key first; the old one ends.")
@click.argument("account")
def key(data_dir: str | None, renew: bool, account: str) -> None:
    """Print the key of a storage account."""
    asked: dict[str, object] = {"account": account, "renew": renew}
    click.echo(msgspec.json.decode(_ask(data_dir, "POST", "/hythe/share-keys", asked), type=_Key).key)


@share.command("ls")
@_data_dir
def ls(data_dir: str | None) -> None:
    """List shares: what they hold, their quota, and where they are."""
    for each in msgspec.json.decode(_ask(data_dir, "GET", "/hythe/shares"), type=_Listed).shares:
        quota = f"of {each.quota_gb:g} GB" if each.quota_gb else ""
        name = f"{each.account}/{each.share}"
        click.echo(f"{name:<40} {each.used_bytes / _GB:10.3f} GB {quota:<12} {each.path}")


@share.command("rm")
@_data_dir
@click.argument("name", metavar="ACCOUNT/SHARE")
def rm(data_dir: str | None, name: str) -> None:
    """Remove a share and everything in it, unless a group mounts it."""
    account, named = _named(name)
    _ask(data_dir, "DELETE", f"/hythe/shares?{urlencode({'account': account, 'share': named})}")


@share.command("cp")
@_data_dir
@click.argument("source")
@click.argument("target")
def cp(data_dir: str | None, source: str, target: str) -> None:
    """Copy a file or a directory: one side is a path, the other ACCOUNT/SHARE:PATH.

    Links, sockets and devices are left out.
    """
    into = ":" in target
    if into == (":" in source):
        raise click.UsageError("one of the two must be ACCOUNT/SHARE:PATH, the other a path on this machine.")
    name, _, inside = (target if into else source).partition(":")
    account, named = _named(name)
    local = Path(source if into else target).absolute()
    asked: dict[str, object] = {
        "account": account, "share": named, "path": inside, "local": str(local), "into": into,
    }  # fmt: skip
    copied = msgspec.json.decode(_ask(data_dir, "POST", "/hythe/share-copies", asked), type=_Copied)
    left = f", {copied.left_out} links and other things left out" if copied.left_out else ""
    click.echo(f"{copied.files} files, {copied.bytes} bytes{left}")
