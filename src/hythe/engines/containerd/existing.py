"""Uses a containerd that is there already, if nobody else rules it and its network keeps groups apart."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from ..base import EngineError, Lost
from .config import SANDBOX_IMAGE, Place
from .images import ImageShelf
from .proto import cri_pb2 as cri
from .rpc import NAMESPACE, Containerd

_KUBELETS = "io.kubernetes.pod.uid"
"""A label of every sandbox that a kubelet makes."""
_BOOKED_STEPS, _BOOKED_SECONDS = 200, 0.01


class _Network(Struct, rename="pascal"):
    name: str


class _Listed(Struct, rename="pascal"):
    config: _Network


class _Networks(Struct, rename="pascal"):
    """What containerd tells of its CNI configuration; the first network is always the loopback."""

    plugin_conf_dir: str
    networks: list[_Listed]


class _Config(Struct, rename="camel"):
    sandbox_image: str


async def connect(place: Place, address: str) -> tuple[Containerd, str]:
    """Connect to a containerd; give it and the name of its sandbox image.  Raises `Lost` with what to do."""
    if not Path(address).is_socket():
        raise Lost(f"cannot use the containerd at {address}: there is no such socket. Name another in hythe.toml.")
    containerd = Containerd(address)
    try:
        sandboxes = await containerd.call("ListPodSandbox", cri.ListPodSandboxRequest(), cri.ListPodSandboxResponse)
        status = await containerd.call("Status", cri.StatusRequest(verbose=True), cri.StatusResponse)
        return containerd, check(place, address, (each.labels for each in sandboxes.items), status.info)
    except EngineError as error:
        await containerd.close()
        if str(error).startswith("cannot "):
            raise
        raise Lost(f"cannot use the containerd at {address}: {error}. Is its CRI plugin on?") from None


def reconnect(place: Place, address: str) -> Containerd | None:
    """Connect once more, only to remove what is ours; None if nothing of ours was ever there.  Raises `Lost`."""
    if Path(address).is_socket():
        return Containerd(address)
    if place.logs.is_dir() and any(place.logs.iterdir()):
        raise Lost(f"cannot reach the containerd at {address}, which has our groups. Start it and try again.")
    return None


def check(place: Place, address: str, sandboxes: Iterable[Mapping[str, str]], info: Mapping[str, str]) -> str:
    """See that no kubelet rules this containerd and that its network is Hythe's; give its sandbox image.

    ``sandboxes`` are the labels of every sandbox, ``info`` is what CRI's Status tells when it is verbose.
    Raises `Lost`.
    """
    if any(_KUBELETS in labels for labels in sandboxes):
        raise Lost(
            f"cannot use the containerd at {address}: a kubelet uses it and would remove our groups. "
            "Take engine.containerd.address out of hythe.toml, and Hythe starts one of its own."
        )
    networks = msgspec.json.decode(info["cniconfig"], type=_Networks)
    first = next((each.config.name for each in networks.networks[1:]), None)
    if first != place.network:
        why = f"its network is '{first}', in which groups could reach each other" if first else "it has no network"
        ours, theirs = place.root / "cni" / "10-hythe.conflist", Path(networks.plugin_conf_dir) / "00-hythe.conflist"
        raise Lost(
            f"cannot use the containerd at {address}: {why}. Give it Hythe's: "
            f"mkdir -p {shlex.quote(str(theirs.parent))} && cp {shlex.quote(str(ours))} {shlex.quote(str(theirs))}"
        )
    return msgspec.json.decode(info["config"], type=_Config).sandbox_image


async def provide_sandbox_image(containerd: Containerd, place: Place, images: ImageShelf, wanted: str) -> None:
    """See to it that containerd has its sandbox image: its own, or ours by its name where its own can't be had."""
    with contextlib.suppress(EngineError):
        await images.ensure(containerd, wanted, "", None)
        return
    process = await asyncio.create_subprocess_exec(
        "ctr", "--address", place.socket, "--namespace", NAMESPACE, "images", "tag", "--force", SANDBOX_IMAGE, wanted,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    if process.returncode:
        raise Lost(f"cannot give containerd its sandbox image {wanted}: {said.decode(errors='replace').strip()}")
    for _ in range(_BOOKED_STEPS):  # CRI hears of it by an event
        if await images.present(containerd, wanted, ""):
            return
        await asyncio.sleep(_BOOKED_SECONDS)
