"""Which processes of an installation's containerd are ended because nobody knows them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
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
def shim(place: Place, identity: str, namespace: str = "k8s.io") -> Iterator[subprocess.Popen[bytes]]:
    words = ["-namespace", namespace, "-id", identity, "-address", place.socket]
    with sleeping("/usr/bin/containerd-shim-runc-v2", *words) as process:
        yield process


@contextlib.contextmanager
def sleeping(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that looks as if it were another."""
    program, *others = words
    command = [program, "-c", "import time; time.sleep(60)", *others]
    with subprocess.Popen(command, executable="/usr/bin/python3") as process:
        try:
            while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
                time.sleep(0.01)  # in the middle of an exec
            yield process
        finally:
            process.kill()


@pytest.fixture
def deleted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Give the containers that the shim's `delete` was called for, which is not called really."""
    called: list[str] = []
    monkeypatch.setattr(leftovers, "_delete", lambda place, identity, bundle: called.append(identity))
    monkeypatch.setattr(leftovers, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(Place, "state", property(lambda place: tmp_path / place.installation))
    return called


def bundle(place: Place, identity: str, address: Path | None = None) -> Path:
    folder = leftovers._bundles(place) / identity
    (folder / "rootfs").mkdir(parents=True)
    if address is not None:
        (folder / "address").write_text(f"unix://{address}")
        address.touch()
    return folder


async def test_what_is_left_of_an_unknown_container_is_ended(tmp_path: Path, deleted: list[str]) -> None:
    mine = Place(installation="0000000i", root=tmp_path)
    another = Place(installation="0000000j", root=tmp_path)
    socket = tmp_path / "a-shims-socket"
    left = bundle(mine, FORGOTTEN, socket)
    for place, identity in ((mine, LISTED), (mine, NO_PROCESS), (another, FORGOTTEN)):
        bundle(place, identity)
    (leftovers._bundles(mine, mine.root) / NO_PROCESS).mkdir(parents=True)
    books = Books()
    with (
        shim(mine, FORGOTTEN) as forgotten,
        sleeping("/usr/bin/crun", "create", "--bundle", str(left)) as begun,
        shim(mine, LISTED) as listed,
        shim(mine, BEING_MADE) as being_made,
        sleeping("crun", "exec", f"--pid-file={'e' * 64}", str(leftovers._bundles(mine) / LISTED / "x.pid")) as exec_,
        shim(another, FORGOTTEN) as not_mine,
        shim(mine, FORGOTTEN, "default") as another_namespace,
        sleeping("editor", str(left)) as no_shim,
    ):
        assert leftovers.found(mine) == {
            FORGOTTEN: {forgotten.pid, begun.pid},
            LISTED: {listed.pid, exec_.pid},
            BEING_MADE: {being_made.pid},
            NO_PROCESS: set(),
        }
        ending = asyncio.create_task(leftovers.end_forgotten(mine, Sight("i"), lambda: books))
        async with asyncio.timeout(30):
            while forgotten.poll() is None or begun.poll() is None:
                await asyncio.sleep(0.05)
        assert books.looks >= 3, "one look is not enough"
        seen = books.looks
        async with asyncio.timeout(30):
            while books.looks < seen + 3:
                await asyncio.sleep(0.05)
        ending.cancel()
        others = (listed, being_made, exec_, not_mine, another_namespace, no_shim)
        assert [each.poll() for each in others] == [None] * len(others)
    assert sorted(deleted) == [FORGOTTEN, NO_PROCESS]
    assert [each.name for each in leftovers._bundles(mine).iterdir()] == [LISTED]
    assert [each.name for each in leftovers._bundles(another).iterdir()] == [FORGOTTEN]
    assert not socket.exists() and not [*leftovers._bundles(mine, mine.root).iterdir()]


def test_the_shim_of_a_pod_stays_while_a_bundle_names_it(tmp_path: Path, deleted: list[str]) -> None:
    mine = Place(installation="0000000i", root=tmp_path)
    socket = tmp_path / "a-shims-socket"
    for identity in (FORGOTTEN, LISTED, NO_PROCESS):
        bundle(mine, identity, socket)
    with shim(mine, FORGOTTEN) as serving:
        leftovers.end(mine, FORGOTTEN, {serving.pid})
        leftovers.end(mine, NO_PROCESS, {serving.pid})
        assert serving.poll() is None and socket.exists()
        assert {each.name for each in leftovers._bundles(mine).iterdir()} == {FORGOTTEN, LISTED}

        leftovers.end(mine, LISTED, set())
        leftovers.end(mine, FORGOTTEN, {serving.pid})
        assert serving.wait(30) == -9 and not socket.exists()
    assert deleted == [NO_PROCESS, LISTED, FORGOTTEN]
