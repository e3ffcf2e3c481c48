"""ARM resource ids: read without regard to case, written as the caller wrote them."""

from __future__ import annotations

from msgspec import Struct

PROVIDER = "Microsoft.ContainerInstance"


class ResourceId(Struct, frozen=True, kw_only=True):
    """The parts of ``/subscriptions/{s}/resourceGroups/{rg}/providers/{namespace}/{type}/{name}``."""

    subscription: str = ""
    """Empty for what belongs to the whole tenant."""
    resource_group: str = ""
    """Empty for a subscription itself, and for what lies in it directly."""
    type: str = ""
    """Namespace and type, for example ``Microsoft.ContainerInstance/containerGroups`` or
    ``Microsoft.Network/virtualNetworks/subnets``; empty for a resource group itself."""
    name: str = ""
    """A name for each part of the type: ``vnet/subnet``."""
    scope: str = ""
    """Id of the resource that this one extends, for example with a role assignment; empty for none."""

    @property
    def text(self) -> str:
        """The id as ARM writes it."""
        head = self.scope
        if not head and self.subscription:
            head = f"/subscriptions/{self.subscription}"
            if self.resource_group:
                head += f"/resourceGroups/{self.resource_group}"
        if not self.type:
            return head
        namespace, *types = self.type.split("/")
        parts = [part for pair in zip(types, self.name.split("/"), strict=True) for part in pair]
        return "/".join([head, "providers", namespace, *parts])

    @property
    def key(self) -> str:
        """The id in lower case: what is compared and stored."""
        return self.text.lower()

    @property
    def container(self) -> str:
        """Id of what this lies in: a resource group, a subscription, or the resource that it extends."""
        return self.scope or ResourceId(subscription=self.subscription, resource_group=self.resource_group).text


def parse(text: str) -> ResourceId | None:
    """Read an id; None if it is none.  ``/`` and the empty text are the tenant."""
    parts = [part for part in text.split("/") if part]
    lower = [part.lower() for part in parts]
    subscription = resource_group = ""
    at = 0
    if lower[:1] == ["subscriptions"]:
        subscription, at = (parts[1], 2) if len(parts) > 1 else ("", 1)
        if lower[2:3] == ["resourcegroups"]:
            resource_group, at = (parts[3], 4) if len(parts) > 3 else ("", 3)  # noqa: PLR2004 - places in the path
        if not subscription or (at > 2 and not resource_group):  # noqa: PLR2004
            return None
    found = ResourceId(subscription=subscription, resource_group=resource_group)
    while at < len(parts):
        end = next((n for n in range(at + 2, len(parts)) if lower[n] == "providers"), len(parts))
        words = parts[at + 1 : end]
        if lower[at] != "providers" or len(words) < 3 or len(words) % 2 == 0:  # noqa: PLR2004
            return None
        found = ResourceId(
            subscription=subscription,
            resource_group=resource_group,
            type="/".join([words[0], *words[1::2]]),
            name="/".join(words[2::2]),
            scope=found.text if found.type else "",
        )
        at = end
    return found


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
