"""Builds all images into a folder and prints ``name<TAB>archive`` for each."""

from __future__ import annotations

import sys
from pathlib import Path

from . import CannotBuild, build_all


def main() -> int:
    """Build and print."""
    if len(sys.argv) != 2:
        print("usage: python -m hythe.engines.containerd.samples FOLDER", file=sys.stderr)
        return 2
    try:
        for name, archive in build_all(Path(sys.argv[1]), lambda line: print(line, file=sys.stderr)).items():
            print(name, archive, sep="\t")
    except CannotBuild as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
