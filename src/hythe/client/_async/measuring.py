"""Asks what the containers of a group use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hythe.client.usage import BY_CONTAINER, BY_GROUP, METRICS_VERSION, GroupUsage, of_azure, of_hythe
from hythe.models import ContainerGroup

if TYPE_CHECKING:
    from .container_instances import ContainerInstanceManagementClient

_SECONDS = "60"


async def usage_of(client: ContainerInstanceManagementClient, group: ContainerGroup) -> GroupUsage:
    """Ask for the newest figures of a group, and those of the time before."""
    session = client._session
    doing = f"tell what container group {group.name!r} uses"
    path = (group.id or "").strip("/").split("/")
    if not session.is_azure:
        url = session.root_url(*path, "stats", query={"seconds": _SECONDS})
        return of_hythe(group, (await session.send("GET", url, doing=doing)).body)
    bodies = []
    for query in (BY_CONTAINER, BY_GROUP):
        metrics = session.root_url(
            *path, "providers", "Microsoft.Insights", "metrics", query=query, api_version=METRICS_VERSION
        )
        bodies.append((await session.send("GET", metrics, doing=doing)).body)
    return of_azure(group, *bodies)
