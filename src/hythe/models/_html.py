"""Shows a container group as HTML, for notebooks.  It has no secrets, because it shows no variables and volumes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .container_group import Container, ContainerGroup

_HEAD = ("container", "image", "state", "exit code", "restarts", "vCPU", "GB")


def group_html(group: ContainerGroup) -> str:
    """Write a heading, a line of facts, and a table with a row for each container."""
    view = group.instance_view
    state = (view.state if view else None) or group.provisioning_state or "unknown"
    address = group.ip_address
    facts = [group.location, group.os_type, group.restart_policy and f"restart policy {group.restart_policy}"]
    if address is not None:
        ports = ", ".join(str(port.port) for port in address.ports or ())
        facts.append(f"{address.fqdn or address.ip or address.type}{f', ports {ports}' if ports else ''}")
    said = " · ".join(escape(str(fact)) for fact in facts if fact)
    head = "".join(f"<th>{name}</th>" for name in _HEAD)
    rows = "".join(_row(each) for each in group.containers or ())
    return (
        f"<div><strong>{escape(group.name or 'container group')}</strong> <em>{escape(str(state))}</em>"
        f"<br><small>{said}</small><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(container: Container) -> str:
    view = container.instance_view
    now = view.current_state if view else None
    needs = container.resources.requests if container.resources else None
    detail = f" ({now.detail_status})" if now and now.detail_status else ""
    cells = (
        container.name, container.image, f"{now.state or ''}{detail}" if now else "",
        now.exit_code if now else None, view.restart_count if view else None,
        needs.cpu if needs else None, needs.memory_in_gb if needs else None,
    )  # fmt: skip
    return "<tr>" + "".join(f"<td>{'' if each is None else escape(str(each))}</td>" for each in cells) + "</tr>"
