"""Log workspaces: the part of Microsoft.OperationalInsights that container groups touch."""

from __future__ import annotations

from typing import ClassVar

from ._base import Model


class WorkspaceSku(Model, kw_only=True):
    """What a workspace is paid by; kept for reading back."""

    name: str | None = None


class Workspace(Model, kw_only=True):
    """Where logs of container groups are sent."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type", "location", "tags")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    customer_id: str | None = None
    """What groups name it by.  Read-only."""
    sku: WorkspaceSku | None = None
    retention_in_days: int | None = None
    provisioning_state: str | None = None
    """Read-only."""


class SharedKeys(Model, kw_only=True):
    """The keys that what is sent to a workspace is signed with."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"primary_shared_key", "secondary_shared_key"})

    primary_shared_key: str | None = None
    secondary_shared_key: str | None = None
