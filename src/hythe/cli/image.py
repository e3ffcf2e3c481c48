"""`hythe image`: look after the images of a service."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click
import msgspec
from msgspec import Struct

from ..client.local import admin, read_local
from ..client.local import data_dir as resolve_data_dir

_data_dir = click.option("--data-dir", metavar="DIR", help="The service's data dir (default: HYTHE_HOME).")


class _Image(Struct):
    name: str
    size: int


class _Listed(Struct):
    images: list[_Image]
    aliases: dict[str, str]


class _Imported(Struct):
    images: list[str]


def _ask(data_dir: str | None, method: str, path: str, body: dict[str, str | None] | None = None) -> bytes:
    where = resolve_data_dir(data_dir)
    encoded = msgspec.json.encode(body) if body is not None else None
    return admin(read_local(where), where, method, path, encoded)


@click.group()
def image() -> None:
    """Import, list, remove and name images."""


@image.command("ls")
@_data_dir
def ls(data_dir: str | None) -> None:
    """List images with their sizes, and what stands for what."""
    listed = msgspec.json.decode(_ask(data_dir, "GET", "/hythe/images"), type=_Listed)
    for each in listed.images:
        click.echo(f"{each.name:<60} {each.size / 1e6:8.1f} MB")
    for name, target in sorted(listed.aliases.items()):
        click.echo(f"{name:<60} -> {target}")


@image.command("import")
@_data_dir
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(data_dir: str | None, archive: Path) -> None:
    """Import an archive as `docker save` or an OCI tool writes it."""
    answer = _ask(data_dir, "PUT", "/hythe/images", {"path": str(archive.resolve())})
    for name in msgspec.json.decode(answer, type=_Imported).images:
        click.echo(name)


@image.command("rm")
@_data_dir
@click.argument("name")
def rm(data_dir: str | None, name: str) -> None:
    """Remove an image."""
    _ask(data_dir, "DELETE", f"/hythe/images?name={quote(name, safe='')}")


@image.command("alias")
@_data_dir
@click.argument("name")
@click.argument("target", required=False)
def alias(data_dir: str | None, name: str, target: str | None) -> None:
    """Let the image TARGET stand for NAME; without TARGET, end that."""
    _ask(data_dir, "PUT", "/hythe/image-aliases", {"name": name, "image": target})
