"""What real containers use is what is measured: CPU under its limit, memory that is held, bytes that went through."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hythe.models import ContainerPort, IpAddress, Port

from .conftest import TOOLS, Running, container, group, wait_for
from .streaming import Wire

pytestmark = pytest.mark.containers
MEGABYTES = 60
SENT, RECEIVED = 8_000_000, 3_000_000
STAY = ["sleep", "1000"]
BUSY = "import os; os.fork(); exec('while True: pass')"
HOLDS = f"""
import socket
held = bytes([1]) * ({MEGABYTES} << 20)
listener = socket.create_server(('', 80))
while True:
    one, _ = listener.accept()
    one.sendall(bytes({SENT}))
    while one.recv(1 << 16):
        pass
    one.close()
"""


@pytest.fixture(scope="module")
def measured(real: Running) -> Iterator[tuple[Wire, str]]:
    """Give a group with a container that would use two CPUs if it had more than one, and one that holds memory."""
    folder = real.folder("metrics")
    needs = container().resources
    assert needs.requests is not None
    one_cpu = replace(needs, requests=replace(needs.requests, cpu=1.0))
    busy = container("busy", TOOLS, command=["python3", "-c", BUSY])
    made = group(
        replace(busy, resources=one_cpu),
        container("holds", TOOLS, command=["python3", "-c", HOLDS], ports=[ContainerPort(port=80)]),
        ip_address=IpAddress(type="Public", ports=[Port(port=80)]),
    )
    real.aci.container_groups.begin_create_or_update(folder, "g", made).result()
    yield Wire(real.facts), folder
    real.aci.container_groups.begin_delete(folder, "g").result()  # it would slow down all other tests


def processor_time(argument: str) -> float:
    """Sum the seconds of CPU of every process with an argument, as the kernel counts them for each process."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if argument.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                total += sum(map(int, (process / "stat").read_text().rpartition(")")[2].split()[11:13]))
    return total / os.sysconf("SC_CLK_TCK")


def stamp(when: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


def stats(wire: Wire, folder: str, name: str = "g") -> dict[str, Any]:
    status, said = wire.ask("GET", wire.path(folder, name, "stats", seconds=3600))
    assert status == 200, said
    return {one["name"]: one for one in said.pop("containers")} | {"": said}


def test_cpu_is_what_its_limit_leaves_and_memory_is_what_is_held(measured: tuple[Wire, str]) -> None:
    wire, folder = measured

    wait_for(lambda: stats(wire, folder).get("busy", {}).get("cpuMillicores"))
    begun, spent = time.time(), processor_time(BUSY)
    wait_for(lambda: time.time() > begun + 8)
    said, spent, passed = stats(wire, folder), processor_time(BUSY) - spent, time.time() - begun

    values = [value for when, value in said["busy"]["cpuMillicoresSeries"] if when >= stamp(begun + 1)]
    assert sum(values) / len(values) == pytest.approx(1000 * spent / passed, rel=0.25), values
    assert 200 < 1000 * spent / passed < 1100  # it would have two CPUs' time without the limit
    assert said["holds"]["cpuMillicores"] < 100
    assert MEGABYTES << 20 < said["holds"]["memoryBytes"] < (MEGABYTES + 40) << 20
    assert said["busy"]["memoryBytes"] < 40 << 20
    assert said[""]["memoryBytes"] == said["holds"]["memoryBytes"] + said["busy"]["memoryBytes"]


def test_bytes_that_went_through_are_counted_both_ways(real: Running, measured: tuple[Wire, str]) -> None:
    wire, folder = measured
    wait_for(lambda: stats(wire, folder)[""]["networkBytesReceivedPerSecond"] is not None)
    address = real.aci.container_groups.get(folder, "g").ip_address.ip

    with socket.create_connection((address, 80), timeout=20) as connection:
        left = SENT
        while left:
            left -= len(connection.recv(1 << 16))
        connection.sendall(bytes(RECEIVED))

    def counted() -> bool:
        said = stats(wire, folder)[""]
        received = sum(value for _, value in said["networkBytesReceivedPerSecondSeries"])
        sent = sum(value for _, value in said["networkBytesTransmittedPerSecondSeries"])
        return RECEIVED < received < 2 * RECEIVED and SENT < sent < 1.5 * SENT

    wait_for(counted, 10)


def test_azures_api_and_prometheus_say_the_same(measured: tuple[Wire, str]) -> None:
    wire, folder = measured
    wait_for(lambda: stats(wire, folder).get("busy", {}).get("cpuMillicores"))

    path = wire.path(
        folder,
        "g",
        "providers/Microsoft.Insights/metrics",
        metricnames="CpuUsage",
        **{"$filter": "containerName eq '*'"},
    )
    status, said = wire.ask("GET", path)
    with wire.send("GET", "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    answer.connection.close()  # type: ignore[attr-defined]

    assert status == 200, said
    busy, holds = said["value"][0]["timeseries"]
    assert [each["metadatavalues"][0]["value"] for each in (busy, holds)] == ["busy", "holds"]
    newest = [point["average"] for point in busy["data"] if "average" in point]
    assert 100 < newest[-1] < 1100
    (cpu,) = [line for line in lines if line.startswith("hythe_container_cpu") and 'container="busy"' in line]
    assert 1 < float(cpu.rpartition(" ")[2]) < 1000, "seconds"
    assert answer.status == 200


def test_what_restarts_is_measured_on_and_what_is_deleted_is_let_go(real: Running, measured: tuple[Wire, str]) -> None:
    wire, folder = measured
    wait_for(lambda: stats(wire, folder).get("busy", {}).get("cpuMillicores"))
    before = files_of_cgroups(real.pid)
    real.aci.container_groups.begin_create_or_update(
        folder, "short", group(container(image=TOOLS, command=STAY))
    ).result()

    def memory() -> float:
        return stats(wire, folder, "short").get("c", {}).get("memoryBytes") or 0.0

    wait_for(memory)
    assert files_of_cgroups(real.pid) > before
    real.aci.container_groups.begin_restart(folder, "short").result()
    begun = stamp(time.time() + 1)
    wait_for(lambda: memory() and stats(wire, folder, "short")["c"]["memoryBytesSeries"][-1][0] > begun)

    real.aci.container_groups.begin_delete(folder, "short").result()

    status, said = wire.ask("GET", wire.path(folder, "short", "stats"))
    assert (status, said["error"]["code"]) == (404, "ResourceNotFound")
    wait_for(lambda: files_of_cgroups(real.pid) == before, 10)


def files_of_cgroups(pid: int) -> int:
    """Count the files of cgroups that a process has open."""
    found = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(each.readlink()).endswith(("/memory.stat", "/cpuacct.usage", "/cpu.stat"))
    return found
