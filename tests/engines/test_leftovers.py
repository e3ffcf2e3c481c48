"""Which processes of an installation's containerd are ended because nobody knows them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.base import Lost
from hythe.engines.containerd import leftovers
from hythe.engines.containerd.config import Place
from hythe.engines.containerd.proto import containers_pb2 as containers
from hythe.engines.containerd.proto import cri_pb2 as cri
from hythe.engines.containerd.rpc import NotFound
from hythe.engines.containerd.sandbox import INSTALLATION, UID
from hythe.engines.containerd.sight import Sight

LISTED, BEING_MADE, FORGOTTEN, NO_PROCESS = (letter * 64 for letter in "abcd")


class Books:
    """A containerd that lists one sandbox, and has books of another that is not finished; first it is away."""

    def __init__(self) -> None:
        self.looks = 0

    async def call(self, method: str, request: Any, *_: object) -> Any:
        if method == "ListPodSandbox":
            self.looks += 1
            if self.looks == 1:
                raise Lost("away")
            labels = {INSTALLATION: "i", UID: "u"}
            return cri.ListPodSandboxResponse(items=[cri.PodSandbox(id=LISTED, labels=labels)])
        if method == "ListContainers":
            return cri.ListContainersResponse()
        if request.id in (FORGOTTEN, NO_PROCESS):
            raise NotFound(request.id)
        answer = containers.GetContainerResponse()
        answer.container.spec.value = b"{}"
        return answer


@contextlib.contextmanager
def shim(place: Place, identity: str, program: str = "containerd-shim-runc-v2") -> Iterator[subprocess.Popen[bytes]]:
    words = [
        program,
        "-c",
        "import time; time.sleep(60)",
        "-id",
        identity,
        "-address",
        f"{place.state}/containerd.sock",
    ]
    with subprocess.Popen(words, executable="/usr/bin/python3") as process:
        try:
            yield process
        finally:
            process.kill()


async def test_what_is_left_of_an_unknown_container_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_LOOK_SECONDS", 0.1)
    mine = Place(installation="0000000i", root=tmp_path)
    another = Place(installation="0000000j", root=tmp_path)
    monkeypatch.setattr(Place, "state", property(lambda place: tmp_path / place.installation))
    socket = tmp_path / "a-shims-socket"
    for place, identity in ((mine, FORGOTTEN), (mine, LISTED), (mine, NO_PROCESS), (another, FORGOTTEN)):
        (leftovers._bundles(place) / identity / "rootfs").mkdir(parents=True)
    (leftovers._bundles(mine) / FORGOTTEN / "address").write_text(f"unix://{socket}")
    (leftovers._bundles(mine, mine.root) / NO_PROCESS).mkdir(parents=True)
    socket.touch()
    books = Books()
    with (
        shim(mine, FORGOTTEN) as forgotten,
        shim(mine, FORGOTTEN, "crun") as begun,
        shim(mine, LISTED) as listed,
        shim(mine, BEING_MADE) as being_made,
        shim(another, FORGOTTEN) as not_mine,
        shim(mine, FORGOTTEN, "editor") as no_shim,
    ):
        assert leftovers.found(mine) == {
            FORGOTTEN: {forgotten.pid, begun.pid},
            LISTED: {listed.pid},
            BEING_MADE: {being_made.pid},
            NO_PROCESS: set(),
        }
        ending = asyncio.create_task(leftovers.end_forgotten(mine, Sight("i"), lambda: books))
        async with asyncio.timeout(10):
            while forgotten.poll() is None or begun.poll() is None:
                await asyncio.sleep(0.05)
        assert books.looks >= 3, "one look is not enough"
        seen = books.looks
        async with asyncio.timeout(10):
            while books.looks < seen + 3:
                await asyncio.sleep(0.05)
        ending.cancel()
        assert [each.poll() for each in (listed, being_made, not_mine, no_shim)] == [None] * 4
    assert [each.name for each in leftovers._bundles(mine).iterdir()] == [LISTED]
    assert [each.name for each in leftovers._bundles(another).iterdir()] == [FORGOTTEN]
    assert not socket.exists() and not [*leftovers._bundles(mine, mine.root).iterdir()]
