"""Which images a subscription is told of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from hythe.engines.containerd import Place
from hythe.engines.containerd.images import ImageShelf
from hythe.engines.containerd.proto import cri_pb2 as cri


class Containerd:
    async def call(self, method: str, request: Any, answer: Any) -> Any:
        assert method == "ListImages"
        free = cri.Image(id="sha256:1", repo_tags=["docker.io/sample/web:1", "docker.io/a/web:1"])
        nameless = cri.Image(id="sha256:2")
        private = cri.Image(id="sha256:3", repo_tags=["r.example/mine:1"])
        return cri.ListImagesResponse(images=[free, nameless, private])


async def test_private_images_are_shown_to_those_that_may_use_them(tmp_path: Path) -> None:
    (tmp_path / "images.json").write_bytes(msgspec.json.encode({"private": {"sha256:3": ["s1"]}}))
    shelf = ImageShelf(Place(installation="x", root=tmp_path, address=None), {})
    containerd: Any = Containerd()

    assert await shelf.cached(containerd, "s2") == ["docker.io/a/web:1", "docker.io/sample/web:1"]
    assert "r.example/mine:1" in await shelf.cached(containerd, "s1")
