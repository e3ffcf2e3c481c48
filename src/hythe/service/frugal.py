"""Keeps the process small; to be called before threads are started and gRPC is loaded."""

from __future__ import annotations

import ctypes
import os

# From glibc's <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_ARENA_MAX = -8
_KEPT = 64 << 10


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
