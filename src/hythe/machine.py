"""Finds out what a machine lacks for running containers, and the command that mends it.

Imports nothing but the standard library: a fresh machine's own Python runs it before anything is installed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CNI = Path("/usr/lib/cni")
_CNI_PLUGINS = ("host-local", "loopback", "ptp")
_ROOT = "root"
_INSTALL = "apt-get update && apt-get install -y --no-install-recommends"


@dataclass(frozen=True)
class Lack:
    """Says what is missing, what it is needed for, and the command that mends it."""

    what: str
    why: str
    mend: str
    package: str = ""
    """The Debian package that mends it, if one does."""


@dataclass(frozen=True)
class Check:
    """Holds the outcome of one look at the machine."""

    what: str
    found: str
    lack: Lack | None = None


def search_path() -> str:
    """Give PATH with the system's folders: the PATH of `su` and of cron has no sbin, where runc and iptables are."""
    return ":".join(filter(None, (os.environ.get("PATH"), _SYSTEM_PATH)))


def _find(program: str) -> str | None:
    return shutil.which(program, path=search_path())


def _static_busybox() -> str | None:
    """Find a busybox that needs no libraries, told by the absence of a program interpreter in its ELF header."""
    path = _find("busybox")
    if path is None:
        return None
    with open(path, "rb") as program:
        return None if b"ld-linux" in program.read(4096) else path


def _plugins() -> str | None:
    return str(_CNI) if all(os.access(_CNI / name, os.X_OK) for name in _CNI_PLUGINS) else None


def packages() -> Iterator[Check]:
    """Look for everything that Debian packages bring."""
    for package, (what, why, find) in _PACKAGED.items():
        found = find()
        if found:
            yield Check(what, found)
        else:
            yield Check(what, "", Lack(what, why, f"{_INSTALL} {package}", package))


_PACKAGED: dict[str, tuple[str, str, Callable[[], str | None]]] = {
    "busybox-static": ("busybox (static)", "the sample images are made from it", _static_busybox),
    "catatonit": ("catatonit", "the first process of a container group is one", partial(_find, "catatonit")),
    "containerd": ("containerd", "it runs the containers", partial(_find, "containerd")),
    "containernetworking-plugins": ("CNI plugins", "they give a container group its address", _plugins),
    "crun": ("crun", "it starts containers, faster than runc", partial(_find, "crun")),
    "iproute2": ("ip", "it sets the routes to container groups", partial(_find, "ip")),
    "iptables": ("iptables", "it keeps groups apart and lets them reach the network", partial(_find, "iptables")),
    "mmdebstrap": ("mmdebstrap", "a sample image is made with it", partial(_find, "mmdebstrap")),
    "runc": ("runc", "it starts containers where crun does not work", partial(_find, "runc")),
}
DEBIAN_PACKAGES = tuple(_PACKAGED)
"""What running containers takes on Debian 12."""
_REQUIRED = frozenset({"containerd", "containernetworking-plugins", "iproute2", "iptables", "runc"})


def required() -> list[Lack]:
    """Give the lacks without which not one group can run."""
    return [check.lack for check in packages() if check.lack is not None and check.lack.package in _REQUIRED]


def _root() -> Check:
    if os.geteuid() == 0:
        return Check(_ROOT, "yes")
    return Check(_ROOT, "", Lack(_ROOT, "only root may start containers", "sudo -s"))


def _cgroups() -> Check:
    """Look for a cgroup tree that limits memory: version 2, or version 1 with a controller for it."""
    what, tree = "cgroups", Path("/sys/fs/cgroup")
    unified = tree / "cgroup.controllers"
    if unified.exists() and "memory" in unified.read_text().split():
        return Check(what, "version 2")
    if (tree / "memory" / "tasks").exists():
        return Check(what, "version 1")
    return Check(what, "", Lack(what, "they limit the containers' memory and CPU", f"mount -t cgroup2 cgroup2 {tree}"))


def _port(port: int) -> Check:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            why = f"the API answers there, and it is not free: {error.strerror}"
            return Check(f"port {port}", "", Lack(f"port {port}", why, f"hythe up --port {port + 1}"))
    return Check(f"port {port}", "free")


def checks(port: int | None = None) -> Iterator[Check]:
    """Look at everything; at a port only if one is named."""
    yield _root()
    yield from packages()
    yield _cgroups()
    if port is not None:
        yield _port(port)


def missing(port: int | None = None) -> list[Lack]:
    """Give what the machine lacks."""
    return [check.lack for check in checks(port) if check.lack is not None]


def mend(lacks: Iterable[Lack]) -> str:
    """Give the one command that mends all of it; empty if nothing lacks."""
    wanted = list(lacks)
    names = sorted({lack.package for lack in wanted if lack.package})
    steps = [f"{_INSTALL} {' '.join(names)}"] if names else []
    steps += dict.fromkeys(lack.mend for lack in wanted if not lack.package and lack.what != _ROOT)
    if any(lack.what == _ROOT for lack in wanted):
        return f"sudo sh -c {shlex.quote(' && '.join(steps))}" if steps else "sudo -s"
    return " && ".join(steps)


if __name__ == "__main__":  # `python3 src/hythe/machine.py` prints the packages to install, for the set-up script
    print(*sorted(check.lack.package for check in packages() if check.lack is not None))
