"""Keeps the volumes of groups on this machine: directories in the data dir, secrets on a tmpfs that nobody else reads.

    <root>/volumes/<uid>/made.json           what was made ready
    <root>/volumes/<uid>/data/<volume>/      emptyDir, gitRepo
    <root>/volumes/<uid>/configmap/<container>/
    <state>/secrets/<uid>/<volume>/          secret; one tmpfs for the installation, gone after a reboot

A container gets these directories as a whole, so nothing that it writes into one can lead a later mount elsewhere.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ...models import AzureFileVolume, Container, Volume
from ..base import Lost, Observed, PrepareVolume, Refused, SandboxSeen, Transient, Uid, VolumeSeen, Want, WriteConfigMap
from ..offers import FindShare
from ..pod import config_maps
from ..pod.spec import AnyContainer
from ..pod.volumes import failed_mount
from .clone import Cloner
from .config import Place
from .proto import cri_pb2 as cri
from .rpc import Containerd

_CONFIG_MAPS = PurePosixPath("/mnt/configmap")


class _Ready(Struct, frozen=True, kw_only=True):
    """One volume that can be mounted."""

    spec: str
    epoch: int
    path: str


class _Made(Struct, kw_only=True, omit_defaults=True):
    """What was made ready for one group."""

    volumes: dict[str, _Ready] = {}
    config_maps: dict[str, str] = {}


async def _no_share(volume: AzureFileVolume) -> Path:
    raise Refused("FailedMount", "this service has no file shares")


class Volumes:
    """The volumes of one installation."""

    def __init__(self, place: Place, cloner: Cloner) -> None:
        self._place = place
        self._cloner = cloner
        self.find_share: FindShare = _no_share

    # --- the tmpfs ---

    def open(self) -> None:
        """Mount the tmpfs for secrets, unless it is mounted.  To be called before containerd starts.  Raises `Lost`."""
        folder = self._place.secrets
        if folder.is_mount():
            return
        self._place.state.mkdir(parents=True, exist_ok=True, mode=0o711)
        folder.mkdir(exist_ok=True, mode=0o700)
        options = "mode=0700,nosuid,nodev,noexec"
        for each in (f"{options},noswap", options):  # noswap came with Linux 6.4
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", each, "hythe-secrets", str(folder)], capture_output=True, check=False
            )
            if not done.returncode:
                return
        why = done.stderr.decode(errors="replace").strip()
        raise Lost(f"cannot mount a tmpfs for secrets at {folder}: {why}. It needs the right to mount.")

    def close(self) -> None:
        """Unmount the tmpfs; what it held is gone."""
        while self._place.secrets.is_mount():
            done = subprocess.run(["umount", "--lazy", str(self._place.secrets)], capture_output=True, check=False)
            if done.returncode:
                return

    # --- what is there ---

    def _folder(self, uid: Uid) -> Path:
        return self._place.volumes / uid

    def _made(self, uid: Uid) -> _Made:
        try:
            return msgspec.json.decode((self._folder(uid) / "made.json").read_bytes(), type=_Made)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Made()

    def _save(self, uid: Uid, made: _Made) -> None:
        self._folder(uid).mkdir(parents=True, exist_ok=True)
        partial = self._folder(uid) / "made.partial"
        partial.write_bytes(msgspec.json.encode(made))
        partial.replace(self._folder(uid) / "made.json")

    def add_to(self, seen: Observed, uid: Uid) -> Observed:
        """Add the volumes and config maps of a group to what is seen of it; what a reboot took is not there."""
        made = self._made(uid)
        if not made.volumes and not made.config_maps:
            return seen
        ready = {
            name: VolumeSeen(spec=one.spec, epoch=one.epoch)
            for name, one in made.volumes.items()
            if Path(one.path).is_dir()
        }
        return replace(seen, volumes=ready, config_maps=made.config_maps)

    def uids(self) -> set[Uid]:
        """Give every group that has anything here."""
        return {Uid(name) for folder in (self._place.volumes, self._place.secrets) for name in _names(folder)}

    # --- steps ---

    async def prepare(
        self, containerd: Containerd, want: Want, sandbox: SandboxSeen | None, action: PrepareVolume
    ) -> None:
        """Make a volume ready.  Raises `Refused` with the reason FailedMount."""
        volume = next((one for one in want.group.volumes or () if one.name == action.volume), None)
        if volume is None:
            return  # the world moved on: the next look decides
        made = self._made(want.uid)
        held = made.volumes.get(volume.name)
        try:
            if volume.azure_file is not None:
                path = await self.find_share(volume.azure_file)
            elif held is not None and held.spec == action.spec and Path(held.path).is_dir():
                path = Path(held.path)  # another epoch: what it holds stays
            else:
                fresh = held is None or held.spec != action.spec
                path = await self._make(containerd, want, sandbox, volume, fresh=fresh)
        except Refused as error:
            raise failed_mount(volume.name, str(error)) from None
        except OSError as error:
            raise failed_mount(volume.name, error.strerror or str(error)) from None
        made = self._made(want.uid)
        made.volumes[volume.name] = _Ready(spec=action.spec, epoch=want.epoch, path=str(path))
        self._save(want.uid, made)

    async def _make(
        self, containerd: Containerd, want: Want, sandbox: SandboxSeen | None, volume: Volume, *, fresh: bool
    ) -> Path:
        if volume.secret is not None:
            return self._write_secret(want.uid, volume.name, volume.secret)
        path = self._folder(want.uid) / "data" / volume.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if volume.git_repo is not None:
            if sandbox is None or not sandbox.ready:
                raise Transient(f"the sandbox of {want.name} went away")
            await self._cloner.clone(containerd, want, sandbox, volume.name, volume.git_repo, path)
            return path
        if fresh:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
        path.mkdir(exist_ok=True)
        path.chmod(0o777)  # for whatever user a container runs as
        return path

    def _write_secret(self, uid: Uid, name: str, files: dict[str, str]) -> Path:
        if not self._place.secrets.is_mount():
            raise Refused("FailedMount", "the tmpfs for secrets is not mounted. Start the service again")
        path = self._place.secrets / uid / name
        partial = path.with_name(f".{name}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for key, value in files.items():
            (partial / key).write_bytes(base64.b64decode(value))
            (partial / key).chmod(0o644)
        shutil.rmtree(path, ignore_errors=True)
        partial.rename(path)
        return path

    def write_config_map(self, want: Want, action: WriteConfigMap) -> None:
        """Write the files of a config map, each in one step, and remove those that it no longer has."""
        files = config_maps(want.group).get(action.container, {})
        folder = self._config_folder(want.uid, action.container)
        for key, value in files.items():
            partial = folder / "..partial"  # no key begins so
            partial.write_text(value)
            partial.chmod(0o644)
            partial.replace(folder / key)
        for name in _names(folder):
            if name not in files:
                (folder / name).unlink()
        made = self._made(want.uid)
        made.config_maps[action.container] = action.spec
        if not action.spec:
            del made.config_maps[action.container]
        self._save(want.uid, made)

    def _config_folder(self, uid: Uid, container: str) -> Path:
        folder = self._folder(uid) / "configmap" / container
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def remove(self, uid: Uid, names: tuple[str, ...]) -> None:
        """Remove what volumes of a group hold; shares stay."""
        made = self._made(uid)
        for name in names:
            for folder in (self._folder(uid) / "data", self._place.secrets / uid):
                await asyncio.to_thread(shutil.rmtree, folder / name, ignore_errors=True)
            made.volumes.pop(name, None)
        self._save(uid, made)

    async def forget(self, uid: Uid) -> None:
        """Remove all that is here of a group."""
        for folder in (self._place.secrets / uid, self._folder(uid)):
            if folder.exists():
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    # --- what a container gets ---

    def mounts(self, want: Want, container: AnyContainer) -> list[cri.Mount]:
        """Give the mounts of a container.  Raises `Refused` with the reason FailedMount."""
        volumes = {one.name: one for one in want.group.volumes or ()}
        ready = self._made(want.uid).volumes if container.volume_mounts else {}
        found: dict[PurePosixPath, tuple[str, cri.Mount]] = {}
        for mount in container.volume_mounts or ():
            one, volume = ready.get(mount.name), volumes[mount.name]
            if one is None:
                raise failed_mount(mount.name, "it is not ready")
            share = volume.azure_file
            # A secret is written by the service alone, as with the kubelet.
            readonly = bool(mount.read_only or (share and share.read_only) or volume.secret is not None)
            path = PurePosixPath("/" + mount.mount_path.strip("/"))
            found[path] = mount.name, _mount(path, one.path, readonly=readonly)
        if isinstance(container, Container):
            path = _CONFIG_MAPS / container.name
            # There before it has files: they may come while the container runs.  In a volume only if it has to be.
            if config_maps(want.group).get(container.name) or not any(each in found for each in path.parents):
                folder = self._config_folder(want.uid, container.name)
                found[path] = "configMap", _mount(path, str(folder), readonly=True)
        for path, (name, inner) in found.items():
            outer = [each for each in path.parents if each in found]
            source = volumes[name].azure_file and inner.host_path if name in volumes else None
            if (source and os.path.realpath(source) != source) or any(
                _leads_out(Path(found[each][1].host_path), path.relative_to(each)) for each in outer
            ):
                raise failed_mount(name, f"a symbolic link lies on the way to {path}")
        return [found[path][1] for path in sorted(found, key=lambda each: len(each.parts))]


def _mount(path: PurePosixPath, source: str, *, readonly: bool) -> cri.Mount:
    return cri.Mount(container_path=str(path), host_path=source, readonly=readonly)


def _names(folder: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return os.listdir(folder)
    return []


def _leads_out(folder: Path, inner: PurePosixPath) -> bool:
    """Tell whether a link, planted in a volume, lies on the way to what is mounted inside it."""
    for part in inner.parts:
        folder /= part
        if folder.is_symlink():
            return True
    return False
