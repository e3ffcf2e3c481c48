"""The images of one containerd: who may use which, what stands for what, and getting them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from ...models import ImageRegistryCredential
from ..base import EngineError, Refused, Transient
from .config import Place
from .proto import cri_pb2 as cri
from .rpc import NAMESPACE, Containerd

SILENCE = 2.0
"""Seconds after which a registry that says nothing counts as away."""
AWAY = 300.0
"""Seconds for which it then is not asked again."""
_PULL_SECONDS = 1800.0

Clock = Callable[[], float]


def normalise(image: str) -> str:
    """Write an image name in full: ``nginx`` is ``docker.io/library/nginx:latest``."""
    name, at, digest = image.partition("@")
    head, slash, _ = name.partition("/")
    if not slash or not ("." in head or ":" in head or head == "localhost"):
        name = f"docker.io/{name}" if slash else f"docker.io/library/{name}"
    if not at and ":" not in name.rpartition("/")[2]:
        name += ":latest"
    return name + at + digest


def repository(image: str) -> str:
    """Give the full name without tag and digest."""
    name = normalise(image).partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def registry(image: str) -> tuple[str, int]:
    """Give host and port of the registry that an image comes from."""
    host = normalise(image).partition("/")[0]
    if host == "docker.io":
        host = "registry-1.docker.io"
    name, colon, port = host.partition(":")
    return name, int(port) if colon else 443


class _Kept(Struct, kw_only=True, omit_defaults=True):
    """What is remembered of images between starts."""

    aliases: dict[str, str] = {}
    """By repository: the image that stands for it."""
    private: dict[str, list[str]] = {}
    """By full name of an image that was pulled with credentials: the subscriptions that showed theirs."""


class Alias(Struct, frozen=True, kw_only=True):
    """An image that stands for another: always, or where the other can't be had."""

    image: str
    always: bool = True


