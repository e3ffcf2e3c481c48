"""Copies files into and out of a container, as a program of its own that can reach nothing but the container's files.

``python -I -S -B copier.py out|in ROOT PATH LIMIT UID GID``: ROOT is the number of an open file, the container's root.
It goes there for good (chroot), gives up what rights it does not need, and then writes a tar stream to standard output,
or unpacks one from standard input.  What goes wrong is one line of JSON on standard error.

Nothing of the container is trusted: names are never looked up (that would load the container's libraries), nothing
is imported after the chroot, and a link can only lead to where the container's own links lead.
"""

from __future__ import annotations

import ctypes
import json
import os
import posixpath
import stat
import struct
import sys
import tarfile
from collections.abc import Iterator
from typing import IO, NoReturn

_CHUNK = 1 << 18
_CHOWN, _DAC_OVERRIDE, _FOWNER = 0, 1, 3
_CAPABILITIES_3 = 0x20080522
_NO_NEW_PRIVS = 38
_BLOCK = 512


class Refuse(Exception):
    """Ends the copy with a reason and a sentence."""


def confine(root: int) -> None:
    """Go to the container's root for good and keep only the rights that files need."""
    os.fchdir(root)
    os.chroot(".")
    os.chdir("/")
    os.close(root)
    os.umask(0)
    sys.path.clear()
    sys.meta_path.clear()
    libc = ctypes.CDLL(None, use_errno=True)
    kept = 1 << _CHOWN | 1 << _DAC_OVERRIDE | 1 << _FOWNER
    header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITIES_3, 0))
    data = ctypes.create_string_buffer(struct.pack("6I", kept, kept, 0, 0, 0, 0))
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.capset(header, data):
        raise OSError(ctypes.get_errno(), "cannot give up rights")


# --- out --------------------------------------------------------------------------------------------------------


def _kernel() -> set[int]:
    """Give the file systems that hold no files but views of the kernel."""
    found = set()
    for path in ("/proc", "/sys", "/dev"):
        try:
            found.add(os.lstat(path).st_dev)
        except OSError:
            continue
    return found - {os.lstat("/").st_dev}


def _walk(path: str, name: str, passed: set[int]) -> Iterator[tuple[str, str, os.stat_result]]:
    """Give every entry below a path with its name in the archive; a folder before what is in it."""
    found = os.lstat(path)
    yield path, name, found
    if not stat.S_ISDIR(found.st_mode) or found.st_dev in passed:
        return
    waiting = [(path, name)]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            entries = sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            continue  # it went away
        for entry in entries:
            below, below_name = posixpath.join(folder, entry), posixpath.join(prefix, entry)
            try:
                found = os.lstat(below)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(found.st_mode):
                if found.st_dev in passed:
                    continue
                waiting.append((below, below_name))
            yield below, below_name, found


class _Exactly:
    """A file that has exactly the size that was announced, though the container may write it meanwhile."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """Read exactly so many bytes, zeros for those that are gone."""
        data = self._file.read(size)
        return data + bytes(size - len(data))


def _described(name: str, found: os.stat_result) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode = stat.S_IMODE(found.st_mode)
    member.uid, member.gid = found.st_uid, found.st_gid
    member.mtime = int(found.st_mtime)
    return member


def copy_out(path: str, limit: int) -> None:
    """Write the tar stream of a path."""
    name = "." if path.endswith("/.") or path.rstrip("/") == "" else posixpath.basename(path.rstrip("/"))
    top = posixpath.normpath(path) if name != "." else posixpath.join(path, ".")
    size = 0
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_CHUNK) as archive:
        for below, inside, found in _walk(top, name, _kernel()):
            member = _described(inside, found)
            size += _BLOCK + found.st_size * stat.S_ISREG(found.st_mode)
            if size > limit:
                raise Refuse("ArchiveTooLarge", f"{path} has more than {limit} bytes")
            if stat.S_ISDIR(found.st_mode):
                member.type = tarfile.DIRTYPE
                archive.addfile(member)
            elif stat.S_ISLNK(found.st_mode):
                member.type = tarfile.SYMTYPE
                member.linkname = os.readlink(below)
                archive.addfile(member)
            elif stat.S_ISREG(found.st_mode):
                _add(archive, member, below)


def _add(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    """Add a file, unless it has become something else since it was looked at."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(file)
        if stat.S_ISREG(found.st_mode):
            member.size = min(member.size or found.st_size, found.st_size)
            archive.addfile(member, _Exactly(opened))  # type: ignore[arg-type]


# --- in ---------------------------------------------------------------------------------------------------------


def _inside(name: str) -> str:
    """Give a member's name relative to the folder.  Raises `Refuse` for one that leads up."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise Refuse("InvalidArchive", f"the name '{name}' leads out of the folder")
    return "/".join(parts)


def _clear(name: str) -> None:
    """Remove what stands in the way of a member; never a folder."""
    try:
        os.unlink(name)
    except FileNotFoundError:
        os.makedirs(posixpath.dirname(name) or ".", 0o755, exist_ok=True)


def copy_in(path: str, owner: tuple[int, int]) -> None:
    """Unpack standard input into a folder."""
    os.chdir(path)
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|", bufsize=_CHUNK) as archive:
        for member in archive:
            _unpack(archive, member, owner)


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, owner: tuple[int, int]) -> None:
    name = _inside(member.name)
    if member.isdir():
        if name:
            os.makedirs(name, 0o755, exist_ok=True)
            os.chown(name, *owner)
            os.chmod(name, member.mode & 0o777)
        return
    if not name or member.issparse() or not (member.isreg() or member.issym() or member.islnk()):
        raise Refuse("InvalidArchive", f"'{member.name}' is neither a file nor a folder nor a link")
    if member.islnk():
        source = _inside(member.linkname)
        _clear(name)
        os.link(source, name, follow_symlinks=False)
        return
    _clear(name)
    if member.issym():
        os.symlink(member.linkname, name)
        os.chown(name, *owner, follow_symlinks=False)
        return
    content = archive.extractfile(member)
    if content is None:
        raise Refuse("InvalidArchive", f"'{member.name}' has no content")
    # A new file each time: nothing that was planted under this name is written through.
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(file, "wb") as opened:
        while block := content.read(_CHUNK):
            opened.write(block)
        opened.flush()
        os.fchown(file, *owner)
        os.fchmod(file, member.mode & 0o777)
        os.utime(file, (member.mtime, member.mtime))


# --- the program ------------------------------------------------------------------------------------------------


def _fail(reason: str, sentence: str) -> NoReturn:
    sys.stderr.write(json.dumps({"reason": reason, "message": sentence}) + "\n")
    sys.stderr.flush()
    os._exit(1)  # what Python would still flush belongs to an archive that is not whole


def main() -> None:
    """Copy as the arguments say."""
    what, root, path, limit, uid, gid = sys.argv[1:]
    try:
        json.dumps({"m": "é"})  # loads what encoding needs, while files can still be imported
        "x".encode("utf-8", "surrogateescape").decode("ascii")
        confine(int(root))
        if what == "out":
            copy_out(path, int(limit))
        else:
            copy_in(path, (int(uid), int(gid)))
        sys.stdout.flush()
    except Refuse as refused:
        _fail(*refused.args)
    except (FileNotFoundError, NotADirectoryError) as error:
        _fail("PathNotFound", f"{error.filename or path}: {error.strerror}")
    except tarfile.TarError as error:
        _fail("InvalidArchive", f"that is not a tar stream: {error}")
    except OSError as error:
        _fail("CopyFailed", f"{error.filename or path}: {error.strerror}")


if __name__ == "__main__":
    main()
