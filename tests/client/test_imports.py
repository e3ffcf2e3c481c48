"""Tests what importing costs and what the package offers."""

from __future__ import annotations

import subprocess
import sys

import hythe
from hythe import aio

_PROGRAM = """
import sys, time
start = time.perf_counter()
from hythe import ContainerInstanceManagementClient
from hythe.models import ContainerGroup
took = time.perf_counter() - start
loud = {"httpx2", "httpcore2", "requests", "asyncio", "click", "rich"} & set(sys.modules)
print(took, *loud)
"""


def test_importing_is_quick_and_loads_no_http_library() -> None:
    command = [sys.executable, "-c", _PROGRAM]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(5)]
    seconds, *loud = min(runs, key=lambda words: float(words[0]))
    assert loud == []
    assert float(seconds) < 0.10


def test_every_public_name_is_there() -> None:
    assert hythe.__all__ == sorted(hythe.__all__)
    for name in hythe.__all__:
        assert getattr(hythe, name) is not None
    assert dir(hythe) == sorted(hythe.__all__)
    assert not hasattr(hythe, "nothing")


def test_the_asynchronous_names_are_the_same() -> None:
    both = set(hythe.__all__) & set(aio.__all__)
    assert {"ContainerInstanceManagementClient", "ResourceManagementClient", "LROPoller"} <= both
    for name in both - {"get_client_from_auth_file", "clouds"}:
        assert getattr(hythe, name).__name__ == getattr(aio, name).__name__
        assert getattr(hythe, name) is not getattr(aio, name)
