"""Makes room on the disk: removes images that were pulled and that nothing uses, the longest unused first.

Only what a registry can give again is removed: images that were imported, and Hythe's own, stay.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from .images import ImageShelf, normalise
from .proto import cri_pb2 as cri
from .rpc import Containerd

log = logging.getLogger(__name__)


class DiskLimits(Struct, frozen=True, kw_only=True):
    """How full the disk may get, in percent."""

    high: float = 85.0
    """Above it, images are removed."""
    low: float = 80.0
    """Below it, no more are."""


def used(folder: Path) -> float:
    """Tell how full the disk of a folder is, in percent of what ordinary users can use."""
    usage = shutil.disk_usage(folder)
    return 100.0 * usage.used / (usage.used + usage.free)


async def collect(
    images: ImageShelf, containerd: Containerd, limits: DiskLimits, full: Callable[[], float]
) -> list[str]:
    """Remove what nothing uses until the disk is emptier than the low mark; give the names."""
    removed: list[str] = []
    if full() < limits.high:
        return removed
    containers = await containerd.call("ListContainers", cri.ListContainersRequest(), cri.ListContainersResponse)
    busy = {
        name for one in containers.containers for name in (one.image_ref, one.image.image, normalise(one.image.image))
    }
    listed = await containerd.call("ListImages", cri.ListImagesRequest(), cri.ListImagesResponse)
    busy |= {
        name
        for image in listed.images
        if image.id in busy or busy & {*image.repo_tags, *image.repo_digests}
        for name in (*image.repo_tags, *image.repo_digests)
    }
    for name in images.unused_longest():
        if name in busy:
            continue
        await images.remove(containerd, name)
        removed.append(name)
        log.info("removed the image %s: the disk was too full", name)
        if full() < limits.low:
            break
    return removed
