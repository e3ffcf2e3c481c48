"""Reads what the containers of a group use: from Hythe's figures by the second, from Azure's by the minute.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from hythe.models import Container, ContainerGroup

_MILLI = 1000
_GB = 1 << 30
_MB = 1 << 20
METRICS_VERSION = "2018-01-01"
BY_CONTAINER = {
    "metricnames": "CpuUsage,MemoryUsage", "interval": "PT1M", "aggregation": "Average",
    "$filter": "containerName eq '*'",
}  # fmt: skip
BY_GROUP = {
    "metricnames": "NetworkBytesReceivedPerSecond,NetworkBytesTransmittedPerSecond", "interval": "PT1M",
    "aggregation": "Average",
}  # fmt: skip
"""Azure tells the network's use of a whole group only, and refuses to be asked for both at once."""


class ContainerUsage(Struct, kw_only=True):
    """What one container uses now, and used before.  None is what has not been measured."""

    name: str
    cpu: float | None = None
    """Cores."""
    cpu_limit: float | None = None
    """Cores that it may use."""
    memory: float | None = None
    """Bytes."""
    memory_limit: float | None = None
    """Bytes that it may use."""
    cpu_before: Sequence[float] = ()
    """Cores, oldest first: in each second of the last minute on Hythe, in each minute of the last hour on Azure."""
    memory_before: Sequence[float] = ()
    """Bytes, as often."""


class GroupUsage(Struct, kw_only=True):
    """What a group uses now: the network as a whole, the rest for each container.  ``str()`` is meant for people."""

    name: str
    containers: list[ContainerUsage] = []
    network_received: float | None = None
    """Bytes per second."""
    network_sent: float | None = None
    """Bytes per second."""

    @property
    def cpu(self) -> float | None:
        """Cores of all containers, None if none has been measured."""
        return _sum(each.cpu for each in self.containers)

    @property
    def memory(self) -> float | None:
        """Bytes of all containers, None if none has been measured."""
        return _sum(each.memory for each in self.containers)

    def __str__(self) -> str:
        lines = [f"{self.name}: {_line(self.cpu, None, self.memory, None)}"]
        if self.network_received is not None or self.network_sent is not None:
            lines[0] += f", network in {_rate(self.network_received)}, out {_rate(self.network_sent)}"
        lines += [
            f"  {each.name}: {_line(each.cpu, each.cpu_limit, each.memory, each.memory_limit)}"
            for each in self.containers
        ]
        return "\n".join(lines)


class _Container(Struct, rename="camel"):
    name: str
    cpu_millicores: float | None = None
    memory_bytes: float | None = None
    cpu_millicores_series: list[tuple[str, float]] = []
    memory_bytes_series: list[tuple[str, float]] = []


class _Stats(Struct, rename="camel"):
    containers: list[_Container] = []
    network_bytes_received_per_second: float | None = None
    network_bytes_transmitted_per_second: float | None = None


class _Word(Struct):
    value: str


class _Point(Struct):
    average: float | None = None


class _Series(Struct):
    data: list[_Point] = []
    metadatavalues: list[_Word] = []


class _Metric(Struct):
    name: _Word
    timeseries: list[_Series] = []


class _Metrics(Struct):
    value: list[_Metric] = []


def of_hythe(group: ContainerGroup, body: bytes) -> GroupUsage:
    """Read what Hythe answers for the group."""
    found = msgspec.json.decode(body, type=_Stats)
    made = {each.name: _unmeasured(each) for each in group.containers or ()}
    for each in found.containers:
        usage = made.setdefault(each.name, ContainerUsage(name=each.name))
        usage.cpu = None if each.cpu_millicores is None else each.cpu_millicores / _MILLI
        usage.memory = each.memory_bytes
        usage.cpu_before = [value / _MILLI for _, value in each.cpu_millicores_series]
        usage.memory_before = [value for _, value in each.memory_bytes_series]
    return GroupUsage(
        name=group.name or "", containers=list(made.values()),
        network_received=found.network_bytes_received_per_second,
        network_sent=found.network_bytes_transmitted_per_second,
    )  # fmt: skip


def of_azure(group: ContainerGroup, by_container: bytes, by_group: bytes) -> GroupUsage:
    """Read what Azure's metrics answer for `BY_CONTAINER` and for `BY_GROUP`."""
    made = {each.name.lower(): _unmeasured(each) for each in group.containers or ()}  # Azure's series are lower-case
    for metric in msgspec.json.decode(by_container, type=_Metrics).value:
        for series in metric.timeseries:
            usage = made.get(series.metadatavalues[0].value.lower() if series.metadatavalues else "")
            values = _values(series)
            if usage is None or not values:
                continue
            if metric.name.value == "CpuUsage":
                usage.cpu_before = [value / _MILLI for value in values]
                usage.cpu = usage.cpu_before[-1]
            else:
                usage.memory_before, usage.memory = values, values[-1]
    network = _newest(by_group)
    return GroupUsage(
        name=group.name or "", containers=list(made.values()),
        network_received=network.get("NetworkBytesReceivedPerSecond"),
        network_sent=network.get("NetworkBytesTransmittedPerSecond"),
    )  # fmt: skip


def _newest(body: bytes) -> Mapping[str, float]:
    found = {}
    for metric in msgspec.json.decode(body, type=_Metrics).value:
        values = [value for series in metric.timeseries for value in _values(series)]
        if values:
            found[metric.name.value] = values[-1]
    return found


def _values(series: _Series) -> list[float]:
    return [point.average for point in series.data if point.average is not None]


def _unmeasured(container: Container) -> ContainerUsage:
    made = ContainerUsage(name=container.name)
    resources = container.resources
    if resources is None or resources.requests is None:
        return made
    chosen = resources.limits or resources.requests
    made.cpu_limit = chosen.cpu or resources.requests.cpu
    memory = chosen.memory_in_gb or resources.requests.memory_in_gb
    made.memory_limit = memory * _GB if memory else None
    return made


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _line(cpu: float | None, cpu_limit: float | None, memory: float | None, memory_limit: float | None) -> str:
    cores = "?" if cpu is None else f"{cpu:.3f}"
    held = "?" if memory is None else f"{memory / _MB:.1f}"
    of_cores = f" of {cpu_limit:g}" if cpu_limit else ""
    of_memory = f" of {memory_limit / _MB:.0f}" if memory_limit else ""
    return f"CPU {cores}{of_cores} cores, memory {held}{of_memory} MB"


def _rate(value: float | None) -> str:
    return "?" if value is None else f"{value / 1000:.1f} kB/s"
