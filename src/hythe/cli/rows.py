"""Writes resources as lines of tables, with the columns that az shows.  Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import Row

if TYPE_CHECKING:
    from ..models import Container, ContainerGroup, ContainerGroupProfile, NGroup


def _folder(id_: str | None) -> str:
    parts = (id_ or "").split("/")
    return parts[4] if len(parts) > 4 else ""  # noqa: PLR2004


def _images(containers: list[Container] | None) -> str:
    return ",".join(dict.fromkeys(each.image or "" for each in containers or ()))


def _address(thing: ContainerGroup | ContainerGroupProfile) -> str:
    if thing.ip_address is None:
        return ""
    ports = ",".join(str(port.port) for port in thing.ip_address.ports or ())
    return f"{thing.ip_address.ip or ''}:{ports}"


def _needs(containers: list[Container] | None) -> str:
    """Add up what all containers are sure to get."""
    asked = [each.resources.requests for each in containers or () if each.resources and each.resources.requests]
    if not asked:
        return ""
    return f"{sum(each.cpu or 0 for each in asked):.1f} core/{sum(each.memory_in_gb or 0 for each in asked):.1f} gb"


def of_group(group: ContainerGroup) -> Row:
    """Write a container group."""
    state = group.instance_view.state if group.instance_view else None
    return {
        "Name": group.name,
        "ResourceGroup": _folder(group.id),
        "Status": state or group.provisioning_state,
        "Image": _images(group.containers),
        "IP:ports": _address(group),
        "Network": group.ip_address.type if group.ip_address else ("Private" if group.subnet_ids else ""),
        "CPU/Memory": _needs(group.containers),
        "OsType": group.os_type,
        "Location": group.location,
    }


def of_profile(profile: ContainerGroupProfile) -> Row:
    """Write a container group profile."""
    return {
        "Name": profile.name,
        "ResourceGroup": _folder(profile.id),
        "Revision": profile.revision,
        "Image": _images(profile.containers),
        "IP:ports": _address(profile),
        "CPU/Memory": _needs(profile.containers),
        "OsType": profile.os_type,
        "Location": profile.location,
    }


def of_set(many: NGroup) -> Row:
    """Write a set of container groups."""
    elastic = many.elastic_profile
    profiles = [each.resource.id for each in many.container_group_profiles or () if each.resource and each.resource.id]
    return {
        "Name": many.name,
        "ResourceGroup": _folder(many.id),
        "Status": many.provisioning_state,
        "Desired": elastic.desired_count if elastic else "",
        "Profile": ",".join(each.rpartition("/")[2] for each in profiles),
        "Update": many.update_profile.update_mode if many.update_profile else "",
        "Location": many.location,
    }
