"""Deployments of templates: Microsoft.Resources/deployments."""

from __future__ import annotations

from typing import Any, ClassVar

from ._base import Model


class Deployment(Model, kw_only=True):
    """Resources that were asked for together, by a template and its parameters."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type", "location", "tags")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    mode: str | None = None
    template: dict[str, Any] | None = None
    """Not part of an answer."""
    parameters: dict[str, Any] | None = None
    """Each as ``{"value": ...}``; in an answer with its type, and without the value of a secure one."""
    outputs: dict[str, Any] | None = None
    """Read-only."""
    output_resources: list[dict[str, Any]] | None = None
    """Read-only."""
    dependencies: list[dict[str, Any]] | None = None
    """Read-only."""
    providers: list[dict[str, Any]] | None = None
    """Read-only."""
    correlation_id: str | None = None
    """Read-only."""
    template_hash: str | None = None
    """Read-only."""
    timestamp: str | None = None
    """Read-only."""
    duration: str | None = None
    """Read-only."""
    error: dict[str, Any] | None = None
    """Read-only."""
    provisioning_state: str | None = None
    """Read-only."""
