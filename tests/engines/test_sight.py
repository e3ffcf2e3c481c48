"""What is seen of a group right after containerd announced that a container ended."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.base import Uid
from hythe.engines.containerd.proto import cri_pb2 as cri
from hythe.engines.containerd.sandbox import INSTALLATION, UID
from hythe.engines.containerd.sight import Sight

MINE = {INSTALLATION: "i", UID: "u"}


class Slow:
    """A containerd whose books follow after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    async def call(self, method: str, *_: object) -> Any:
        if method == "ListPodSandbox":
            return cri.ListPodSandboxResponse(items=[cri.PodSandbox(id="s", labels=MINE)])
        if method == "PodSandboxStatus":
            return cri.PodSandboxStatusResponse()
        if method == "ListContainers":
            return cri.ListContainersResponse(containers=[cri.Container(id="c", pod_sandbox_id="s", labels=MINE)])
        self.looks -= 1
        state = cri.CONTAINER_RUNNING if self.looks >= 0 else cri.CONTAINER_EXITED
        status = cri.ContainerStatus(id="c", state=state, exit_code=3, metadata=cri.ContainerMetadata(name="0-web"))
        return cri.ContainerStatusResponse(status=status)


@pytest.mark.parametrize("looks", [0, 1, 100])
async def test_an_end_that_was_announced_is_waited_for(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    sight = Sight("i")
    sight.ended.add("c")
    (seen,) = (await sight.observe(Slow(looks), Uid("u"))).containers  # type: ignore[arg-type]
    assert (seen.name, seen.state) == ("web", "exited")
    assert seen.finished is not None and seen.finished.exit_code == 3
    assert slept < 5


async def test_an_end_is_not_told_before_all_that_was_written_is_in_the_log(tmp_path: Path) -> None:
    path = tmp_path / "0-0.log"

    class Writing(Slow):
        async def call(self, method: str, *request: object) -> Any:
            answer = await super().call(method, *request)
            if isinstance(answer, cri.ContainerStatusResponse):
                answer.status.log_path = str(path)
                if self.looks < -3:
                    file.close()
            return answer

    sight = Sight("i")
    sight.ended.add("c")
    file = path.open("a")
    (seen,) = (await sight.observe(Writing(1), Uid("u"))).containers  # type: ignore[arg-type]
    assert seen.state == "exited" and file.closed


async def test_a_lack_of_memory_is_told_though_the_books_follow_late() -> None:
    sight = Sight("i")
    sight.ended.add("c")
    sight.starved.add("c")
    (seen,) = (await sight.observe(Slow(0), Uid("u"))).containers  # type: ignore[arg-type]
    assert seen.finished is not None and seen.finished.reason == "OOMKilled"
    sight.drop("c")
    (seen,) = (await sight.observe(Slow(0), Uid("u"))).containers  # type: ignore[arg-type]
    assert seen.finished is not None and not seen.finished.reason


async def test_a_container_of_which_nothing_was_announced_is_looked_at_once() -> None:
    containerd = Slow(5)
    (seen,) = (await Sight("i").observe(containerd, Uid("u"))).containers  # type: ignore[arg-type]
    assert (seen.state, containerd.looks) == ("running", 4)


async def test_a_start_that_failed_unheard_is_told_apart_from_one_that_was_refused() -> None:
    class Failed(Slow):
        async def call(self, method: str, *request: object) -> Any:
            answer = await super().call(method, *request)
            if isinstance(answer, cri.ContainerStatusResponse):
                answer.status.reason = "StartError"
            return answer

    sight = Sight("i")
    (unheard,) = (await sight.observe(Failed(0), Uid("u"))).containers  # type: ignore[arg-type]
    sight.refused.add("c")
    (heard,) = (await sight.observe(Failed(0), Uid("u"))).containers  # type: ignore[arg-type]
    assert (unheard.cut_short, heard.cut_short) == (True, False)


async def test_a_run_does_not_end_before_it_began() -> None:
    class Short(Slow):
        async def call(self, method: str, *request: object) -> Any:
            answer = await super().call(method, *request)
            if isinstance(answer, cri.ContainerStatusResponse):
                answer.status.started_at, answer.status.finished_at = 2_000_000_000, 1_000_000_000
            return answer

    (seen,) = (await Sight("i").observe(Short(0), Uid("u"))).containers  # type: ignore[arg-type]
    assert seen.finished is not None and seen.finished.started_at == seen.finished.finished_at
