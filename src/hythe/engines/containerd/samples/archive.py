"""Writes OCI image archives: the same content gives the same bytes, whoever writes it and when."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_ARCHITECTURES = {"x86_64": ("amd64", None), "aarch64": ("arm64", "v8"), "armv7l": ("arm", "v7"), "i686": ("386", None)}
_EPOCH = "1970-01-01T00:00:00Z"


class Tree:
    """Gathers the files of one image layer."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}

    def _add(self, path: str, kind: bytes, mode: int, content: bytes = b"", target: str = "") -> None:
        name = path.strip("/")
        for parent in PurePosixPath(name).parents:
            if str(parent) not in (".", *self._entries):
                self.directory(str(parent))
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.size, info.linkname = kind, mode, len(content), target
        self._entries[name] = (info, content)

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Add a file."""
        self._add(path, tarfile.REGTYPE, mode, content)

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Add a directory; those above it come by themselves."""
        self._add(path, tarfile.DIRTYPE, mode)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._add(path, tarfile.SYMTYPE, 0o777, target=target)

    def layer(self) -> bytes:
        """Give the layer, not compressed: importing from a local disk is quicker so."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for _, (info, content) in sorted(self._entries.items()):
                tar.addfile(info, io.BytesIO(content))
        return out.getvalue()


@dataclass(frozen=True, kw_only=True)
class Config:
    """Says what runs in a container of the image when nobody says otherwise."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    workdir: str = "/"
    ports: tuple[int, ...] = ()


def _platform() -> dict[str, str]:
    machine = platform.machine()
    architecture, variant = _ARCHITECTURES.get(machine, (machine, None))
    return {"architecture": architecture, "os": "linux"} | ({"variant": variant} if variant else {})


def _image_config(config: Config, layers: list[bytes]) -> bytes:
    run: dict[str, object] = {
        "Env": [f"{name}={value}" for name, value in sorted((config.environment or {}).items())],
        "WorkingDir": config.workdir,
    }
    if config.entrypoint:
        run["Entrypoint"] = list(config.entrypoint)
    if config.command:
        run["Cmd"] = list(config.command)
    if config.ports:
        run["ExposedPorts"] = {f"{port}/tcp": {} for port in config.ports}
    return _json(
        {
            **_platform(),
            "created": _EPOCH,
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
            "history": [{"created": _EPOCH, "created_by": "hythe samples"} for _ in layers],
        }
    )


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def write_archive(out: BinaryIO, name: str, layers: list[bytes], config: Config) -> None:
    """Write one image, under its full name, as a tar that `ctr`, `podman` and `skopeo` can read."""
    blobs: dict[str, bytes] = {}

    def blob(kind: str, content: bytes) -> dict[str, object]:
        digest = _digest(content)
        blobs[digest] = content
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": blob(_CONFIG, _image_config(config, layers)),
        "layers": [blob(_LAYER, layer) for layer in layers],
    }
    descriptor = blob(_MANIFEST, _json(manifest)) | {
        "platform": _platform(),
        "annotations": {
            "io.containerd.image.name": name,
            "org.opencontainers.image.ref.name": name.rpartition(":")[2],
        },
    }
    archive = Tree()
    archive.file("oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
    archive.file("index.json", _json({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [descriptor]}))
    for digest, content in blobs.items():
        archive.file(f"blobs/{digest.replace(':', '/')}", content)
    out.write(archive.layer())


def files_below(folder: Path) -> list[tuple[str, bytes]]:
    """Give relative name and content of every file below a folder, in order of name."""
    return [
        (path.relative_to(folder).as_posix(), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
