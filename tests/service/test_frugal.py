"""What the process asks of the kernel for itself."""

from __future__ import annotations

import resource
import subprocess
import sys

from hythe.service.frugal import many_files

HOLES = """
from pathlib import Path
from hythe.service.frugal import frugal, give_back
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
frugal()
blocks = [bytes(30_000) for _ in range(2_000)]
blocks[:-1] = [None] * (len(blocks) - 1)  # the last one holds the end of the heap
before = resident()
give_back()
print(before - resident())
"""


def test_as_many_files_may_be_open_as_the_machine_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 1 << 20 if hard == resource.RLIM_INFINITY else min(hard, 1 << 20)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 512), hard))
        many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard)
        many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_is_free_between_pieces_in_use_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 30 << 20
