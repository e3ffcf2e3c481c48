"""Writes what groups use as Prometheus reads it: its text format, version 0.0.4.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ...wire import ids
from .sampler import Measured

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_HELP = {
    "hythe_container_cpu_usage_seconds_total": ("counter", "CPU time that this run of the container has used."),
    "hythe_container_memory_working_set_bytes": ("gauge", "Memory held, without files that the kernel may drop."),
    "hythe_group_network_receive_bytes_total": ("counter", "Bytes that the group's network has received."),
    "hythe_group_network_transmit_bytes_total": ("counter", "Bytes that the group's network has sent."),
}


def written(groups: Iterable[Measured]) -> bytes:
    """Write the newest readings."""
    lines: dict[str, list[str]] = {name: [] for name in _HELP}

    def put(name: str, labels: str, value: float) -> None:
        lines[name].append(f"{name}{{{labels}}} {value}")

    for group in groups:
        reading, identity = group.reading, ids.parse(group.id)
        if reading is None or identity is None:
            continue
        labels = _labels(
            subscription=identity.subscription, resource_group=identity.resource_group, group=identity.name
        )  # fmt: skip
        for container, used in reading.containers.items():
            named = f"{labels},{_labels(container=container)}"
            put("hythe_container_cpu_usage_seconds_total", named, used.cpu / 1e9)
            put("hythe_container_memory_working_set_bytes", named, used.memory)
        if reading.received is not None:
            put("hythe_group_network_receive_bytes_total", labels, reading.received)
        if reading.sent is not None:
            put("hythe_group_network_transmit_bytes_total", labels, reading.sent)
    text = []
    for name, (kind, help_) in _HELP.items():
        text += [f"# HELP {name} {help_}", f"# TYPE {name} {kind}", *lines[name]]
    return ("\n".join(text) + "\n").encode()


def _labels(**labels: str) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items())
