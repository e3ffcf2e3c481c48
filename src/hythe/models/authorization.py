"""Who may do what: role assignments and role definitions of Microsoft.Authorization."""

from __future__ import annotations

from typing import ClassVar

from ._base import Model


class RoleAssignment(Model, kw_only=True):
    """Gives a principal a role over a scope and everything below it."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    scope: str | None = None
    """Read-only."""
    role_definition_id: str | None = None
    principal_id: str | None = None
    """Object id of a service principal or of a managed identity."""
    principal_type: str | None = None
    description: str | None = None
    created_on: str | None = None
    """Read-only."""
    updated_on: str | None = None
    """Read-only."""


class Permission(Model, kw_only=True):
    """Actions that a role allows, and the ones among them that it does not."""

    actions: list[str] | None = None
    not_actions: list[str] | None = None
    data_actions: list[str] | None = None
    not_data_actions: list[str] | None = None


class RoleDefinition(Model, kw_only=True):
    """A role: a named set of actions."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    role_name: str | None = None
    role_type: str | None = None
    description: str | None = None
    permissions: list[Permission] | None = None
    assignable_scopes: list[str] | None = None
