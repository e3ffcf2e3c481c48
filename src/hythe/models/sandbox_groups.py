"""Sandbox groups: places for isolated throw-away containers.

Source: the REST contract of Microsoft.ContainerInstance, api-version 2026-07-01 (``aiAgentsGroups`` in
2026-08-01-preview).
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from ._base import Model
from .common import SystemData
from .container_group import IdentityType, UserAssignedIdentities


class ManagedServiceIdentity(Model, kw_only=True):
    """Managed identities of a resource."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"principal_id", "tenant_id"})

    principal_id: str | None = None
    tenant_id: str | None = None
    type: IdentityType | None = None
    user_assigned_identities: dict[str, UserAssignedIdentities] | None = None


class SubnetReference(Model, kw_only=True):
    """A subnet, by its ARM id."""

    id: str


class SandboxGroupNetworkProfile(Model, kw_only=True):
    """The subnets of a sandbox group."""

    subnets: list[SubnetReference] | None = None


class SandboxGroupProperties(Model, kw_only=True):
    """What a sandbox group is made of."""

    __read_only__: ClassVar[frozenset[str]] = frozenset({"provisioning_state", "management_resource_group_id"})

    provisioning_state: str | None = None
    """Read-only."""
    network_profile: SandboxGroupNetworkProfile | None = None
    management_resource_group_id: str | None = None
    """Read-only."""


class SandboxGroup(Model, kw_only=True):
    """A place in which throw-away containers are made."""

    __arm_type__: ClassVar[str] = "Microsoft.ContainerInstance/sandboxGroups"
    __read_only__: ClassVar[frozenset[str]] = frozenset({"id", "name", "type", "system_data"})

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    properties: SandboxGroupProperties | None = None
    identity: ManagedServiceIdentity | None = None
    system_data: SystemData | None = None


class SandboxGroupListResult(Model, kw_only=True):
    """One page of sandbox groups."""

    value: list[SandboxGroup]
    next_link: str | None = None


class SandboxGroupTagsUpdate(Model, kw_only=True):
    """The parts of a sandbox group that PATCH changes."""

    tags: dict[str, str] | None = None
    identity: ManagedServiceIdentity | None = None


class SandboxGroupAccessToken(Model, kw_only=True):
    """Where the containers of a sandbox group are made, and what opens it until ``not_after``."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"access_token"})

    endpoint: str
    access_token: str
    not_after: datetime
