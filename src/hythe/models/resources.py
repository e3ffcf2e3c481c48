"""Resource groups and the other resources of Azure Resource Manager that Hythe has."""

from __future__ import annotations

from typing import Any, ClassVar

from ._base import Model


class ResourceGroupProperties(Model, kw_only=True):
    """Where the last operation on a resource group stands.  Read-only."""

    provisioning_state: str | None = None


class ResourceGroup(Model, kw_only=True):
    """A folder of resources; deleting it deletes what is in it."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    managed_by: str | None = None
    tags: dict[str, str] | None = None
    properties: ResourceGroupProperties | None = None


class ResourceGroupListResult(Model, kw_only=True):
    """One page of resource groups."""

    value: list[ResourceGroup]
    next_link: str | None = None


class GenericResourceExpanded(Model, kw_only=True):
    """A resource of any type, without its properties."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    tags: dict[str, str] | None = None
    properties: dict[str, Any] | None = None
    changed_time: str | None = None
    provisioning_state: str | None = None


class ResourceListResult(Model, kw_only=True):
    """One page of resources."""

    value: list[GenericResourceExpanded]
    next_link: str | None = None


class Subscription(Model, kw_only=True):
    """What is billed together; every resource group is in one."""

    id: str | None = None
    subscription_id: str | None = None
    display_name: str | None = None
    state: str | None = None
    tenant_id: str | None = None


class SubscriptionListResult(Model, kw_only=True):
    """One page of subscriptions."""

    value: list[Subscription]
    next_link: str | None = None


class TagsResource(Model, kw_only=True):
    """The tags of whatever they extend."""

    __outer__: ClassVar[tuple[str, ...]] = ("id", "name", "type")

    id: str | None = None
    name: str | None = None
    type: str | None = None
    tags: dict[str, str] | None = None


class TagsPatch(Model, kw_only=True):
    """A change of tags: Replace, Merge or Delete."""

    __outer__: ClassVar[tuple[str, ...]] = ("operation",)

    operation: str | None = None
    tags: dict[str, str] | None = None
