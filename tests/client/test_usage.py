"""Tests how what a group uses is read, from Hythe's answer and from Azure's metrics."""

from __future__ import annotations

import json
from typing import Any

from hythe.client.usage import ContainerUsage, GroupUsage, of_azure, of_hythe
from hythe.models import ContainerGroup

GROUP = ContainerGroup.from_dict({
    "name": "web",
    "properties": {"containers": [
        {"name": "a", "properties": {"image": "i", "resources": {
            "requests": {"cpu": 1, "memoryInGB": 2}, "limits": {"cpu": 2, "memoryInGB": 4}}}},
        {"name": "b", "properties": {"image": "i", "resources": {"requests": {"cpu": 0.5, "memoryInGB": 1}}}},
    ]},
})  # fmt: skip


def test_hythe_tells_seconds() -> None:
    usage = of_hythe(GROUP, json.dumps({
        "networkBytesReceivedPerSecond": 12.5, "networkBytesTransmittedPerSecond": None,
        "containers": [{
            "name": "a", "cpuMillicores": 250.0, "memoryBytes": 1024,
            "cpuMillicoresSeries": [["t", 100.0], ["t", 250.0]], "memoryBytesSeries": [],
        }],
    }).encode())  # fmt: skip

    a, b = usage.containers
    assert (a.cpu, a.cpu_limit, a.memory, a.memory_limit, a.cpu_before) == (0.25, 2, 1024, 4 << 30, [0.1, 0.25])
    assert (b.cpu, b.memory, b.cpu_limit) == (None, None, 0.5)
    assert (usage.cpu, usage.memory, usage.network_received, usage.network_sent) == (0.25, 1024, 12.5, None)


def test_azure_tells_minutes_of_each_container_and_of_the_group() -> None:
    def series(container: str, *averages: float | None) -> dict[str, Any]:
        tag = {"name": {"value": "containername"}, "value": container}
        data = [{"timeStamp": "t", "average": each} for each in averages]
        return {"metadatavalues": [tag] if container else [], "data": data}

    by_container = {"value": [
        {"name": {"value": "CpuUsage"}, "timeseries": [series("a", 100, 200, None), series("gone", 1)]},
        {"name": {"value": "MemoryUsage"}, "timeseries": [series("a", 5000)]},
    ]}  # fmt: skip
    by_group = {"value": [
        {"name": {"value": "NetworkBytesReceivedPerSecond"}, "timeseries": [series("", 7, 9, None)]},
        {"name": {"value": "NetworkBytesTransmittedPerSecond"}, "timeseries": []},
    ]}  # fmt: skip

    usage = of_azure(GROUP, json.dumps(by_container).encode(), json.dumps(by_group).encode())

    a, b = usage.containers
    assert (a.cpu, a.cpu_before, a.memory) == (0.2, [0.1, 0.2], 5000)
    assert (b.cpu, b.memory, b.cpu_limit) == (None, None, 0.5)
    assert (usage.network_received, usage.network_sent) == (9, None)


def test_usage_is_written_for_people() -> None:
    a = ContainerUsage(name="a", cpu=0.25, cpu_limit=1, memory=3 << 20, memory_limit=1 << 30)
    assert str(GroupUsage(name="web", containers=[a, ContainerUsage(name="b")], network_received=2000.0)) == (
        "web: CPU 0.250 cores, memory 3.0 MB, network in 2.0 kB/s, out ?\n"
        "  a: CPU 0.250 of 1 cores, memory 3.0 of 1024 MB\n"
        "  b: CPU ? cores, memory ? MB"
    )
    assert str(GroupUsage(name="web")) == "web: CPU ? cores, memory ? MB"
