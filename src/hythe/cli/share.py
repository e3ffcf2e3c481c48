"""`hythe share`: look after the file shares that groups mount as azureFile volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import msgspec
from msgspec import Struct

from .asking import Showing, shows
from .output import Row
from .owner import ask_owner, data_dir_option

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


def _named(text: str) -> tuple[str, str]:
    account, slash, name = text.partition("/")
    if not account or not slash or not name or "/" in name:
        raise click.UsageError(f"'{text}' names no share: write ACCOUNT/SHARE.")
    return account, name


def account_key(account: str) -> str:
    """Give the key of a storage account of this machine's service."""
    return _key(None, account, renew=False)


def _key(data_dir: str | None, account: str, *, renew: bool) -> str:
    asked = {"account": account, "renew": renew}
    doing = f"give the key of storage account '{account}'"
    return msgspec.json.decode(ask_owner(data_dir, doing, "POST", "/hythe/share-keys", asked), type=_Key).key


def _shares(data_dir: str | None) -> list[_Share]:
    return msgspec.json.decode(ask_owner(data_dir, "list shares", "GET", "/hythe/shares"), type=_Listed).shares


def share_at(folder: str) -> str:
    """Name the share, ACCOUNT/SHARE, whose files are in a folder of this machine."""
    wanted = Path(folder).expanduser().resolve()
    for each in _shares(None):
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
@shows
@data_dir_option
@click.option("--quota-gb", type=float, default=0.0, metavar="GB", help="Most that the share may hold (default: all).")
@click.argument("name", metavar="ACCOUNT/SHARE")
def create(show: Showing, data_dir: str | None, quota_gb: float, name: str) -> None:
    """Make a share, with its storage account if there is none, and print the account's key."""
    account, named = _named(name)
    asked = {"account": account, "share": named, "quotaGb": quota_gb}
    answer = ask_owner(data_dir, f"make share '{name}'", "PUT", "/hythe/shares", asked)
    key = msgspec.json.decode(answer, type=_Key).key
    show.tell(key, {"account": account, "share": named, "key": key})


@share.command("key")
@shows
@data_dir_option
@click.option("--renew", is_flag=True, help="Make a new key first; the old one ends.")
@click.argument("account")
def key(show: Showing, data_dir: str | None, renew: bool, account: str) -> None:
    """Print the key of a storage account."""
    found = _key(data_dir, account, renew=renew)
    show.tell(found, {"account": account, "key": found})


@share.command("ls")
@shows
@data_dir_option
def ls(show: Showing, data_dir: str | None) -> None:
    """List shares: what they hold, their quota, and where they are."""
    show.show([msgspec.to_builtins(each) for each in _shares(data_dir)], _row)


def _row(share: dict[str, Any]) -> Row:
    return {
        "Name": f"{share['account']}/{share['share']}",
        "Used": f"{share['usedBytes'] / _GB:.3f} GB",
        "Quota": f"{share['quotaGb']:g} GB" if share["quotaGb"] else "",
        "Path": share["path"],
    }


@share.command("rm")
@data_dir_option
@click.argument("name", metavar="ACCOUNT/SHARE")
def rm(data_dir: str | None, name: str) -> None:
    """Remove a share and everything in it, unless a group mounts it."""
    account, named = _named(name)
    path = f"/hythe/shares?{urlencode({'account': account, 'share': named})}"
    ask_owner(data_dir, f"remove share '{name}'", "DELETE", path)


@share.command("cp")
@shows
@data_dir_option
@click.argument("source")
@click.argument("target")
def cp(show: Showing, data_dir: str | None, source: str, target: str) -> None:
    """Copy a file or a directory: one side is a path, the other ACCOUNT/SHARE:PATH.

    Links, sockets and devices are left out.
    """
    into = ":" in target
    if into == (":" in source):
        raise click.UsageError("one of the two must be ACCOUNT/SHARE:PATH, the other a path on this machine.")
    name, _, inside = (target if into else source).partition(":")
    account, named = _named(name)
    local = Path(source if into else target).absolute()
    asked = {
        "account": account, "share": named, "path": inside, "local": str(local), "into": into,
    }  # fmt: skip
    copied = msgspec.json.decode(
        ask_owner(data_dir, f"copy {source}", "POST", "/hythe/share-copies", asked), type=_Copied
    )
    left = f", {copied.left_out} links and other things left out" if copied.left_out else ""
    said = {"files": copied.files, "bytes": copied.bytes, "leftOut": copied.left_out}
    show.tell(f"{copied.files} files, {copied.bytes} bytes{left}", said)
