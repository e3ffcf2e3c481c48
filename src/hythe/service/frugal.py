"""Fits the process to its work: small, and with as many open files as groups need.

To be called before threads are started and gRPC is loaded.
"""

from __future__ import annotations

import ctypes
import os
import resource

# From glibc's <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_ARENA_MAX = -8
_KEPT = 64 << 10
_FILES = 1 << 20
"""As in the systemd unit; more than that makes programs slow that close whatever might be open."""


def frugal() -> None:
    """Let the allocator use one arena and give free memory back: 80 instead of 97 MB after a few hundred requests.

    gRPC's fork handlers go too: they only guard children that go on without exec, which there are none of, and each
    child that is started would make them write a line.
    """
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)


def give_back() -> None:
    """Give the system what is free between pieces that are in use: 5 MB after a log of 30 MB was followed."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def many_files() -> None:
    """Let the process open as many files as it may, up to 2**20: each group costs descriptors, the usual limit is 1024.

    What it starts has the same limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
