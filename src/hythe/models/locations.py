"""What a location offers.  Source: the REST contract of Microsoft.ContainerInstance, api-version 2026-07-01."""

from __future__ import annotations

from ._base import Model


class CachedImages(Model, kw_only=True):
    """An image that is there already: a group that uses it starts sooner."""

    os_type: str
    image: str


class CachedImagesListResult(Model, kw_only=True):
    """One page of images."""

    value: list[CachedImages] | None = None
    next_link: str | None = None


class CapabilitiesCapabilities(Model, kw_only=True):
    """The most that a group can ask for."""

    max_memory_in_gb: float | None = None
    max_cpu: float | None = None
    max_gpu_count: float | None = None


class Capabilities(Model, kw_only=True):
    """What a group can be in a location."""

    resource_type: str | None = None
    os_type: str | None = None
    location: str | None = None
    ip_address_type: str | None = None
    gpu: str | None = None
    capabilities: CapabilitiesCapabilities | None = None


class CapabilitiesListResult(Model, kw_only=True):
    """One page of capabilities."""

    value: list[Capabilities] | None = None
    next_link: str | None = None
