"""Who may use which image, what stands for another, and registries that say nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.base import Refused, Transient
from hythe.engines.containerd import Place
from hythe.engines.containerd import images as module
from hythe.engines.containerd.images import AWAY, Alias, ImageShelf, credential_for, normalise
from hythe.engines.containerd.proto import cri_pb2 as cri
from hythe.models import ImageRegistryCredential

ANN, BOB = "subscription-of-ann", "subscription-of-bob"
STAND_IN = "hythe.local/samples/page:1"


class Registries:
    """What registries have, and a containerd that pulls from them."""

    def __init__(self) -> None:
        self.offered: dict[str, tuple[str, str | None]] = {}
        """By full name: the image's id and the password that it takes."""
        self.names: dict[str, str] = {}
        self.pulls: list[str] = []

    def offer(self, image: str, identity: str, password: str | None = None) -> None:
        self.offered[normalise(image)] = (identity, password)

    async def call(self, method: str, request: Any, *_: object, **__: object) -> Any:
        if method == "ListImages":
            return cri.ListImagesResponse(images=[cri.Image(id=each) for each in {*self.names.values()}])
        asked = request.image.image
        if method == "ImageStatus":
            found = self.names.get(asked) or next((i for i in self.names.values() if i.startswith(asked)), "")
            return cri.ImageStatusResponse(image=cri.Image(id=found)) if found else cri.ImageStatusResponse()
        if method == "RemoveImage":
            gone = self.names.get(asked, asked)
            self.names = {name: identity for name, identity in self.names.items() if identity != gone}
            return cri.RemoveImageResponse()
        assert method == "PullImage"
        self.pulls.append(asked)
        identity, password = self.offered.get(asked, ("", None))
        if not identity or (password is not None and request.auth.password != password):
            raise Transient("pull access denied")
        self.names |= {asked: identity, module.repository(asked) + "@digest-of-" + identity: identity}
        return cri.PullImageResponse(image_ref=identity)


class World:
    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.folder = folder
        self.registries = Registries()
        self.restart()

    def restart(self) -> None:
        aliases = {
            "gone/page": Alias(image=STAND_IN, always=True),
            "mcr.example/page": Alias(image=STAND_IN, always=False),
        }
        place = Place(installation="0" * 8, root=self.folder)
        self.shelf = ImageShelf(place, aliases, clock=lambda: self.now, local=["localhost"])

    async def ensure(self, image: str, subscription: str, password: str | None = None) -> tuple[str, bool]:
        shown = ImageRegistryCredential(server="registry.example", username="u", password=password)
        return await self.shelf.ensure(self.registries, image, subscription, shown if password else None)  # type: ignore[arg-type]

    async def present(self, image: str, subscription: str) -> str | None:
        return await self.shelf.present(self.registries, image, subscription)  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    async def heard(host: str, port: int) -> None:
        if host == "silent.example":
            raise TimeoutError
        if host == "closed.example":
            raise ConnectionRefusedError(111, "Connection refused")

    async def far(*_: object) -> None:
        """Names of tests lead nowhere."""

    monkeypatch.setattr(module, "_hear", heard)
    monkeypatch.setattr(module, "refuse_near", far)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    return World(tmp_path)


# --- whose image it is ---


async def test_what_was_pulled_with_credentials_takes_credentials_of_ones_own(world: World) -> None:
    image = "registry.example/secret:1"
    world.registries.offer(image, "1d", password="right")
    assert await world.ensure(image, ANN, "right") == (image, True)
    assert await world.ensure(image, ANN) == (image, False), "present: not asked again"

    for wrong in (None, "wrong"):
        with pytest.raises(Refused):
            await world.ensure(image, BOB, wrong)
    assert await world.present(image, BOB) is None
    world.restart()
    assert await world.present(image, BOB) is None
    assert await world.ensure(image, BOB, "right") == (image, True)
    assert await world.present(image, BOB) == await world.present(image, ANN) == image
    assert len(world.registries.pulls) == 4


async def test_no_other_name_of_a_private_image_is_a_way_around(world: World) -> None:
    world.registries.offer("registry.example/secret:1", "1d", password="right")
    await world.ensure("registry.example/secret:1", ANN, "right")
    for name in ("registry.example/secret@digest-of-1d", "1d", "1"):
        assert await world.present(name, BOB) is None, name
        with pytest.raises(Refused):
            await world.ensure(name, BOB)


async def test_what_anybody_can_pull_is_nobodys(world: World) -> None:
    world.registries.offer("registry.example/open:1", "0e", password=None)
    await world.ensure("registry.example/open:1", ANN, "needless")
    assert await world.ensure("registry.example/open:1", BOB) == ("registry.example/open:1", True)
    assert await world.ensure("registry.example/open:1", "third") == ("registry.example/open:1", False)


