"""What every resource of Azure Resource Manager may have, and how errors look.

Source: the common types of Azure Resource Manager, version 5.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from ._base import Model


class SystemData(Model, kw_only=True):
    """Who made a resource and who changed it last.  Read-only."""

    created_by: str | None = None
    created_by_type: str | None = None
    created_at: datetime | None = None
    last_modified_by: str | None = None
    last_modified_by_type: str | None = None
    last_modified_at: datetime | None = None


class ArmResource(Model, kw_only=True):
    """A resource of any type."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"id", "name", "type", "system_data"})

    id: str | None = None
    name: str | None = None
    type: str | None = None
    system_data: SystemData | None = None


class ProxyResource(ArmResource, kw_only=True):
    """A resource without a place and tags of its own."""


class TrackedResource(ArmResource, kw_only=True):
    """A resource with a place and tags."""

    tags: dict[str, str] | None = None
    location: str


class CloudErrorBody(Model, kw_only=True):
    """An error: its code, a sentence, what it is about, and errors that led to it."""

    code: str | None = None
    message: str | None = None
    target: str | None = None
    details: list[CloudErrorBody] | None = None


class CloudError(Model, kw_only=True):
    """The document that an answer of 400 or more carries."""

    error: CloudErrorBody | None = None


class ErrorAdditionalInfo(Model, kw_only=True):
    """More about an error, of any form."""

    type: str | None = None
    info: Any = None


class ErrorDetail(Model, kw_only=True):
    """An error as the common types of Azure have it."""

    code: str | None = None
    message: str | None = None
    target: str | None = None
    details: list[ErrorDetail] | None = None
    additional_info: list[ErrorAdditionalInfo] | None = None


class ErrorResponse(Model, kw_only=True):
    """The document that an answer of 400 or more carries, as the common types of Azure have it."""

    error: ErrorDetail | None = None
