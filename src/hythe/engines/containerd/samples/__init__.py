"""Makes the sample images, and the pause image, from Debian packages and a few files kept here.

Nothing is fetched from a container registry: pause, helloworld and sidecar need only programs that this machine has;
wordcount needs a Debian mirror.  ``python -m hythe.engines.containerd.samples FOLDER [NAME ...]`` makes them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..images import Alias
from .archive import files_below, write_archive
from .recipes import RECIPES, ROOTFS, CannotBuild

__all__ = ["ALIASES", "GIT", "NAMES", "PAUSE", "CannotBuild", "build", "build_all", "make"]

PAUSE = "hythe.local/pause:1"
GIT = "hythe.local/tools/git:1"
"""The image in which repositories are cloned; made when the first one is."""
NAMES = tuple(name for name in RECIPES if name != GIT)
"""Full names of the images that every installation has from its start."""

_STAND_INS = {
    "aci-helloworld": "hythe.local/samples/helloworld:1",
    "aci-tutorial-sidecar": "hythe.local/samples/sidecar:1",
    "aci-wordcount": "hythe.local/samples/wordcount:1",
}
ALIASES: dict[str, Alias] = {
    # The first three are gone from their registry for good.
    **{f"microsoft/{name}": Alias(image=image, always=True) for name, image in _STAND_INS.items()},
    **{f"mcr.microsoft.com/azuredocs/{name}": Alias(image=image, always=False) for name, image in _STAND_INS.items()},
}
"""What the samples stand for: always, or only where the original can't be pulled."""


def build(name: str, cache: Path) -> Path:
    """Give the archive of one image, made now unless the cache has it.  Raises `CannotBuild`."""
    archive = _archive(name, cache)
    if not archive.exists():
        # In a process of its own: what it takes would stay with a service that only needs the archive.
        command = [sys.executable, "-m", __name__, str(cache), name]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            why = made.stderr.strip().splitlines() or ["no reason given"]
            raise CannotBuild(why[-1])
    return archive


def make(name: str, cache: Path) -> Path:
    """Make one image in this process, put its archive into the cache and remove those it replaces.

    Raises `CannotBuild`.
    """
    archive = _archive(name, cache)
    layers, config = RECIPES[name].make()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        partial = Path(folder, archive.name)
        with partial.open("wb") as out:
            write_archive(out, name, [layer.layer() for layer in layers], config)
        os.replace(partial, archive)
    for old in cache.glob(f"{_stem(name)}-*.tar"):
        if old != archive:
            old.unlink(missing_ok=True)
    return archive


def build_all(cache: Path, say: Callable[[str], object] = lambda _: None) -> dict[str, Path]:
    """Give the archives of all images by name, calling ``say`` before each that has to be made."""
    built = {}
    for name in NAMES:
        if not _archive(name, cache).exists():
            say(f"Making the image {name} from Debian packages")
        built[name] = build(name, cache)
    return built


def _stem(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]


def _archive(name: str, cache: Path) -> Path:
    return cache / f"{_stem(name)}-{_key(name)}.tar"


def _key(name: str) -> str:
    """Digest all that an image is made from; another digest is another file in the cache."""
    recipe = RECIPES[name]
    digest = hashlib.sha256(f"{name} {platform.machine()} {_versions(recipe.packages)}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for path, content in files_below(ROOTFS / recipe.folder) if recipe.folder else ():
        digest.update(f"\0{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _versions(packages: tuple[str, ...]) -> str:
    """Give the installed versions; empty on a machine that is not Debian's or lacks them."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        query = ["dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *packages]
        return subprocess.run(query, capture_output=True, text=True, check=False, timeout=30).stdout
    return ""
