"""The images of one containerd: who may use which, what stands for what, and getting them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from ...models import ImageRegistryCredential
from ..base import EngineError, Refused, Transient
from .config import Place
from .proto import cri_pb2 as cri
from .registries import host_and_port, refuse_near
from .rpc import NAMESPACE, Containerd

SILENCE = 2.0
"""Seconds after which a registry that says nothing counts as away."""
AWAY = 300.0
"""Seconds for which it then is not asked again."""
JUST_NOW = 120.0
"""Seconds for which an image that was wanted is kept although nothing runs from it: its group may be on the way."""
STALLED = 60.0
"""Seconds in which nothing may have come from a registry that is being pulled from, before it counts as gone."""
_LOOKS = 6
"""How often it is looked in that time whether anything came."""
_HEARD_SECONDS, _HEARD_AGAIN_SECONDS = 5.0, 0.5
_PULL_SECONDS = 1800.0
_LOCAL = ("localhost", "127.0.0.1", "::1")
"""Hosts that containerd speaks to without TLS."""

_DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")

Clock = Callable[[], float]
T = TypeVar("T")


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


def registry(image: str) -> str:
    """Give the registry that an image comes from: its host, and its port if that is not the usual one."""
    server = normalise(image).partition("/")[0]
    return "registry-1.docker.io" if server == "docker.io" else server


def credential_for(image: str, credentials: Sequence[ImageRegistryCredential]) -> ImageRegistryCredential | None:
    """Give the credential for the registry of an image; another port of its host is another registry."""
    server = normalise(image).partition("/")[0]
    names = _DOCKER_HUB if server == "docker.io" else (server, f"{server}:443")
    for credential in credentials:
        if credential.server.lower().removeprefix("https://").partition("/")[0] in names:
            return credential
    return None


class _Kept(Struct, kw_only=True, omit_defaults=True):
    """What is remembered of images between starts."""

    aliases: dict[str, str] = {}
    """By repository: the image that stands for it."""
    private: dict[str, list[str]] = {}
    """By id of an image that was pulled with credentials: the subscriptions that showed theirs.

    An image has many names, its digest among them, but one id.
    """
    replaced: list[str] = []
    """Full names of images that could not be had when they were last asked for, so that another stands for them."""
    pulled: list[str] = []
    """Full names of the images that were pulled, and so can be pulled again."""


class Alias(Struct, frozen=True, kw_only=True):
    """An image that stands for another: always, or where the other can't be had."""

    image: str
    always: bool = True


