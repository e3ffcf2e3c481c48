"""Makes and unpacks the tar archives in which files go into containers and come out.  No network."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tarfile

_IN_MEMORY = 16 << 20
Local = str | os.PathLike[str]


def spool() -> IO[bytes]:
    """Give a file for an archive: in memory while it is small."""
    import tempfile

    made: Any = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller closes it
    return made  # type: ignore[no-any-return]


def place(target: str, source: Local) -> tuple[str, str]:
    """Give the folder in the container into which to unpack, and the name that the copy has there.

    A target that ends with ``/`` is a folder, and the copy keeps its name.  Raises ValueError for a relative path.
    """
    if not target.startswith("/"):
        raise ValueError(f"cannot copy to {target!r}: give an absolute path in the container")
    if target.endswith("/"):
        return posixpath.normpath(target), Path(source).resolve().name
    folder, name = posixpath.split(posixpath.normpath(target))
    return folder, name


def pack(source: Local, name: str) -> IO[bytes]:
    """Write a file or a folder into an archive under a name; the caller closes it.  Raises OSError."""
    import tarfile

    file = spool()
    try:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.add(os.fspath(source), arcname=name)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def unpack(file: IO[bytes], source: str, target: Local) -> Path:
    """Write what an archive of the container's ``source`` holds to ``target``, and return where it is.

    Into ``target`` if that is a folder, else as ``target``.  Nothing is written outside of it, and no link that leads
    outside.  Raises OSError, and ValueError for an archive that would.
    """
    import tarfile

    where = Path(target)
    name = PurePosixPath(source.rstrip("/")).name or "root"
    keeps_name = where.is_dir() or os.fspath(target).endswith(os.sep)
    into, new_name = (where, name) if keeps_name else (where.parent, where.name)
    into.mkdir(parents=True, exist_ok=True)
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                archive.extract(_tamed(member, into, new_name), into)
    except tarfile.TarError as why:
        raise ValueError(f"cannot copy {source!r}: {why}") from why
    return into / new_name


def _tamed(member: tarfile.TarInfo, into: Path, name: str) -> tarfile.TarInfo:
    """Rename a member of an archive, and take away what it must not have.  Raises ValueError.

    tarfile's own filter "data" does this too, but the older versions of Python 3.11 have none.
    """
    what = f"cannot copy {member.name!r}"
    base = os.path.realpath(into / name)
    member.name = _renamed(member.name, name, what)
    parent = os.path.dirname(into / member.name)
    if member.name != name and not _is_below(os.path.realpath(parent), base):
        raise ValueError(f"{what}: it would be written outside of {base}")
    if member.islnk():  # a hard link names another member of the archive
        member.linkname = _renamed(member.linkname, name, what)
        if not _is_below(os.path.realpath(into / member.linkname), base):
            raise ValueError(f"{what}: it is a link that leads outside of {base}")
    elif member.issym():
        if not _is_below(os.path.realpath(os.path.join(parent, member.linkname)), base):
            raise ValueError(f"{what}: it is a link that leads outside of {base}")
    elif not (member.isreg() or member.isdir()):
        raise ValueError(f"{what}: it is neither a file, nor a folder, nor a link")
    member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
    member.mode &= 0o755
    member.mode |= 0o700 if member.isdir() else 0o600
    return member


def _renamed(old: str, name: str, what: str) -> str:
    """Put another name in the place of the first part of a path."""
    parts = PurePosixPath(old).parts or (".",)
    if parts[0] == "/" or ".." in parts:
        raise ValueError(f"{what}: its name leads outside")
    return posixpath.join(name, *parts[1:])


def _is_below(path: str, base: str) -> bool:
    return path == base or path.startswith(base + os.sep)
