"""Usage: python -m tests.soak [CYCLES, default 2000]."""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.free_ports import free_port
from tests.real.conftest import Running, wait_for, web

from . import cycles

CROWD = 300
SETTINGS = """\
[engine]
pool = 0
[gateway]
port = 0
[service.quotas]
groups = 400
cores = 400
"""
WARMING = 500
REST = 150
"""Seconds of nothing before memory is measured: Go collects what is not used any more every two minutes."""


def crowd(service: Running) -> None:
    """Create many groups at once, and delete them: all run, none was restarted, nothing is left."""
    folder = service.folder("crowd")
    names = [f"g{number}" for number in range(CROWD)]
    begun = time.monotonic()
    with ThreadPoolExecutor(CROWD) as threads:
        made = [
            *threads.map(lambda name: service.aci.container_groups.begin_create_or_update(folder, name, web()), names)
        ]
        for poller in made:
            poller.result()
    views = [service.aci.container_groups.get(folder, name) for name in names]
    assert {one.instance_view.state for one in views} == {"Running"}
    assert {one.containers[0].instance_view.restart_count for one in views} == {0}
    ran = time.monotonic()
    service.resources.resource_groups.begin_delete(folder).result()
    wait_for(lambda: not service.ctr("containers", "ls", "-q"), 120)
    print(f"{CROWD} groups at once ran in {ran - begun:.1f} s and were gone in {time.monotonic() - ran:.1f} s more")


def main() -> int:
    """Soak an installation of its own; 1 if anything grew."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as folder:
        service = Running(Path(folder) / "data", free_port(), SETTINGS)
        service.up()
        try:
            crowd(service)
            begun = time.monotonic()
            # Caches are full then: SQLite's pages, the paths that were asked for.
            before, after = cycles(service, count, warming=min(WARMING, count), rest=REST)
            print(f"{count} cycles, and those before, in {time.monotonic() - begun:.0f} s")
        finally:
            service.down("--purge")
    grown = after.grown(before)
    for name in before.__struct_fields__:
        print(f"  {name:18} {getattr(before, name):>8} -> {getattr(after, name):>8} {'GREW' if name in grown else ''}")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
