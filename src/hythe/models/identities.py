"""Identities that resources can have: Microsoft.ManagedIdentity."""

from __future__ import annotations

from typing import ClassVar

from ._base import Model


class ManagedIdentity(Model, kw_only=True):
    """An identity with a life of its own, which container groups can be given."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type", "location", "tags")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    tenant_id: str | None = None
    """Read-only."""
    principal_id: str | None = None
    """Object id that roles are assigned to.  Read-only."""
    client_id: str | None = None
    """Id that programs name to get its tokens.  Read-only."""
