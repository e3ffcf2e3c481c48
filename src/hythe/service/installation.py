"""An installation: a data dir that one service holds, its id, its port, and what it writes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OURS = (
    "ca-bundle.pem", "ca.pem", "cache", "engine", "hythe.db", "hythe.db-shm", "hythe.db-wal", "installation", "lock",
    "metrics.db", "metrics.db-shm", "metrics.db-wal", "my.azureauth", "secrets.key", "service.json", "service.log",
    "shares", "tls",
)  # fmt: skip
"""Everything that a service writes into its data dir."""


class CannotStart(Exception):
    """The service can't start; the sentence says why and what to do."""


@contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Hold a data dir for this process alone.  Raises `CannotStart`."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data_dir / "lock").open("a+")
    except OSError as error:
        raise CannotStart(f"cannot use {data_dir}: {error.strerror}. Choose another folder with --data-dir.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"cannot use {data_dir}: another service runs there. "
                "Stop it with `hythe down`, or choose another folder with --data-dir."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def installation_id(data_dir: Path) -> str:
    """Give the installation's id, made on first start: owner label, links, subnet and chains carry it."""
    path = data_dir / "installation"
    if not path.exists():
        path.write_text(f"{uuid.uuid4().hex[:8]}\n")
    return path.read_text().strip()


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is done.  Raises `CannotStart`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(512)
    except OSError as error:
        taken.close()
        why = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror
        raise CannotStart(f"cannot listen on {host}:{port}: {why}. Choose another port with --port.") from None
    return taken


def remove_files(data_dir: Path) -> None:
    """Remove everything that a service wrote into a data dir, and the dir if nothing else is in it."""
    for name in _OURS:
        path = data_dir / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        data_dir.rmdir()
