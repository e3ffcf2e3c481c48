"""Work in a namespace, in a thread that outlives whoever waits for it.  No namespace is entered."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from pathlib import Path

import pytest

from hythe.engines.containerd import netns


async def test_a_namespace_is_not_closed_under_the_thread_that_works_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, entered = threading.Event(), asyncio.Queue[str]()
    loop = asyncio.get_running_loop()
    made = socket.socket()

    def enter(namespace: int) -> None:
        go_on.wait(5)
        loop.call_soon_threadsafe(entered.put_nowait, os.readlink(f"/proc/self/fd/{namespace}"))

    monkeypatch.setattr(netns, "enter", enter)
    before = {*os.listdir("/proc/self/fd")}
    (tmp_path / "asked").touch()
    namespace = os.open(tmp_path / "asked", os.O_RDONLY)
    waiting = asyncio.create_task(netns.work_in(namespace, lambda: made))
    await asyncio.sleep(0.01)
    waiting.cancel()
    os.close(namespace)
    another = os.open(tmp_path, os.O_RDONLY)  # has the number of the one that was closed
    go_on.set()

    assert await asyncio.wait_for(entered.get(), 5) == str(tmp_path / "asked")
    await asyncio.sleep(0.05)
    assert made.fileno() == -1, "nobody took what was made"
    os.close(another)
    assert len({*os.listdir("/proc/self/fd")}) < len(before)
