"""`make bench`: measure, print a table, write `.cache/bench.json`.

python -m bench [create] [life] [streams] [sandboxes] [import] [list] [az] [reads] [gets] [rest] [metrics] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from . import create, gets, imports, life, listing, lists, metrics, reads, rest, sandboxes, streams
from .rivals import ROOT, Service

PARTS = {
    "create": create.measure,
    "life": life.measure,
    "streams": streams.measure,
    "sandboxes": sandboxes.measure,
    "import": imports.measure,
    "list": lists.measure,
    "az": listing.measure,
    "reads": reads.measure,
    "gets": gets.measure,
    "rest": rest.measure,
    "metrics": metrics.measure,
}


def main() -> int:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"any of: {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=25, help="how often each figure is taken (default: 25)")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        print("cannot measure containers: that needs root", file=sys.stderr)
        return 1
    results: dict[str, Any] = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": f"{os.cpu_count()} CPUs, Linux {platform.release()}, Python {platform.python_version()}",
        "rounds": asked.rounds,
        "figures": [],
    }
    with Service() as service:
        for name in asked.parts:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            results["figures"] += PARTS[name](service, asked.rounds)
    show(results)
    path = ROOT / ".cache" / "bench.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nwritten: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return 0


def show(results: dict[str, Any]) -> None:
    """Print all figures as a table."""
    print(f"{results['machine']}; medians of {results['rounds']}, taken in turn\n")
    for each in results["figures"]:
        limit = ""
        if "limit" in each:
            limit = f"  limit {each['limit']:g}: {'holds' if each['value'] <= each['limit'] else 'MISSED'}"
        if "at_least" in each:
            limit = f"  at least {each['at_least']:g}: {'holds' if each['value'] >= each['at_least'] else 'MISSED'}"
        spread = f"  ({each['least']:g} to {each['most']:g})" if "least" in each else ""
        print(f"{each['what']:<74} {each['value']:>8g} {each['unit']:<5}{spread}{limit}")


if __name__ == "__main__":
    raise SystemExit(main())
