"""Room on the disk: which images go, in which order, and which never do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.containerd.config import Place
from hythe.engines.containerd.garbage import DiskLimits, collect
from hythe.engines.containerd.images import JUST_NOW, ImageShelf, normalise
from hythe.engines.containerd.proto import cri_pb2 as cri

LIMITS = DiskLimits(high=85, low=80)


class Containerd:
    """Has images, and containers that run from some."""

    def __init__(self, *images: str, running: tuple[str, ...] = ()) -> None:
        self.images = [normalise(image) for image in images]
        self.running = running

    async def call(self, method: str, request: Any, answer: Any, timeout: float = 0) -> Any:
        if method == "ListContainers":
            return answer(containers=[cri.Container(image_ref=f"id of {normalise(one)}") for one in self.running])
        if method == "ListImages":
            return answer(images=[cri.Image(id=f"id of {name}", repo_tags=[name]) for name in self.images])
        name = normalise(request.image.image)
        if method == "RemoveImage":
            self.images.remove(name)
            return answer()
        if method == "PullImage":
            self.images.append(name)
            return answer()
        there = cri.Image(id=f"id of {name}", repo_tags=[name]) if name in self.images else None
        return answer(image=there)


class Shelf(ImageShelf):
    """Reaches every registry."""

    async def _reach(self, image: str) -> None:
        pass


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def shelf(tmp_path: Path, clock: list[float]) -> Iterator[Shelf]:
    yield Shelf(Place(installation="0", root=tmp_path), {}, clock=lambda: clock[0])


def disk(*percent: float) -> Any:
    """Give how full the disk is at each look; the last stays."""
    left = [*percent]
    return lambda: left.pop(0) if len(left) > 1 else left[0]


async def test_the_longest_unused_go_until_there_is_room(shelf: Shelf, clock: list[float]) -> None:
    there = Containerd("imported", running=("busy",))
    for image in ("busy", "old", "older", "new"):
        await shelf.ensure(there, image, "s", None)  # type: ignore[arg-type]
        clock[0] += 1
    await shelf.present(there, "old", "s")  # type: ignore[arg-type]
    clock[0] += JUST_NOW + 1
    await shelf.ensure(there, "wanted", "s", None)  # type: ignore[arg-type]

    removed = await collect(shelf, there, LIMITS, disk(90, 84, 79))  # type: ignore[arg-type]

    assert removed == [normalise("older"), normalise("new")]
    assert {*there.images} == {normalise(one) for one in ("imported", "busy", "old", "wanted")}


async def test_nothing_goes_below_the_high_mark_and_what_was_imported_never(shelf: Shelf, clock: list[float]) -> None:
    there = Containerd("imported")
    await shelf.ensure(there, "pulled", "s", None)  # type: ignore[arg-type]
    clock[0] += JUST_NOW + 1

    assert await collect(shelf, there, LIMITS, disk(84)) == []  # type: ignore[arg-type]
    assert await collect(shelf, there, LIMITS, disk(99)) == [normalise("pulled")]  # type: ignore[arg-type]
    assert await collect(shelf, there, LIMITS, disk(99)) == []  # type: ignore[arg-type]


async def test_what_was_pulled_is_known_after_a_restart(shelf: Shelf, tmp_path: Path) -> None:
    there = Containerd()
    await shelf.ensure(there, "pulled", "s", None)  # type: ignore[arg-type]

    again = Shelf(Place(installation="0", root=tmp_path), {}, clock=lambda: 5.0)

    assert again.unused_longest() == [normalise("pulled")]
