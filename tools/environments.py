"""Keep an environment of its own for each list of packages that Hythe is compared with, below `.cache/clients`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def environment(pins: Path) -> Path:
    """Give the Python of an environment with these packages; it is made once and kept for the next time."""
    name = f"{pins.stem}-{hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]}"
    folder = ROOT / ".cache" / "clients" / name
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True, symlinks=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", pins], check=True, timeout=300)
        ready.touch()
    return python
