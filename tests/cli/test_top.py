"""Tests what `hythe top` reads and draws; tests/real has it with containers that work."""

from __future__ import annotations

import io
import json
from typing import Any, cast

import pytest
from rich.console import Console

from hythe.cli.top import _row, _table
from hythe.cli.usage import Usage, of_group, sparks
from hythe.client.transport import Request, Response
from hythe.errors import NotFound
from hythe.models import ContainerGroup

GROUP = ContainerGroup.from_dict({
    "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/web",
    "name": "web",
    "properties": {"containers": [
        {"name": "a", "properties": {"image": "i", "resources": {
            "requests": {"cpu": 1, "memoryInGB": 2}, "limits": {"cpu": 2, "memoryInGB": 4}}}},
        {"name": "b", "properties": {"image": "i", "resources": {"requests": {"cpu": 0.5, "memoryInGB": 1}}}},
    ]},
})  # fmt: skip


class Canned:
    """A client whose service gives one answer."""

    DEFAULT_API_VERSION = "2023-05-01"

    def __init__(self, answer: dict[str, Any], status: int = 200) -> None:
        self.answer = Response(status=status, headers={}, body=json.dumps(answer).encode())
        self.asked: list[str] = []

    def send_request(self, request: Request) -> Response:
        self.asked.append(request.url)
        return self.answer


def read(client: Canned, *, azure: bool) -> list[Usage]:
    return of_group(cast(Any, client), GROUP, azure=azure)


def test_hythe_is_asked_for_seconds() -> None:
    client = Canned({"containers": [
        {"name": "a", "cpuMillicores": 250.0, "memoryBytes": 1024, "cpuMillicoresSeries": [["t", 100.0], ["t", 250.0]],
         "memoryBytesSeries": []},
    ]})  # fmt: skip

    (usage,) = read(client, azure=False)

    assert client.asked[0].endswith("/containerGroups/web/stats?api-version=2023-05-01&seconds=60")
    assert (usage.cpu, usage.cpu_limit, usage.memory, usage.memory_limit) == (0.25, 2, 1024, 4 << 30)
    assert usage.cpu_before == [0.1, 0.25]


def test_azure_is_asked_for_minutes_of_each_container() -> None:
    def series(container: str, *averages: float | None) -> dict[str, Any]:
        tag = {"name": {"value": "containername"}, "value": container}
        return {"metadatavalues": [tag], "data": [{"timeStamp": "t", "average": each} for each in averages]}

    client = Canned({"value": [
        {"name": {"value": "CpuUsage"}, "timeseries": [series("a", 100, 200, None), series("gone", 1)]},
        {"name": {"value": "MemoryUsage"}, "timeseries": [series("a", 5000)]},
    ]})  # fmt: skip

    a, b = read(client, azure=True)

    assert "Microsoft.Insights/metrics?" in client.asked[0] and "containerName+eq" in client.asked[0]
    assert (a.cpu, a.cpu_before, a.memory) == (0.2, [0.1, 0.2], 5000)
    assert (b.cpu, b.memory, b.cpu_limit) == (None, None, 0.5)


def test_an_error_is_raised() -> None:
    with pytest.raises(NotFound, match="what container group 'web' uses"):
        read(Canned({"error": {"code": "ResourceNotFound", "message": "gone"}}, 404), azure=False)


def test_sparks_fill_the_line() -> None:
    assert sparks([0, 1, 2, 4, 8], 4) == "▂▃▅█"
    assert sparks([0, 0], 5) == "▁▁"
    assert sparks([], 5) == ""


def test_what_is_near_its_limit_is_red() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=150, color_system="standard")
    console.print(_table([
        Usage(group="web", container="[a]", cpu=0.95, cpu_limit=1, memory=1 << 20, memory_limit=1 << 30,
              cpu_before=[0.1, 0.9]),
        Usage(group="web", container="b"),
    ]))  # fmt: skip
    said = cast(io.StringIO, console.file).getvalue()

    assert "\x1b[31m" in said and "[a]" in said and "▁█" in said and "1024.0 MB" in said
    shown = _row({"group": "g", "container": "c", "cpu": None, "cpuLimit": 1, "memory": 1 << 20, "memoryLimit": None})
    assert list(shown.values()) == ["g", "c", "", "1.000", "1.0 MB", ""]
