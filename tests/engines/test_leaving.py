"""Removing what a group that has ended leaves, against a containerd that is pretended."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from hythe.engines.base import EngineError, Lost, Transient, Uid
from hythe.engines.containerd import leaving
from hythe.engines.containerd.leaving import Leaving
from hythe.engines.containerd.proto import cri_pb2 as cri
from hythe.engines.containerd.rpc import Containerd


class Pretended:
    """Has one sandbox that has ended, and removes it once it is out of troubles."""

    def __init__(self, troubles: list[EngineError]) -> None:
        self.troubles = troubles
        self.asked = 0
        self.removed = False

    async def call(self, method: str, request: Any, answer: Any, timeout: float | None = None) -> Any:
        """Answer a call of CRI."""
        if method == "ListPodSandbox":
            return cri.ListPodSandboxResponse(items=[cri.PodSandbox(id="s", state=cri.SANDBOX_NOTREADY)])
        if method == "PodSandboxStatus":
            return cri.PodSandboxStatusResponse(status=cri.PodSandboxStatus(id="s", state=cri.SANDBOX_NOTREADY))
        if method == "RemovePodSandbox":
            self.asked += 1
            if self.troubles:
                raise self.troubles.pop(0)
            self.removed = True
        return answer()


@pytest.mark.parametrize(
    ("troubles", "removed"), [([Transient("busy"), Lost("away")], True), ([Lost("away")] * 9, False)]
)
async def test_a_sandbox_that_can_not_be_removed_now_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, troubles: list[EngineError], removed: bool
) -> None:
    monkeypatch.setattr(leaving, "_PAUSES", (0.001, 0.001, 0.001))
    forgotten: list[Uid] = []

    async def files(uid: Uid) -> None:
        forgotten.append(uid)

    going, containerd = Leaving("i", files), Pretended([*troubles])
    await going.end(cast(Containerd, containerd), Uid("u"))
    assert Uid("u") in going
    async with asyncio.timeout(30):
        while Uid("u") in going:
            await asyncio.sleep(0.001)

    assert containerd.removed is removed
    assert containerd.asked == (3 if removed else 4)
    assert forgotten == ["u"]
