"""Makes images into a folder, all unless some are named, and prints the paths of the archives."""

from __future__ import annotations

import sys
from pathlib import Path

from . import NAMES, CannotBuild, make
from .recipes import RECIPES


def main(folder: str = "", *names: str) -> int:
    """Make and print."""
    if not folder or not set(names) <= set(RECIPES):
        print(f"usage: python -m {__package__} FOLDER [NAME ...], names: {', '.join(RECIPES)}", file=sys.stderr)
        return 2
    try:
        for name in names or NAMES:
            print(make(name, Path(folder)), flush=True)
    except (CannotBuild, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
