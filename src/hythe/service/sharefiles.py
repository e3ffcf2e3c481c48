"""Copies files into and out of file shares.

Containers write into shares: any name in one may be a link by the time it is used.  So paths are walked one part at a
time, each opened below the one before and never through a link, and what is neither a file nor a directory stays out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from msgspec import Struct

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_MOST_DEPTH = 100


class Copied(Struct, kw_only=True):
    """What a copy did."""

    files: int = 0
    bytes: int = 0
    left_out: int = 0
    """Links, sockets, devices and pipes."""


def used_bytes(folder: Path) -> int:
    """Count the bytes of all files below a folder; links are not followed, what vanishes meanwhile is not counted."""
    total = 0
    for _, _, names, handle in os.fwalk(folder, follow_symlinks=False):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(name, dir_fd=handle, follow_symlinks=False).st_size
    return total


def copy(source: tuple[Path, PurePosixPath], target: tuple[Path, PurePosixPath], most: int | None = None) -> Copied:
    """Copy a file or a directory: each side is a trusted folder and a path in it.  As `cp -r`: a target that is a
    directory gets it under its own name.

    Raises OSError with a sentence, also when more than ``most`` bytes would be copied.
    """
    copied = Copied()
    with _opened(source[0], source[1].parts[:-1]) as from_folder:
        name = source[1].name or "."
        parts = target[1].parts
        with contextlib.ExitStack() as stack:
            try:
                into, as_name = stack.enter_context(_opened(target[0], parts)), PurePosixPath(name).name
            except (FileNotFoundError, NotADirectoryError):
                into, as_name = stack.enter_context(_opened(target[0], parts[:-1])), target[1].name
            if not as_name:  # the whole of a share: what is in it goes into the target
                for each in os.listdir(from_folder):
                    _copy(from_folder, each, into, each, copied, most, 0)
            else:
                _copy(from_folder, name, into, as_name, copied, most, 0)
    return copied


@contextmanager
def _opened(root: Path, parts: tuple[str, ...]) -> Iterator[int]:
    """Open a folder below a trusted one, part by part, through no link."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            if part in ("..", "/"):
                raise PermissionError(1, "the path may not contain '..'")
            inner = os.open(part, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def _copy(source: int, name: str, target: int, as_name: str, copied: Copied, most: int | None, depth: int) -> None:
    found = os.stat(name, dir_fd=source, follow_symlinks=False)
    if stat.S_ISREG(found.st_mode):
        _copy_file(source, name, target, as_name, copied, most)
    elif stat.S_ISDIR(found.st_mode) and depth < _MOST_DEPTH:
        with contextlib.suppress(FileExistsError):
            os.mkdir(as_name, 0o755, dir_fd=target)
        inner = os.open(name, _FOLDER, dir_fd=source)
        try:
            into = os.open(as_name, _FOLDER, dir_fd=target)
            try:
                for each in os.listdir(inner):
                    _copy(inner, each, into, each, copied, most, depth + 1)
            finally:
                os.close(into)
        finally:
            os.close(inner)
    else:
        copied.left_out += 1


def _copy_file(source: int, name: str, target: int, as_name: str, copied: Copied, most: int | None) -> None:
    """Copy one file under a name of its own, then let it take its place: what had the name is never written through."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=source)
    with os.fdopen(handle, "rb") as reading:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            copied.left_out += 1
            return
        if most is not None and copied.bytes + found.st_size > most:
            raise OSError(28, "the quota of the share would be exceeded")
        partial = f".hythe-{uuid.uuid4().hex}"
        made = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=target)
        try:
            with os.fdopen(made, "wb") as writing:
                shutil.copyfileobj(reading, writing, 1 << 20)
                os.fchmod(made, stat.S_IMODE(found.st_mode) & 0o777)
            os.rename(partial, as_name, src_dir_fd=target, dst_dir_fd=target)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(partial, dir_fd=target)
            raise
    copied.files += 1
    copied.bytes += found.st_size
