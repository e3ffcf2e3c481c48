"""Ends what a containerd that was killed left, and of which the next one knows nothing.

One that dies while it creates a container leaves a shim without a task, a process that was made and not started, or the
bundle of either.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from ..base import EngineError
from .config import Place
from .daemon import mount_namespace
from .rpc import NAMESPACE, Containerd
from .sight import Sight
from .tasks import is_known

log = logging.getLogger(__name__)

_SHIM = "containerd-shim-runc-v2"
_RUNTIMES = ("crun", "runc")
_LOOK_SECONDS = 10.0
_DELETE_SECONDS = 20.0


def found(place: Place) -> dict[str, set[int]]:
    """Give the containers of an installation's own containerd of which there is a bundle, a shim or a runtime.

    With each the processes that are for it.
    """
    named: defaultdict[str, set[int]] = defaultdict(set)
    for bundle in _bundles(place).glob("*"):
        named[bundle.name] = set()
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        identity, _ = _subject(int(pid), place)
        if identity:
            named[identity].add(int(pid))
    return named


def _subject(pid: int, place: Place) -> tuple[str, bool]:
    """Give the container that a process is for, and whether it is a shim; empty if it is nothing of this containerd."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:  # several times as fast as by Path
            command = file.read()
    except OSError:
        return "", False  # it has just ended
    if f"{place.state}/".encode() not in command:
        return "", False
    program, *words = command.decode(errors="replace").split("\0")
    program = program.rpartition("/")[2]
    if program == _SHIM:
        option = dict(pairwise(words))
        mine = (option.get("-namespace"), option.get("-address")) == (NAMESPACE, place.socket)
        return option.get("-id", "") if mine else "", True
    bundles = f"{_bundles(place)}/"
    paths = [word.removeprefix(bundles) for word in words if word.startswith(bundles)]
    return paths[0].partition("/")[0] if paths and program in _RUNTIMES else "", False


def end(place: Place, identity: str, processes: set[int]) -> None:
    """End and remove what there is of a container that containerd does not know.

    The shim of a pod serves all its containers, and the bundle of each names its socket: it goes with the last of them.
    """
    bundle = _bundles(place) / identity
    address = _address(bundle)
    shared = bool(address) and any(
        _address(other) == address for other in bundle.parent.glob("*") if other.name != identity
    )
    if shared and (identity, True) in {_subject(pid, place) for pid in processes}:
        return
    log.info("ending what containerd left of container %s, which it does not know", identity)
    _delete(place, identity, bundle)
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            process = os.pidfd_open(pid)
            try:
                if _subject(pid, place)[0] == identity:  # its number may be another's by now
                    signal.pidfd_send_signal(process, signal.SIGKILL)
            finally:
                os.close(process)
    if address and not shared:
        Path(address.removeprefix("unix://")).unlink(missing_ok=True)
    for folder in (bundle, _bundles(place, place.root) / identity):
        shutil.rmtree(folder, ignore_errors=True)


def _address(bundle: Path) -> str:
    try:
        return (bundle / "address").read_text()
    except OSError:
        return ""


def _delete(place: Place, identity: str, bundle: Path) -> None:
    """Have a container ended by its runtime and unmounted, as containerd does it when a shim is dead."""
    if not bundle.is_dir():
        return
    command = [_SHIM, "-namespace", NAMESPACE, "-address", place.socket, "-publish-binary", "containerd",
               "-id", identity, "-bundle", str(bundle), "delete"]  # fmt: skip
    within = mount_namespace(place)
    there = ["sh", "-c", 'cd "$0" && exec "$@"', str(bundle)]  # it looks at its working directory
    try:
        subprocess.run([*within, *there, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True,
                       timeout=_DELETE_SECONDS)  # fmt: skip
    except subprocess.CalledProcessError as error:  # the bundle was not finished, so that there is no process
        log.info("%s: %s", _SHIM, error.stderr.decode(errors="replace").strip())
        subprocess.run([*within, "umount", "--lazy", bundle / "rootfs"], stderr=subprocess.DEVNULL, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("cannot end container %s: %s", identity, error)


def end_all(place: Place) -> None:
    """End and remove what there is of every container, when containerd is not there any more."""
    for identity, processes in found(place).items():
        end(place, identity, processes)


async def end_forgotten(place: Place, sight: Sight, containerd: Callable[[], Containerd]) -> None:
    """End, for ever, what is there of containers that two looks do not know: to remove one takes a moment."""
    suspects: set[str] = set()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        there = await asyncio.to_thread(found, place)
        try:
            unknown = await _unknown(there, sight, containerd()) if there else set()
            for identity in unknown & suspects:
                await asyncio.to_thread(end, place, identity, there[identity])
            suspects = unknown
        except (EngineError, OSError) as error:
            log.info("cannot end what containerd does not know: %s", error)


async def _unknown(identities: Iterable[str], sight: Sight, containerd: Containerd) -> set[str]:
    """Give those of which containerd has no books: it makes them before anything else of a container."""
    listed = {identity for each in (await sight.glance(containerd)).values() for identity, _ in each}
    return {each for each in set(identities) - listed if not await is_known(containerd, each)}


def _bundles(place: Place, within: Path | None = None) -> Path:
    """Give the folder of the bundles, or of what containerd keeps of them over a reboot."""
    return (within or place.state) / "containerd" / "io.containerd.runtime.v2.task" / NAMESPACE