async def test_a_public_image_stays_public_when_somebody_keeps_it_privately_too(world: World) -> None:
    world.registries.offer("registry.example/open:1", "0e")
    world.registries.offer("registry.example/mirror:1", "0e", password="right")
    await world.ensure("registry.example/open:1", BOB)
    await world.ensure("registry.example/mirror:1", ANN, "right")
    assert await world.present("registry.example/open:1", BOB) == "registry.example/open:1"


async def test_an_image_that_was_removed_is_no_longer_private(world: World) -> None:
    world.registries.offer("registry.example/a:1", "1d", password="right")
    await world.ensure("registry.example/a:1", ANN, "right")
    assert await world.shelf.remove(world.registries, "registry.example/a:1")  # type: ignore[arg-type]
    assert not await world.shelf.remove(world.registries, "registry.example/a:1")  # type: ignore[arg-type]
    world.registries.names["registry.example/a:1"] = "1d"  # as the owner imports it
    assert await world.present("registry.example/a:1", BOB)


@pytest.mark.parametrize(
    ("image", "server", "fits"),
    [
        ("registry.example/a/b:1", "registry.example", True),
        ("registry.example/a", "https://Registry.example/v2/", True),
        ("registry.example/a", "registry.example:443", True),
        ("registry.example:5000/a", "registry.example:5000", True),
        ("registry.example:5000/a", "registry.example", False),
        ("registry.example/a", "registry.example:5000", False),
        ("registry.example.evil.example/a", "registry.example", False),
        ("ann/a", "index.docker.io", True),
        ("ann/a", "https://index.docker.io/v1/", True),
        ("docker.io/ann/a", "docker.io", True),
        ("ann/a", "registry.example", False),
    ],
)
def test_credentials_are_shown_to_their_own_registry_only(image: str, server: str, fits: bool) -> None:
    shown = ImageRegistryCredential(server=server, username="u", password="p")
    assert (credential_for(image, [shown]) is shown) == fits


# --- what stands for what ---


async def test_what_stands_for_an_image_always_is_used_without_asking(world: World) -> None:
    world.registries.names[STAND_IN] = "5a"
    world.registries.offer("gone/page", "9e")
    assert await world.ensure("gone/page:v1", ANN) == (STAND_IN, False)
    assert world.registries.pulls == []


async def test_what_stands_for_an_image_that_can_not_be_had(world: World) -> None:
    world.registries.names[STAND_IN] = "5a"
    assert await world.present("mcr.example/page", ANN) is None, "it may still be had"
    assert await world.ensure("mcr.example/page", ANN) == (STAND_IN, False)

    world.now += 10 * AWAY
    world.restart()
    assert await world.present("mcr.example/page", ANN) == STAND_IN, "its containers can start again at any time"

    world.registries.offer("mcr.example/page", "9e")
    assert await world.ensure("mcr.example/page", ANN) == ("mcr.example/page:latest", True)
    assert await world.present("mcr.example/page", ANN) == "mcr.example/page:latest"


# --- registries ---


async def test_a_silent_registry_is_left_alone_for_five_minutes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    hear = module._hear

    async def counted(host: str, port: int) -> None:
        nonlocal asked
        asked += 1
        await hear(host, port)

    monkeypatch.setattr(module, "_hear", counted)
    for now, times in ((0, 1), (AWAY - 1, 1), (AWAY + 1, 2)):
        world.now = now
        with pytest.raises(Refused, match=r"silent\.example:443 does not answer"):
            await world.ensure("silent.example/x", ANN)
        assert asked == times
    assert world.registries.pulls == []


async def test_a_registry_that_is_down_is_asked_each_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="Connection refused"):
        await world.ensure("closed.example/x", ANN)
    monkeypatch.setattr(module, "_hear", _at_once)
    world.registries.offer("closed.example/x", "1d")
    assert await world.ensure("closed.example/x", ANN) == ("closed.example/x:latest", True)


async def _at_once(*_: object) -> None:
    return None


@contextlib.asynccontextmanager
async def listening(says: bytes | None) -> AsyncIterator[int]:
    """Listen as a registry that says this to whoever comes, or nothing."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if says is None:
            await ended.wait()
        else:
            await reader.read(1)
            writer.write(says)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            ended.set()


async def test_a_registry_that_takes_the_connection_and_says_nothing_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    async with listening(None) as port:
        with pytest.raises(Refused, match="does not answer"), monkeypatch.context() as soon:
            soon.setattr(module, "SILENCE", 0.05)
            await world.ensure(f"localhost:{port}/x", ANN)
    async with listening(b"HTTP/1.1 401 Unauthorized\r\n\r\n") as port:
        world.registries.offer(f"localhost:{port}/x", "1d")
        assert (await world.ensure(f"localhost:{port}/x", ANN))[1]


async def test_a_registry_whose_certificate_is_bad_is_not_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    monkeypatch.setattr(module, "_LOCAL", ())
    async with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:  # no TLS at all is a word too
        world.registries.offer(f"localhost:{port}/x", "1d")
        assert (await world.ensure(f"localhost:{port}/x", ANN))[1]
