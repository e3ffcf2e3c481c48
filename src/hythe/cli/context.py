"""`hythe context`: several services and Azure, by name.  No secret is kept here, only where one is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec import Struct

from . import completing
from .asking import Showing, shows
from .exits import NOT_FOUND, UNREACHABLE, Said
from .output import Row

if TYPE_CHECKING:
    from ..client._sync.container_instances import ContainerInstanceManagementClient


class Context(Struct, omit_defaults=True, kw_only=True):
    """A service: what to connect to, and what is usual there."""

    to: str
    """local, a cloud of Azure, the path of an auth file, or an address."""
    data_dir: str | None = None
    """Of a local service."""
    subscription: str | None = None
    resource_group: str | None = None


class _Book(Struct, omit_defaults=True, kw_only=True):
    current: str = "local"
    contexts: dict[str, Context] = {}


_SIGN_IN = (
    "Install az and run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and "
    "AZURE_SUBSCRIPTION_ID."
)
_BUILT_IN = {"azure": Context(to="azure"), "local": Context(to="local")}


def _file() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "hythe" / "contexts.json"


def _read() -> _Book:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=_Book)
    except FileNotFoundError:
        return _Book()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Said(f"cannot read {_file()}: {why}. Mend it, or remove it to begin anew.") from None


def _write(book: _Book) -> None:
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.write_bytes(msgspec.json.format(msgspec.json.encode(book), indent=2))
        new.replace(path)
    except OSError as why:
        raise Said(f"cannot write {path}: {why.strerror}. Choose another folder by XDG_CONFIG_HOME.") from None


def known() -> list[str]:
    """Name the contexts."""
    return sorted(_BUILT_IN | _read().contexts)


def _named(book: _Book, name: str) -> Context:
    found = (_BUILT_IN | book.contexts).get(name)
    if found is None:
        raise Said(f"there is no context '{name}'. `hythe context list` shows them, `add` makes one.", NOT_FOUND)
    return found


def _chosen(cloud: str | None, name: str | None) -> Context:
    if cloud is not None:
        return Context(to=cloud)
    book = _read()
    return _named(book, name or book.current)


def usual_group(cloud: str | None, name: str | None) -> str:
    """Name the resource group of commands that name none."""
    from ..client._sync.container_instances import DEFAULT_RESOURCE_GROUP

    return _chosen(cloud, name).resource_group or DEFAULT_RESOURCE_GROUP


def connect(cloud: str | None, name: str | None, subscription: str | None) -> ContainerInstanceManagementClient:
    """Open the service that the options or the current context name: that of this machine unless they do.

    Azure is never chosen because nothing else is there: what is made there costs money.
    """
    from .. import connect as open_client
    from ..client import local
    from ..client._sync.transport import HttpTransport
    from ..client.trust import Trust
    from ..errors import ConnectionFailed, CredentialError, HytheError, ServiceError

    chosen = _chosen(cloud, name)
    wanted = subscription or chosen.subscription
    try:
        if chosen.to != "local":
            return open_client(chosen.to, subscription_id=wanted)
        where = local.data_dir(chosen.data_dir)
        transport = HttpTransport(trust=Trust(loopback_ca=str(local.ca(where)), only=True))
        return open_client("local", data_dir=where, subscription_id=wanted, transport=transport)
    except CredentialError as why:
        if str(why).endswith("."):  # it says what to do
            raise
        raise Said(f"{why}. {_SIGN_IN}", UNREACHABLE) from why
    except (ServiceError, ConnectionFailed):
        raise
    except HytheError as why:  # there is no local service, or it does not run
        raise Said(f"{why} Or choose another by --cloud azure or `hythe context use`.", UNREACHABLE) from why


@click.group()
def context() -> None:
    """Choose among several services and Azure."""


@context.command("list")
@shows
def list_(show: Showing) -> None:
    """List the contexts; * marks the current one."""
    book = _read()
    rows = [
        {
            "current": "*" if name == book.current else "", "name": name, "to": each.to,
            "resourceGroup": each.resource_group or "", "subscription": each.subscription or "",
            "dataDir": each.data_dir or "",
        }
        for name, each in sorted((_BUILT_IN | book.contexts).items())
    ]  # fmt: skip
    show.show(rows, _row)


def _row(context: dict[str, str]) -> Row:
    return {name[:1].upper() + name[1:]: text for name, text in context.items()}


@context.command("show")
@shows
@click.option("--context", "name", metavar="NAME", envvar="HYTHE_CONTEXT", help="Another than the current one.",
              shell_complete=completing.contexts)  # fmt: skip
def show(show: Showing, name: str | None) -> None:
    """Say which service commands ask, and how it was found."""
    with connect(None, name, None) as client:
        session = client._session
        found = {"url": session.base_url, "subscription": session.subscription_id, "found": client.connected_to}
        show.tell(client.connected_to, found)


@context.command("use")
@click.argument("name", shell_complete=completing.contexts)
def use(name: str) -> None:
    """Let commands ask this service from now on."""
    book = _read()
    _named(book, name)
    book.current = name
    _write(book)
    click.echo(f"Commands ask '{name}' from now on.")


@context.command("add")
@click.argument("name")
@click.argument("to", metavar="TO")
@click.option("--data-dir", metavar="DIR", help="Of a local service that is not in the usual place.")
@click.option("--subscription", metavar="ID", help="The subscription to use there.")
@click.option("-g", "--resource-group", metavar="NAME", help="The resource group of commands that name none.")
def add(name: str, to: str, data_dir: str | None, subscription: str | None, resource_group: str | None) -> None:
    """Name a service: TO is local, azure, china, us_government, an auth file, or an https address."""
    if data_dir is not None and to != "local":
        raise click.UsageError("--data-dir is for TO = local only.")
    if data_dir is not None:
        data_dir = str(Path(data_dir).expanduser().absolute())
    if "://" not in to and Path(to).expanduser().is_file():
        to = str(Path(to).expanduser().absolute())
    book = _read()
    book.contexts[name] = Context(to=to, data_dir=data_dir, subscription=subscription, resource_group=resource_group)
    _write(book)


@context.command("remove")
@click.argument("name", shell_complete=completing.contexts)
def remove(name: str) -> None:
    """Forget a context; what runs there goes on."""
    book = _read()
    if name not in book.contexts:
        _named(book, name)
        raise Said(f"'{name}' is always there and can't be removed.")
    del book.contexts[name]
    if book.current == name:
        book.current = "local"
    _write(book)