class ImageShelf:
    """The images of one containerd."""

    def __init__(
        self,
        place: Place,
        aliases: dict[str, Alias],
        clock: Clock = time.monotonic,
        stalled: float = STALLED,
        local: Sequence[str] = (),
    ) -> None:
        """Take in ``local`` the registries on this machine that may be asked."""
        self._stalled = stalled
        self._local = local
        self._place = place
        self._built_in = {repository(name): alias for name, alias in aliases.items()}
        self._clock = clock
        self._away: dict[str, float] = {}
        self._used: dict[str, float] = {}
        """By full name: when an image was last wanted in this life of the service."""
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

    async def _found(self, containerd: Containerd, image: str) -> cri.Image:
        answer = await containerd.call(
            "ImageStatus", cri.ImageStatusRequest(image=cri.ImageSpec(image=image)), cri.ImageStatusResponse
        )
        return answer.image

    async def _id(self, containerd: Containerd, image: str) -> str:
        return (await self._found(containerd, image)).id

    async def _ids(self, containerd: Containerd) -> set[str]:
        answer = await containerd.call("ListImages", cri.ListImagesRequest(), cri.ListImagesResponse)
        return {image.id for image in answer.images}

    async def every(self, containerd: Containerd) -> list[tuple[str, int]]:
        """Give name and size in bytes of every image."""
        answer = await containerd.call("ListImages", cri.ListImagesRequest(), cri.ListImagesResponse)
        return sorted((tag, image.size) for image in answer.images for tag in image.repo_tags or (image.id,))

    async def cached(self, containerd: Containerd, subscription: str) -> list[str]:
        """Give the names of the images that a subscription may use: no other one's private images."""
        answer = await containerd.call("ListImages", cri.ListImagesRequest(), cri.ListImagesResponse)
        free = [
            image for image in answer.images if subscription in self._kept.private.get(image.id, (subscription,))
        ]  # fmt: skip
        return sorted(tag for image in free for tag in image.repo_tags)

    async def present(self, containerd: Containerd, image: str, subscription: str) -> str | None:
        """Give the name under which containerd has an image that this subscription may use, or None."""
        stand_in = self._stand_in(image, always=True)
        found = await self._usable(containerd, stand_in or image, subscription)
        if found is None and normalise(image) in self._kept.replaced:
            fallback = self._stand_in(image, always=False)
            found = await self._usable(containerd, fallback, subscription) if fallback else None
        if found is not None:
            self._used[found] = self._clock()
        return found

    async def _usable(self, containerd: Containerd, image: str, subscription: str) -> str | None:
        """Give the full name of an image that is there and free for this subscription.

        Only full names are looked up: containerd takes any other word for the first digits of an id.
        """
        name = normalise(image)
        identity = await self._id(containerd, name)
        return name if identity and subscription in self._kept.private.get(identity, (subscription,)) else None

    # --- getting them ---

    async def ensure(
        self, containerd: Containerd, image: str, subscription: str, credential: ImageRegistryCredential | None
    ) -> tuple[str, bool]:
        """See to it that an image is there; give its name here and whether it was pulled.  Raises `Refused`."""
        wanted = normalise(self._stand_in(image, always=True) or image)
        found = await self._usable(containerd, wanted, subscription)
        if found is not None:
            return found, False
        fallback = self._stand_in(image, always=False)
        try:
            await self._pull_once(containerd, wanted, subscription, credential)
        except Refused:
            found = await self._usable(containerd, fallback, subscription) if fallback else None
            if found is None:
                raise
            self._replace(image, True)
            return found, False
        self._replace(image, False)
        return wanted, True

    def _replace(self, image: str, replaced: bool) -> None:
        """Remember whether another image stands for this one, so that its containers can start again."""
        name = normalise(image)
        if replaced != (name in self._kept.replaced):
            (self._kept.replaced.append if replaced else self._kept.replaced.remove)(name)
            self._save()

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
        there: set[str] = set()
        shown = credential is not None and credential.username is not None
        if credential is not None and credential.username is not None:
            request.auth.username = credential.username
            request.auth.password = credential.password or ""
            there = await self._ids(containerd)
        try:
            answer = await self._while_it_comes(
                containerd.call("PullImage", request, cri.PullImageResponse, timeout=_PULL_SECONDS)
            )
        except EngineError as error:
            raise Refused("ErrImagePull", f'Failed to pull image "{image}": {error}') from None
        name = normalise(image)
        self._used[name] = self._clock()
        if name not in self._kept.pulled:
            self._kept.pulled.append(name)
            self._save()
        identity = answer.image_ref
        if not shown:
            if self._kept.private.pop(identity, None) is not None:
                self._save()  # it can be had without credentials: not private after all
        elif identity in self._kept.private or identity not in there:  # else everybody had it before
            allowed = self._kept.private.setdefault(identity, [])
            if subscription not in allowed:
                allowed.append(subscription)
                self._save()

    async def _reach(self, image: str) -> None:
        """Find out within `SILENCE` whether the registry says anything.  Raises `Refused` if it does not."""
        server = registry(image)
        failed = f'Failed to pull image "{image}"'
        try:
            host, port = host_and_port(server)
        except ValueError:
            raise Refused("ErrImagePull", f"{failed}: {server} is no registry") from None
        if os.environ.get("HTTPS_PROXY"):  # containerd goes through the proxy; a direct try would tell nothing
            with contextlib.suppress(OSError):
                async with asyncio.timeout(SILENCE):
                    await refuse_near(image, server, self._local)
            return
        if host.endswith(".local"):
            raise Refused("ErrImagePull", f"{failed}: not found, and {host} is no registry")
        where = f"{host}:{port}"
        if self._away.get(where, 0.0) > self._clock():
            raise Refused("ErrImagePull", f"{failed}: the registry {where} does not answer")
        try:
            async with asyncio.timeout(SILENCE):
                await refuse_near(image, server, self._local)
                await _hear(host, port)
        except TimeoutError:
            self._away[where] = self._clock() + AWAY
            raise Refused("ErrImagePull", f"{failed}: the registry {where} does not answer") from None
        except ssl.SSLError:
            pass  # it speaks; containerd says what is wrong
        except OSError as error:  # that it can't be reached is said at once, so it may be asked again at once
            why = error.strerror or type(error).__name__
            raise Refused("ErrImagePull", f"{failed}: the registry {where} can't be reached ({why})") from None
        self._away.pop(where, None)

    async def _while_it_comes(self, asked: Coroutine[Any, Any, T]) -> T:
        """Wait for a pull as long as anything comes or is unpacked.  Raises `Transient` once nothing does.

        containerd itself waits for ever for a registry that stops sending without hanging up.
        """
        pull = asyncio.ensure_future(asked)
        came, still = None, 0
        try:
            while not (await asyncio.wait({pull}, timeout=self._stalled / _LOOKS))[0]:
                comes = await self._coming()
                still = still + 1 if comes is not None and comes == came else 0
                came = comes
                if still >= _LOOKS:
                    raise Transient(f"the registry has sent nothing for {self._stalled:.0f} s")
            return pull.result()
        finally:
            pull.cancel()

    async def _coming(self) -> list[str] | None:
        """Give what has come so far of all that is under way; None while something is being unpacked."""
        _, active = await self._ctr("content", "active")
        coming = sorted(" ".join(line.split()[:2]) for line in active.splitlines()[1:])  # what, and how much of it
        if not coming and "\nextract-" in (await self._ctr("snapshots", "ls"))[1]:
            return None
        return coming

    async def import_archive(self, containerd: Containerd, archive: Path) -> list[str]:
        """Import an OCI or Docker archive and give the names in it, once they can be used.  Raises `Refused`."""
        before = await self._tags(containerd)
        code, text = await self._ctr("images", "import", str(archive))
        if code:
            raise Refused("InvalidImage", f"cannot import {archive.name}: {text.strip()}")
        names = [line.split()[1] for line in text.splitlines() if line.startswith("unpacking ")]
        self._kept.pulled = [name for name in self._kept.pulled if name not in names]
        with contextlib.suppress(EngineError):  # they are there all the same
            await self._heard(containerd, {name for name in names if normalise(name) == name}, before)
        return names

    async def _heard(self, containerd: Containerd, names: set[str], before: dict[str, str]) -> None:
        """Wait until CRI knows images that were imported: it hears of them by an event."""
        begun = self._clock()
        while (waited := self._clock() - begun) < _HEARD_SECONDS:
            tags = await self._tags(containerd)
            # One that was there may be the same as before.
            late = [name for name in names if tags.get(name) is None or tags[name] == before.get(name)]
            if not late or (waited > _HEARD_AGAIN_SECONDS and before.keys() >= {*late}):
                return
            await asyncio.sleep(0.01)

    async def _tags(self, containerd: Containerd) -> dict[str, str]:
        """Give the id of the image that each tag is for."""
        answer = await containerd.call("ListImages", cri.ListImagesRequest(), cri.ListImagesResponse)
        return {tag: image.id for image in answer.images for tag in image.repo_tags}

    async def _ctr(self, *command: str) -> tuple[int, str]:
        """Do what CRI has no call for, or none that does as little; give the exit code and what was said."""
        process = await asyncio.create_subprocess_exec(
            "ctr", "--address", self._place.socket, "--namespace", NAMESPACE, *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode(errors="replace")

    async def remove(self, containerd: Containerd, image: str) -> bool:
        """Remove an image, or, if it has other names, only this name of it; False if it was not there."""
        name = normalise(image)
        there = await self._found(containerd, image)
        identity = there.id
        names = {*there.repo_tags, *there.repo_digests}
        own = {name} | {one for one in there.repo_digests if repository(one) == repository(name)}
        if {one for one in there.repo_tags if repository(one) == repository(name)} - {name}:
            own = {name}  # the digest belongs to another tag too
        known = name in self._kept.pulled
        if known:
            self._kept.pulled.remove(name)
        if identity and names - own:
            # CRI would remove the image under all its names.
            await self._ctr("images", "rm", *sorted(own & names))
        elif identity:
            await containerd.call(
                "RemoveImage", cri.RemoveImageRequest(image=cri.ImageSpec(image=image)), cri.RemoveImageResponse
            )
            known = self._kept.private.pop(identity, None) is not None or known
        if known:
            self._save()
        return bool(identity)

    def unused_longest(self) -> list[str]:
        """Give the images that can be pulled again and were not wanted just now, the longest unwanted first."""
        now = self._clock()
        names = [name for name in self._kept.pulled if now - self._used.get(name, -JUST_NOW) >= JUST_NOW]
        return sorted(names, key=lambda name: self._used.get(name, 0.0))


async def _hear(host: str, port: int) -> None:
    """Wait for the first word of a registry.  Raises OSError."""
    # It trusts nobody: the certificate that it refuses is a word too, and the authorities' file is large.
    context = None if host in _LOCAL else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        writer.write(f"GET /v2/ HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        await reader.read(1)
    finally:
        writer.transport.abort()


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
            return await self._images.import_archive(self._containerd(), archive)
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