class ImageShelf:
    """The images of one containerd."""

    def __init__(self, place: Place, aliases: dict[str, Alias], clock: Clock = time.monotonic) -> None:
        self._place = place
        self._built_in = {repository(name): alias for name, alias in aliases.items()}
        self._clock = clock
        self._away: dict[str, float] = {}
        self._pulls: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._path = place.root / "images.json"
        self._kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept) if self._path.exists() else _Kept()

    def _save(self) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(self._kept))
        partial.replace(self._path)

    # --- names ---

    def alias(self, name: str, image: str | None) -> None:
        """Let an image stand for another name, or with None end that."""
        if image is None:
            self._kept.aliases.pop(repository(name), None)
        else:
            self._kept.aliases[repository(name)] = image
        self._save()

    def aliases(self) -> dict[str, str]:
        """Give every name that another image stands for."""
        return {name: alias.image for name, alias in self._built_in.items()} | self._kept.aliases

    def _stand_in(self, image: str, *, always: bool) -> str | None:
        name = repository(image)
        if name in self._kept.aliases:
            return self._kept.aliases[name] if always else None
        alias = self._built_in.get(name)
        return alias.image if alias and alias.always == always else None

    # --- what is there ---

    async def _id(self, containerd: Containerd, image: str) -> str:
        answer = await containerd.call(
            "ImageStatus", cri.ImageStatusRequest(image=cri.ImageSpec(image=image)), cri.ImageStatusResponse
        )
        return answer.image.id

    async def every(self, containerd: Containerd) -> list[tuple[str, int]]:
        """Give name and size in bytes of every image."""
        answer = await containerd.call("ListImages", cri.ListImagesRequest(), cri.ListImagesResponse)
        return sorted((tag, image.size) for image in answer.images for tag in image.repo_tags or (image.id,))

    async def cached(self, containerd: Containerd, subscription: str) -> list[str]:
        """Give the names of the images that a subscription may use: no other one's private images."""
        return [name for name, _ in await self.every(containerd) if self._may_use(name, subscription)]

    async def present(self, containerd: Containerd, image: str, subscription: str) -> str | None:
        """Give the name under which containerd has an image that this subscription may use, or None."""
        stand_in = self._stand_in(image, always=True)
        for name in (stand_in,) if stand_in else (image, self._fallback(image)):
            if name and self._may_use(name, subscription) and await self._id(containerd, name):
                return name
        return None

    def _fallback(self, image: str) -> str | None:
        """Give what stands for an image whose registry is known to be away."""
        host, port = registry(image)
        if self._away.get(f"{host}:{port}", 0.0) > self._clock():
            return self._stand_in(image, always=False)
        return None

    def _may_use(self, image: str, subscription: str) -> bool:
        allowed = self._kept.private.get(normalise(image))
        return allowed is None or subscription in allowed

    # --- getting them ---

    async def ensure(
        self, containerd: Containerd, image: str, subscription: str, credential: ImageRegistryCredential | None
    ) -> tuple[str, bool]:
        """See to it that an image is there; give its name here and whether it was pulled.  Raises `Refused`."""
        name = await self.present(containerd, image, subscription)
        if name is not None:
            return name, False
        stand_in = self._stand_in(image, always=True)
        wanted = stand_in or image
        try:
            await self._pull_once(containerd, wanted, subscription, credential)
        except Refused:
            fallback = self._stand_in(image, always=False)
            if fallback and await self._id(containerd, fallback):
                return fallback, False
            raise
        return wanted, True

    async def _pull_once(
        self, containerd: Containerd, image: str, subscription: str, credential: ImageRegistryCredential | None
    ) -> None:
        """Pull; whoever wants the same image for the same subscription meanwhile waits for the same pull."""
        key = (normalise(image), subscription)
        task = self._pulls.get(key)
        if task is None:
            task = asyncio.create_task(self._pull(containerd, image, subscription, credential))
            self._pulls[key] = task
            task.add_done_callback(lambda _: self._pulls.pop(key, None))
        await asyncio.shield(task)

    async def _pull(
        self, containerd: Containerd, image: str, subscription: str, credential: ImageRegistryCredential | None
    ) -> None:
        await self._reach(image)
        request = cri.PullImageRequest(image=cri.ImageSpec(image=image))
        if credential is not None and credential.username is not None:
            request.auth.username = credential.username
            request.auth.password = credential.password or ""
        try:
            await containerd.call("PullImage", request, cri.PullImageResponse, timeout=_PULL_SECONDS)
        except Transient as error:
            raise Refused("ErrImagePull", f'Failed to pull image "{image}": {error}') from None
        except EngineError as error:
            raise Refused("ErrImagePull", f'Failed to pull image "{image}": {error}') from None
        name = normalise(image)
        if credential is not None:
            allowed = self._kept.private.setdefault(name, [])
            if subscription not in allowed:
                allowed.append(subscription)
            self._save()
        elif self._kept.private.pop(name, None) is not None:
            self._save()  # it can be had without credentials: not private after all

    async def _reach(self, image: str) -> None:
        """Find out within `SILENCE` whether the registry answers at all."""
        if os.environ.get("HTTPS_PROXY"):
            return  # containerd goes through the proxy; a direct try would tell nothing
        host, port = registry(image)
        if host.endswith(".local"):
            raise Refused("ErrImagePull", f'Failed to pull image "{image}": not found, and {host} is no registry')
        where = f"{host}:{port}"
        if self._away.get(where, 0.0) > self._clock():
            raise Refused("ErrImagePull", f'Failed to pull image "{image}": the registry {where} does not answer')
        try:
            async with asyncio.timeout(SILENCE):
                _, writer = await asyncio.open_connection(host, port)
        except OSError as error:  # TimeoutError is one
            self._away[where] = self._clock() + AWAY
            why = error.strerror or type(error).__name__
            raise Refused(
                "ErrImagePull", f'Failed to pull image "{image}": the registry {where} does not answer ({why})'
            ) from None
        self._away.pop(where, None)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def import_archive(self, archive: Path) -> list[str]:
        """Import an OCI or Docker archive and give the names in it.  Raises `Refused`."""
        process = await asyncio.create_subprocess_exec(
            "ctr", "--address", self._place.socket, "--namespace", NAMESPACE, "images", "import", str(archive),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        text = out.decode(errors="replace")
        if process.returncode:
            raise Refused("InvalidImage", f"cannot import {archive.name}: {text.strip()}")
        return [line.split()[1] for line in text.splitlines() if line.startswith("unpacking ")]

    async def remove(self, containerd: Containerd, image: str) -> bool:
        """Remove an image; False if it was not there."""
        found = bool(await self._id(containerd, image))
        if found:
            await containerd.call(
                "RemoveImage", cri.RemoveImageRequest(image=cri.ImageSpec(image=image)), cri.RemoveImageResponse
            )
        if self._kept.private.pop(normalise(image), None) is not None:
            self._save()
        return found


class Shelf:
    """The port through which an installation's owner looks after its images."""

    def __init__(self, images: ImageShelf, containerd: Callable[[], Containerd]) -> None:
        self._images = images
        self._containerd = containerd

    async def list_images(self) -> list[tuple[str, int]]:
        """Give name and size in bytes of each."""
        return await self._images.every(self._containerd())

    async def cached(self, subscription: str) -> list[str]:
        """Give the names of those that a subscription may use."""
        return await self._images.cached(self._containerd(), subscription)

    async def import_image(self, archive: Path) -> list[str]:
        """Import an archive, give the names in it.  Raises ValueError."""
        try:
            return await self._images.import_archive(archive)
        except EngineError as error:
            raise ValueError(str(error)) from None

    async def remove_image(self, image: str) -> bool:
        """Remove one; False if it is not there."""
        return await self._images.remove(self._containerd(), image)

    def aliases(self) -> dict[str, str]:
        """Give every name that another image stands for."""
        return self._images.aliases()

    def alias(self, name: str, image: str | None) -> None:
        """Let an image stand for a name, or end that."""
        self._images.alias(name, image)
