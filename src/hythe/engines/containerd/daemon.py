"""The containerd process that Hythe looks after: started detached, so that containers survive a restart of Hythe."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from ..base import Lost
from .config import Place, containerd_config
from .rpc import Containerd

_START_SECONDS = 20.0
_CGROUP2 = Path("/sys/fs/cgroup/unified")


def hybrid() -> bool:
    """Tell whether this host has cgroup v1 controllers and an empty cgroup v2 tree beside them."""
    return (_CGROUP2 / "cgroup.procs").exists()


def running_pid(place: Place) -> int | None:
    """Give the pid of this installation's containerd, or None.  A pid that went to another program is not believed."""
    try:
        pid = int((place.state / "containerd.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if command == [b""]:  # in the middle of an exec, or dead and not yet reaped
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            return pid if state != "Z" else None
    except (OSError, ValueError):
        return None
    return pid if str(place.root / "containerd.toml").encode() in command else None


async def ensure(place: Place) -> Containerd:
    """Connect to this installation's containerd, starting it if it does not run.  Raises `Lost`."""
    if running_pid(place) is None:
        _start(place)
    deadline = time.monotonic() + _START_SECONDS
    containerd = Containerd(place.socket)
    while True:
        try:
            await containerd.version()
        except Exception as error:  # not up yet: the socket is missing, or its plugins are being loaded
            if time.monotonic() > deadline or running_pid(place) is None:
                await containerd.close()
                raise Lost(f"cannot start containerd: {error}. Its log is {place.root / 'containerd.log'}.") from None
            await asyncio.sleep(0.02)
        else:
            return containerd


def _start(place: Place) -> None:
    if shutil.which("containerd") is None:
        raise Lost("cannot start containerd: it is not installed. `hythe doctor` names the command that installs it.")
    place.state.mkdir(parents=True, exist_ok=True, mode=0o711)
    place.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = place.root / "containerd.toml"
    config.write_text(containerd_config(place))
    with contextlib.suppress(FileNotFoundError):
        Path(place.socket).unlink()
    with (place.root / "containerd.log").open("ab") as log:
        process = subprocess.Popen(
            [*mount_namespace(place), "containerd", "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # Without the caller's environment: it may hold secrets, and containerd hands its own to the shims.
            env={
                name: value
                for name, value in os.environ.items()
                if name in ("PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
            },
        )
    (place.state / "containerd.pid").write_text(str(process.pid))


def mount_namespace(place: Place) -> list[str]:
    """Give the words that put a program into containerd's own mount namespace, where crun needs that one.

    crun refuses a host with both kinds of cgroup, so cgroup v2 is unmounted where only containerd and its containers
    see it.  The namespace is kept by a bind mount: a containerd that is started again must find the mounts of the
    containers that went on without it.
    """
    if not hybrid():
        return []
    folder = place.state / "mounts"
    pin = folder / "namespace"
    if not pin.exists():
        folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "--bind", folder, folder], check=True)
        subprocess.run(["mount", "--make-private", folder], check=True)
        pin.touch()
        subprocess.run(
            ["unshare", f"--mount={pin}", "--propagation", "slave", "umount", str(_CGROUP2)],
            check=True,
        )
    return ["nsenter", f"--mount={pin}", "--"]


async def stop(place: Place) -> None:
    """End containerd; its containers must be gone already."""
    pid = running_pid(place)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while running_pid(place) is not None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline = time.monotonic() + 10
            await asyncio.sleep(0.02)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # it may be our own child


def clear(place: Place) -> None:
    """Remove what containerd keeps until the next boot; it and all that it started must have ended."""
    folder = place.state / "mounts"
    for mounted in (folder / "namespace", folder):
        if mounted.exists():
            subprocess.run(["umount", "--lazy", mounted], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(place.state, ignore_errors=True)
