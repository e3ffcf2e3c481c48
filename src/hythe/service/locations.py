"""What a location has: quotas and what is used of them, the most that a group can ask for, images that are there."""

from __future__ import annotations

import os

from msgspec import Struct

from ..models import CachedImages, Capabilities, CapabilitiesCapabilities, Usage
from ..wire.versions import shows_usage_ids
from .admin import ImagePort
from .call import Call
from .kinds.base import region
from .quotas import Quotas

_GIB = 1 << 30


class Capacity(Struct, frozen=True, kw_only=True):
    """What the machine has and the engine can."""

    cores: int
    memory_in_gb: float
    private_addresses: bool
    """Groups can join subnets."""


def capacity(*, private_addresses: bool) -> Capacity:
    """Look at this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Capacity(
        cores=len(os.sched_getaffinity(0)),
        memory_in_gb=round(memory / _GIB, 1),
        private_addresses=private_addresses,
    )


class Locations:
    """Answers for every location alike: there is one machine."""

    def __init__(self, quotas: Quotas, capacity: Capacity, images: ImagePort | None) -> None:
        self._quotas = quotas
        self._capacity = capacity
        self._images = images

    def usages(self, call: Call) -> list[Usage]:
        """Give every quota with what is used of it."""
        location = region(call.params["location"])
        return self._quotas.usages(call.subscription, location, with_ids=shows_usage_ids(call.api_version))

    def capabilities(self, call: Call) -> list[Capabilities]:
        """Give the most that one group can ask for, for each kind of address that it can have."""
        most = CapabilitiesCapabilities(
            max_memory_in_gb=self._capacity.memory_in_gb, max_cpu=float(self._capacity.cores), max_gpu_count=0
        )
        return [
            Capabilities(
                resource_type="containerGroups",
                os_type="Linux",
                location=region(call.params["location"]),
                ip_address_type=address,
                gpu="None",
                capabilities=most,
            )
            for address in ("Public", "Private")
            if address == "Public" or self._capacity.private_addresses
        ]

    async def cached_images(self, call: Call) -> list[CachedImages]:
        """Give the images that the engine has and this subscription may use; simulated containers have none."""
        if self._images is None:
            return []
        names = await self._images.cached(call.subscription.lower())
        return [CachedImages(os_type="Linux", image=name) for name in names]
