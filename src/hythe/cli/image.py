"""`hythe image`: look after the images of a service."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec
from msgspec import Struct

from .asking import Showing, shows
from .output import Row
from .owner import ask_owner, data_dir_option


class _Image(Struct):
    name: str
    size: int


class _Listed(Struct):
    images: list[_Image]
    aliases: dict[str, str]


class _Imported(Struct):
    images: list[str]


@click.group()
def image() -> None:
    """Import, list, remove and name images."""


@image.command("ls")
@shows
@data_dir_option
def ls(show: Showing, data_dir: str | None) -> None:
    """List images with their sizes, and what stands for what."""
    listed = msgspec.json.decode(ask_owner(data_dir, "list images", "GET", "/hythe/images"), type=_Listed)
    images = [{"name": each.name, "sizeBytes": each.size, "standsFor": None} for each in listed.images]
    aliases = [
        {"name": name, "sizeBytes": None, "standsFor": target} for name, target in sorted(listed.aliases.items())
    ]
    show.show([*images, *aliases], _row)


def _row(image: dict[str, Any]) -> Row:
    size = image["sizeBytes"]
    return {
        "Name": image["name"],
        "Size": "" if size is None else f"{size / 1e6:.1f} MB",
        "StandsFor": image["standsFor"],
    }


@image.command("import")
@shows
@data_dir_option
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(show: Showing, data_dir: str | None, archive: Path) -> None:
    """Import an archive as `docker save` or an OCI tool writes it, and print the names of its images."""
    asked = {"path": str(archive.resolve())}
    answer = ask_owner(data_dir, f"import {archive}", "PUT", "/hythe/images", asked)
    names = msgspec.json.decode(answer, type=_Imported).images
    show.tell("\n".join(names), [{"name": name} for name in names])


@image.command("rm")
@data_dir_option
@click.argument("name")
def rm(data_dir: str | None, name: str) -> None:
    """Remove an image."""
    ask_owner(data_dir, f"remove image '{name}'", "DELETE", f"/hythe/images?name={quote(name, safe='')}")


@image.command("alias")
@data_dir_option
@click.argument("name")
@click.argument("target", required=False)
def alias(data_dir: str | None, name: str, target: str | None) -> None:
    """Let the image TARGET stand for NAME; without TARGET, end that."""
    asked = {"name": name, "image": target}
    ask_owner(data_dir, f"set what stands for '{name}'", "PUT", "/hythe/image-aliases", asked)
