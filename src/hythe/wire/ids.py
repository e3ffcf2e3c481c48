"""ARM resource ids: read without regard to case, written as the caller wrote them."""

from __future__ import annotations

from msgspec import Struct

PROVIDER = "Microsoft.ContainerInstance"


class ResourceId(Struct, frozen=True, kw_only=True):
    """The parts of ``/subscriptions/{s}/resourceGroups/{rg}/providers/{namespace}/{type}/{name}``."""

    subscription: str
    resource_group: str
    type: str = ""
    """Namespace and type, for example ``Microsoft.ContainerInstance/containerGroups`` or
    ``Microsoft.Network/virtualNetworks/subnets``; empty for a resource group itself."""
    name: str = ""
    """A name for each part of the type: ``vnet/subnet``."""

    @property
    def text(self) -> str:
        """The id as ARM writes it."""
        head = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        if not self.type:
            return head
        namespace, *types = self.type.split("/")
        parts = [part for pair in zip(types, self.name.split("/"), strict=True) for part in pair]
        return "/".join([head, "providers", namespace, *parts])

    @property
    def key(self) -> str:
        """The id in lower case: what is compared and stored."""
        return self.text.lower()


def container_group(subscription: str, resource_group: str, name: str) -> ResourceId:
    """Name a container group."""
    return ResourceId(
        subscription=subscription, resource_group=resource_group, type=f"{PROVIDER}/containerGroups", name=name
    )


def of_type(text: str, type_: str) -> ResourceId | None:
    """Read an id of one type, in any case; None if it is none."""
    match text.strip("/").split("/"):
        case [head, subscription, groups, group, providers, namespace, kind, name] if (
            [head.lower(), groups.lower(), providers.lower()] == ["subscriptions", "resourcegroups", "providers"]
            and f"{namespace}/{kind}".lower() == type_.lower()
            and all((subscription, group, name))
        ):
            return ResourceId(subscription=subscription, resource_group=group, type=type_, name=name)
    return None


def resource_group(subscription: str, name: str) -> ResourceId:
    """Name a resource group."""
    return ResourceId(subscription=subscription, resource_group=name)
