"""Clones git repositories: in a throw-away container in the group's own sandbox, before its containers start.

What a repository holds is never run, here or there: no hooks, no submodules, no protocol but HTTP.  The container has
no capabilities and sees nothing but the directory that it clones into.  User and password reach git in a file on
tmpfs: no argument, no variable and no file of the clone holds them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import time
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from ...models import GitRepoVolume
from ..base import EngineError, Refused, SandboxSeen, Want
from .config import Place
from .images import ImageShelf
from .logfile import is_complete
from .proto import cri_pb2 as cri
from .rpc import Containerd, NotFound
from .runtime import Runtime
from .samples import GIT, CannotBuild, build
from .sandbox import INSTALLATION, PROTECTED_PATHS, READ_ONLY_PATHS, sandbox_config

CLONE = "hythe.clone"
"""Label of a container that clones; its value is the group's uid."""

_CA = Path("/etc/ssl/certs/ca-certificates.crt")
_MEMORY = 1 << 30
_AT_ONCE = 8
"""Clones that run at the same time: each may take as much memory."""
_LOOK_FIRST, _LOOK_MOST = 0.02, 0.25
_SCRIPT = """\
set -eu
git clone --quiet --no-checkout --template= -- "$REPOSITORY" "/clone/$DIRECTORY"
cd "/clone/$DIRECTORY"
git checkout --quiet "$REVISION" --
"""
_GIT_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "credential.helper": "store --file=/credentials/git",
    "gc.auto": "0",
    "protocol.allow": "never",
    "protocol.http.allow": "always",
    "protocol.https.allow": "always",
    "submodule.recurse": "false",
}


class GitLimits(Struct, frozen=True, kw_only=True):
    """How long a clone may take, and how large it may be."""

    seconds: float = 300.0
    megabytes: int = 1024


def directory(source: GitRepoVolume) -> str:
    """Give the directory in the volume that a repository is cloned into: its own name unless another is given."""
    if source.directory:
        return source.directory
    return urlsplit(source.repository).path.rstrip("/").rpartition("/")[2].removesuffix(".git")


def _without_user(url: SplitResult) -> str:
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()


def _credentials(url: SplitResult) -> str:
    """Give the line that git's credential store wants: it ignores one without a password."""
    user, _, host = url.netloc.rpartition("@")
    if not user:
        return ""
    return f"{url.scheme}://{user if ':' in user else user + ':'}@{host}\n"


