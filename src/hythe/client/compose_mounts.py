"""Makes volumes and mounts of what compose services name: volumes, secrets, configs."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hythe.models import AzureFileVolume, Volume, VolumeMount

from .compose_values import ComposeError

_SECRETS = "/run/secrets"
_FILE_KEYS = frozenset({"source", "target"})


class Mounts:
    """Collects the volumes of a group while its services are read."""

    def __init__(self, document: Mapping[str, Any], folder: Path, variables: Mapping[str, str]) -> None:
        self.volumes: list[Volume] = []
        self._folder = folder
        self._variables = variables
        self._declared = {kind: document.get(kind) or {} for kind in ("volumes", "secrets", "configs")}

    def of(self, service: str, said: Mapping[str, Any], key: str) -> list[VolumeMount]:
        """Give the mounts of one service."""
        found = [
            self._volume(service, index, each, f"{key}.volumes[{index}]")
            for index, each in enumerate(said.get("volumes") or ())
        ]
        folders: dict[str, dict[str, str]] = {}
        for kind in ("secrets", "configs"):
            for index, each in enumerate(said.get(kind) or ()):
                where = f"{key}.{kind}[{index}]"
                path, content = self._file(kind, each, where)
                folder, name = posixpath.split(posixpath.normpath(path))
                if folder == "/":
                    raise ComposeError(where, f"{path} can't be there: files are mounted as a folder, give it one")
                folders.setdefault(folder, {})[name] = base64.b64encode(content).decode()
        for number, (folder, files) in enumerate(folders.items()):
            name = _tidy(f"{service}-files-{number}")
            self.volumes.append(Volume(name=name, secret=files))
            found.append(VolumeMount(name=name, mount_path=folder, read_only=True))
        paths = [mount.mount_path for mount in found]
        for path in paths:
            if paths.count(path) > 1:
                raise ComposeError(key, f"two things are mounted at {path}")
        return found

    # --- volumes ---

    def _volume(self, service: str, index: int, said: Any, key: str) -> VolumeMount:
        if isinstance(said, Mapping):
            for name in said:
                if name not in ("type", "source", "target", "read_only"):
                    raise ComposeError(f"{key}.{name}", "a mount has no such thing")
            if said.get("type", "volume") != "volume":
                raise ComposeError(f"{key}.type", _no_folders(said.get("type")))
            source, target, read_only = said.get("source"), said.get("target"), bool(said.get("read_only"))
        else:
            source, target, mode = _split(str(said), key)
            read_only = mode == "ro"
        if not target or not str(target).startswith("/"):
            raise ComposeError(key, "a mount needs an absolute path in the container")
        if source is None:
            name = _tidy(f"{service}-volume-{index}")
            self.volumes.append(Volume(name=name, empty_dir={}))
        else:
            name = self._named(str(source), key)
        return VolumeMount(name=name, mount_path=str(target), read_only=read_only or None)

    def _named(self, source: str, key: str) -> str:
        if source.startswith((".", "/", "~")):
            raise ComposeError(key, _no_folders("bind"))
        if source not in self._declared["volumes"]:
            raise ComposeError(key, f"the file declares no volume {source}")
        name = _tidy(source)
        if all(volume.name != name for volume in self.volumes):
            self.volumes.append(self._made(name, self._declared["volumes"][source] or {}, f"volumes.{source}"))
        return name

    def _made(self, name: str, said: Mapping[str, Any], key: str) -> Volume:
        for word in said:
            if word not in ("driver", "driver_opts", "name", "labels"):
                raise ComposeError(f"{key}.{word}", "a group has no such thing")
        driver, options = said.get("driver", "local"), said.get("driver_opts") or {}
        if driver == "azure_file":
            try:
                share = AzureFileVolume(
                    share_name=options["share_name"],
                    storage_account_name=options["storage_account_name"],
                    storage_account_key=options.get("storage_account_key"),
                )
            except KeyError as missing:
                raise ComposeError(f"{key}.driver_opts", f"{missing.args[0]} is missing") from None
            return Volume(name=name, azure_file=share)
        if driver != "local" or options:
            raise ComposeError(f"{key}.driver", "known are local, without options, and azure_file")
        return Volume(name=name, empty_dir={})

    # --- secrets and configs ---

    def _file(self, kind: str, said: Any, key: str) -> tuple[str, bytes]:
        entry = said if isinstance(said, Mapping) else {"source": said}
        for name in entry:
            if name not in _FILE_KEYS:
                raise ComposeError(f"{key}.{name}", "files belong to root and can be read by all in the container")
        source = str(entry.get("source", ""))
        if source not in self._declared[kind]:
            raise ComposeError(key, f"the file declares no {kind} {source!r}")
        content = self._content(self._declared[kind][source] or {}, f"{kind}.{source}")
        target = str(entry.get("target") or (source if kind == "secrets" else f"/{source}"))
        return (target if target.startswith("/") else posixpath.join(_SECRETS, target)), content

    def _content(self, said: Mapping[str, Any], key: str) -> bytes:
        for name in said:
            if name not in ("file", "environment", "content", "name"):
                raise ComposeError(f"{key}.{name}", "only what stands in a file or in the environment can be used")
        if "content" in said:
            return str(said["content"]).encode()
        if "environment" in said:
            value = self._variables.get(str(said["environment"]))
            if value is None:
                raise ComposeError(f"{key}.environment", f"the variable {said['environment']} is not set")
            return value.encode()
        if "file" not in said:
            raise ComposeError(key, "it has neither file nor environment")
        path = self._folder / str(said["file"])
        if not path.is_file():
            raise ComposeError(f"{key}.file", f"there is no file {path}")
        return path.read_bytes()


def _split(said: str, key: str) -> tuple[str | None, str, str]:
    parts = said.split(":")
    mode = parts.pop() if len(parts) > 1 and not parts[-1].startswith("/") else "rw"
    if mode not in ("rw", "ro") or len(parts) > 2:  # noqa: PLR2004 - source and target
        raise ComposeError(key, f"{said!r} is not [VOLUME:]PATH[:ro]")
    return (parts[0], parts[1], mode) if len(parts) > 1 else (None, parts[0], mode)


def _no_folders(kind: object) -> str:
    return (
        f"a {kind} mount needs this machine's folders, which a group elsewhere does not see: use a volume, a share "
        "(driver: azure_file), or for small files secrets or configs"
    )


def _tidy(name: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:63]
