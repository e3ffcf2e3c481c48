"""The output of a process in a container, whose task is pretended."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from hythe.engines.containerd.exec import ContainerdProcess


class Task:
    """Ends at once; what it wrote is handed on later, or never."""

    def __init__(self, *, handed_on_after: float | None) -> None:
        self.after = handed_on_after

    async def create(self, _: object, *, stdin: str, stdout: str, stderr: str) -> None:
        """Open the outputs, as a shim does."""
        self.files = [Path(each).open("wb", buffering=0) for each in (stdout, stderr)]  # noqa: SIM115 - closed later

    async def start(self) -> None:
        """Have the output come."""
        self.files[0].write(b"soon ")
        if self.after is not None:
            asyncio.get_running_loop().call_later(self.after, self.hand_on)

    def hand_on(self) -> None:
        """Give the last of the output, and its end."""
        self.files[0].write(b"late")
        for each in self.files:
            each.close()

    async def wait(self) -> int:
        """Be over."""
        return 0

    async def delete(self) -> None:
        """Do nothing."""


async def said(task: Task, folder: Path) -> bytes:
    process = ContainerdProcess(task, folder / "process", tty=False, stdin=False)  # type: ignore[arg-type]
    await process.run({"args": ["true"]})
    found = b""
    while (some := await process.read()) is not None:
        found += some[1]
    await process.close()
    return found


async def test_the_last_of_the_output_may_come_late(tmp_path: Path) -> None:
    assert await said(Task(handed_on_after=1.0), tmp_path) == b"soon late"


async def test_output_that_came_while_the_service_stood_still_is_read(tmp_path: Path) -> None:
    asyncio.get_running_loop().call_later(0.9, time.sleep, 1.8)
    assert await said(Task(handed_on_after=1.0), tmp_path) == b"soon late"


async def test_an_output_that_something_else_holds_open_is_not_waited_for(tmp_path: Path) -> None:
    task = Task(handed_on_after=None)
    assert await asyncio.wait_for(said(task, tmp_path), 60) == b"soon "
    for each in task.files:
        each.close()