def used_bytes(folder: Path) -> int:
    """Count the bytes on disk below a folder; links are not followed, what vanishes meanwhile is not counted."""
    total = 0
    folders = [os.fspath(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    total += found.st_blocks * 512
                    if stat.S_ISDIR(found.st_mode):
                        folders.append(entry.path)
        except OSError:
            continue
    return total


class Cloner:
    """Clones for one installation."""

    def __init__(self, place: Place, images: ImageShelf, runtime: Runtime, limits: GitLimits) -> None:
        self._place = place
        self._images = images
        self._runtime = runtime
        self._limits = limits
        self._building = asyncio.Lock()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def clone(
        self, containerd: Containerd, want: Want, sandbox: SandboxSeen, name: str, source: GitRepoVolume, target: Path
    ) -> None:
        """Clone into a folder that is not there yet: complete or not at all.  Raises `Refused` with a plain reason."""
        await self._see_to_image(containerd)
        await self._end_others(containerd, want)
        partial = target.with_name(f".{name}")
        secret = self._place.secrets / want.uid / f".{name}"
        for folder in (partial, secret):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        partial.chmod(0o777)
        log = self._place.logs / want.uid / ".clone" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        url = urlsplit(source.repository)
        try:
            (secret / "git").touch(mode=0o600)
            (secret / "git").write_text(_credentials(url))
            config = self._config(want, name, source, partial, secret)
            async with self._turns:
                code = await self._run(containerd, want, sandbox, config, partial)
            if code:
                raise Refused("FailedMount", _why(log, url) or f"git ended with exit code {code}")
            await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
            partial.rename(target)
        finally:
            shutil.rmtree(secret, ignore_errors=True)
            shutil.rmtree(log.parent, ignore_errors=True)
            await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)

    def _config(self, want: Want, name: str, source: GitRepoVolume, partial: Path, secret: Path) -> cri.ContainerConfig:
        variables = {
            "DIRECTORY": directory(source),
            "GIT_CONFIG_COUNT": str(len(_GIT_CONFIG)),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": "/",
            "REPOSITORY": _without_user(urlsplit(source.repository)),
            "REVISION": source.revision or "HEAD",
        }
        for number, (key, value) in enumerate(_GIT_CONFIG.items()):
            variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        mounts = [
            cri.Mount(container_path="/clone", host_path=str(partial)),
            cri.Mount(container_path="/credentials", host_path=str(secret), readonly=True),
        ]
        if _CA.exists():  # whom this machine trusts
            mounts.append(cri.Mount(container_path=str(_CA), host_path=str(_CA.resolve()), readonly=True))
        return cri.ContainerConfig(
            metadata=cri.ContainerMetadata(name=f"clone-{name}"),
            image=cri.ImageSpec(image=GIT),
            command=["sh", "-c", _SCRIPT],
            envs=[cri.KeyValue(key=key, value=value) for key, value in variables.items()],
            mounts=mounts,
            labels={INSTALLATION: self._place.installation, CLONE: want.uid},
            log_path=f".clone/{name}.log",
            linux=cri.LinuxContainerConfig(
                resources=cri.LinuxContainerResources(memory_limit_in_bytes=_MEMORY),
                security_context=cri.LinuxContainerSecurityContext(
                    namespace_options=cri.NamespaceOption(pid=cri.CONTAINER),
                    capabilities=cri.Capability(drop_capabilities=["ALL"]),
                    no_new_privs=True,
                    readonly_rootfs=True,
                    seccomp=self._runtime.seccomp,
                    masked_paths=PROTECTED_PATHS,
                    readonly_paths=READ_ONLY_PATHS,
                ),
            ),
        )

    async def _run(
        self, containerd: Containerd, want: Want, sandbox: SandboxSeen, config: cri.ContainerConfig, partial: Path
    ) -> int:
        """Run the container to its end and remove it; give its exit code.  Raises `Refused` at a limit."""
        request = cri.CreateContainerRequest(
            pod_sandbox_id=sandbox.id,
            config=config,
            sandbox_config=sandbox_config(self._place, want.uid, sandbox.attempt, self._runtime.seccomp),
        )
        identity = (await containerd.call("CreateContainer", request, cri.CreateContainerResponse)).container_id
        deadline = time.monotonic() + self._limits.seconds
        try:
            start = cri.StartContainerRequest(container_id=identity)
            await containerd.call("StartContainer", start, cri.StartContainerResponse)
            pause = _LOOK_FIRST
            ask = cri.ContainerStatusRequest(container_id=identity)
            while True:
                answer = await containerd.call("ContainerStatus", ask, cri.ContainerStatusResponse)
                if await asyncio.to_thread(used_bytes, partial) > self._limits.megabytes << 20:
                    raise Refused("FailedMount", f"the repository is larger than {self._limits.megabytes} MB")
                ended = answer.status.state == cri.CONTAINER_EXITED
                if ended and is_complete(answer.status.log_path):  # its last words follow a moment after its end
                    return int(answer.status.exit_code)
                if time.monotonic() > deadline:
                    raise Refused("FailedMount", f"cloning took longer than {self._limits.seconds:g} s")
                await asyncio.sleep(pause)
                pause = min(_LOOK_MOST, pause * 1.5)
        finally:
            await _remove(containerd, identity)

    async def _end_others(self, containerd: Containerd, want: Want) -> None:
        """Remove what an earlier try of a service that died may have left."""
        labels = {INSTALLATION: self._place.installation, CLONE: want.uid}
        request = cri.ListContainersRequest(filter=cri.ContainerFilter(label_selector=labels))
        for one in (await containerd.call("ListContainers", request, cri.ListContainersResponse)).containers:
            await _remove(containerd, one.id)

    async def _see_to_image(self, containerd: Containerd) -> None:
        """Make the image with git if it is not there.  Raises `Refused`."""
        async with self._building:
            if any(name == GIT for name, _ in await self._images.every(containerd)):
                return
            try:
                archive = await asyncio.to_thread(build, GIT, self._place.cache)
                await self._images.import_archive(containerd, archive)
            except (CannotBuild, OSError) as error:
                raise Refused("FailedMount", str(error)) from None


async def _remove(containerd: Containerd, identity: str) -> None:
    try:
        await containerd.call(
            "RemoveContainer", cri.RemoveContainerRequest(container_id=identity), cri.RemoveContainerResponse
        )
    except NotFound:
        pass
    except EngineError:  # the sandbox takes it along when it goes
        return


def _why(log: Path, url: SplitResult) -> str:
    """Give the last thing that git said; a server may have made it repeat user and password."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    said = [line.split(" ", 3)[3:] for line in lines]  # CRI's format: time, stream, tag, text
    text = next((words[0].strip() for words in reversed(said) if words and words[0].strip()), "")
    user = url.netloc.rpartition("@")[0]
    for secret in (user, *user.split(":", 1)):
        text = text.replace(secret, "***") if secret else text
    return text[:500]
