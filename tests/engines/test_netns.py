"""Work in a namespace, in a thread that outlives whoever waits for it.  No namespace is entered."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from pathlib import Path

import pytest

from hythe.engines.containerd import netns


def opened() -> set[str]:
    """Give the paths of the files that this process has open."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(each.readlink()))
    return found


async def test_a_namespace_is_not_closed_under_the_thread_that_works_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, entered = threading.Event(), asyncio.Queue[str]()
    loop = asyncio.get_running_loop()
    made = socket.socket()

    def enter(namespace: int) -> None:
        go_on.wait(30)
        loop.call_soon_threadsafe(entered.put_nowait, os.readlink(f"/proc/self/fd/{namespace}"))

    monkeypatch.setattr(netns, "enter", enter)
    (tmp_path / "asked").touch()
    namespace = os.open(tmp_path / "asked", os.O_RDONLY)
    waiting = asyncio.create_task(netns.work_in(namespace, lambda: made))
    await asyncio.sleep(0.01)
    waiting.cancel()
    os.close(namespace)
    another = os.open(tmp_path, os.O_RDONLY)  # has the number of the one that was closed
    go_on.set()

    assert await asyncio.wait_for(entered.get(), 30) == str(tmp_path / "asked")
    async with asyncio.timeout(30):
        while made.fileno() != -1 or str(tmp_path / "asked") in opened():
            await asyncio.sleep(0.01)  # nobody took what was made
    os.close(another)
