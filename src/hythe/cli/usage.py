"""Asks what the containers of a group use: Hythe second by second, Azure minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from ..client._sync.container_instances import ContainerInstanceManagementClient
    from ..models import Container, ContainerGroup

_MILLI = 1000
_GB = 1 << 30
_SPARKS = "▁▂▃▄▅▆▇█"
_BY_MINUTE = {
    "api-version": "2018-01-01", "metricnames": "CpuUsage,MemoryUsage", "interval": "PT1M", "aggregation": "Average",
    "$filter": "containerName eq '*'",
}  # fmt: skip


class Usage(Struct, kw_only=True):
    """What one container uses."""

    group: str
    container: str
    cpu: float | None = None
    """Cores."""
    cpu_limit: float | None = None
    memory: float | None = None
    """Bytes."""
    memory_limit: float | None = None
    cpu_before: Sequence[float] = ()
    """Cores, oldest first, for a line of sparks."""
    memory_before: Sequence[float] = ()


class _Container(Struct, rename="camel"):
    name: str
    cpu_millicores: float | None = None
    memory_bytes: float | None = None
    cpu_millicores_series: list[tuple[str, float]] = []
    memory_bytes_series: list[tuple[str, float]] = []


class _Stats(Struct):
    containers: list[_Container] = []


class _Name(Struct):
    value: str


class _Tag(Struct):
    value: str


class _Point(Struct):
    average: float | None = None


class _Series(Struct):
    data: list[_Point] = []
    metadatavalues: list[_Tag] = []


class _Metric(Struct):
    name: _Name
    timeseries: list[_Series] = []


class _Metrics(Struct):
    value: list[_Metric] = []


def of_group(client: ContainerInstanceManagementClient, group: ContainerGroup, *, azure: bool) -> list[Usage]:
    """Ask what the containers of a group use, and used before."""
    query = _BY_MINUTE if azure else {"api-version": client.DEFAULT_API_VERSION, "seconds": "60"}
    path = f"{group.id}/{'providers/Microsoft.Insights/metrics' if azure else 'stats'}?{urlencode(query)}"
    body = _ask(client, path, f"tell what container group {group.name!r} uses")
    limits = {each.name: _limits(each) for each in group.containers or ()}
    found = _of_azure(group, body) if azure else _of_hythe(group, body)
    for each in found:
        each.cpu_limit, each.memory_limit = limits.get(each.container, (None, None))
    return found


def _ask(client: ContainerInstanceManagementClient, path: str, doing: str) -> bytes:
    from ..client.documents import error_of
    from ..client.transport import Request

    answer = client.send_request(Request(method="GET", url=path, headers={}))
    error = error_of(answer, doing)
    if error is not None:
        raise error
    return answer.body


def _limits(container: Container) -> tuple[float | None, float | None]:
    resources = container.resources
    if resources is None or resources.requests is None:
        return None, None
    chosen = resources.limits or resources.requests
    cpu = chosen.cpu or resources.requests.cpu
    memory = chosen.memory_in_gb or resources.requests.memory_in_gb
    return cpu, memory * _GB if memory else None


def _of_hythe(group: ContainerGroup, body: bytes) -> list[Usage]:
    return [
        Usage(
            group=group.name or "",
            container=each.name,
            cpu=None if each.cpu_millicores is None else each.cpu_millicores / _MILLI,
            memory=each.memory_bytes,
            cpu_before=[value / _MILLI for _, value in each.cpu_millicores_series],
            memory_before=[value for _, value in each.memory_bytes_series],
        )
        for each in msgspec.json.decode(body, type=_Stats).containers
    ]


def _of_azure(group: ContainerGroup, body: bytes) -> list[Usage]:
    made = {each.name: Usage(group=group.name or "", container=each.name) for each in group.containers or ()}
    for metric in msgspec.json.decode(body, type=_Metrics).value:
        for series in metric.timeseries:
            usage = made.get(series.metadatavalues[0].value if series.metadatavalues else "")
            values = [point.average for point in series.data if point.average is not None]
            if usage is None or not values:
                continue
            if metric.name.value == "CpuUsage":
                usage.cpu_before = [value / _MILLI for value in values]
                usage.cpu = usage.cpu_before[-1]
            else:
                usage.memory_before, usage.memory = values, values[-1]
    return list(made.values())


def sparks(values: Sequence[float], width: int) -> str:
    """Draw the newest values as a line of bars, the highest of them in full."""
    shown = values[-width:]
    highest = max(shown, default=0)
    if highest <= 0:
        return _SPARKS[0] * len(shown)
    return "".join(_SPARKS[min(int(value / highest * len(_SPARKS)), len(_SPARKS) - 1)] for value in shown)
