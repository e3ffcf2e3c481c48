"""What real containers use is what is measured: CPU under its limit, memory that is held, bytes that went through."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hythe.models import ContainerPort, IpAddress, Port

from .conftest import TOOLS, Running, container, files_of_cgroups, group, wait_for
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
    wire = Wire(real.facts)

    def rates() -> list[float | None]:
        said = stats(wire, folder)
        return [*(said.get(name, {}).get("cpuMillicores") for name in ("busy", "holds")),
                said[""]["networkBytesReceivedPerSecond"]]  # fmt: skip

    wait_for(lambda: None not in rates())
    yield wire, folder
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


def moment(stamped: str) -> float:
    return datetime.fromisoformat(stamped).timestamp()


def added_up(series: list[Any]) -> float:
    """Sum rates up: each is of the time since the one before, which is more than a second where a look came late."""
    return sum(value * (moment(when) - moment(before)) for (before, _), (when, value) in itertools.pairwise(series))


def stats(wire: Wire, folder: str, name: str = "g") -> dict[str, Any]:
    status, said = wire.ask("GET", wire.path(folder, name, "stats", seconds=3600))
    assert status == 200, said
    return {one["name"]: one for one in said.pop("containers")} | {"": said}


def counted(wire: Wire, counter: str, **labels: str) -> float:
    """Give what Prometheus reads of the group; 0 before there is anything."""
    with wire.send("GET", "/metrics") as answer:
        assert answer.status == 200
        lines = answer.read().decode().splitlines()
    answer.connection.close()  # type: ignore[attr-defined]
    wanted = [f'{name}="{value}"' for name, value in {"group": "g", **labels}.items()]
    found = [line for line in lines if line.startswith(f"{counter}{{") and all(label in line for label in wanted)]
    assert len(found) < 2, found
    return float(found[0].rpartition(" ")[2]) if found else 0.0


def test_cpu_is_what_its_limit_leaves_and_memory_is_what_is_held(measured: tuple[Wire, str]) -> None:
    wire, folder = measured
    begun, spent = time.time(), processor_time(BUSY)
    wait_for(lambda: time.time() > begun + 8)
    said, spent, passed = stats(wire, folder), processor_time(BUSY) - spent, time.time() - begun

    values = [(when, value) for when, value in said["busy"]["cpuMillicoresSeries"] if when >= stamp(begun)]
    lasted = moment(values[-1][0]) - moment(values[0][0])
    assert added_up(values) / lasted == pytest.approx(1000 * spent / passed, rel=0.25), values
    assert 200 < 1000 * spent / passed < 1100  # it would have two CPUs' time without the limit
    assert said["holds"]["cpuMillicores"] < 100
    assert MEGABYTES << 20 < said["holds"]["memoryBytes"] < (MEGABYTES + 40) << 20
    assert said["busy"]["memoryBytes"] < 40 << 20
    assert said[""]["memoryBytes"] == said["holds"]["memoryBytes"] + said["busy"]["memoryBytes"]


def test_bytes_that_went_through_are_counted_both_ways(real: Running, measured: tuple[Wire, str]) -> None:
    wire, folder = measured
    counters = ("hythe_group_network_receive_bytes_total", "hythe_group_network_transmit_bytes_total")
    before = [counted(wire, each) for each in counters]
    address = real.aci.container_groups.get(folder, "g").ip_address.ip

    def connected() -> socket.socket | None:
        with contextlib.suppress(ConnectionRefusedError):  # its program may just be starting
            return socket.create_connection((address, 80), timeout=20)
        return None

    with wait_for(connected) as connection:  # type: ignore[union-attr]
        left = SENT
        while left:
            left -= len(connection.recv(1 << 16))
        connection.sendall(bytes(RECEIVED))

    def went() -> list[float]:
        return [counted(wire, each) - earlier for each, earlier in zip(counters, before, strict=True)]

    wait_for(lambda: went()[0] > RECEIVED and went()[1] > SENT, 10)
    received, sent = went()
    assert received < 2 * RECEIVED and sent < 1.5 * SENT, "headers come on top, and what was acknowledged"
    said = stats(wire, folder)[""]
    for key, bytes_of_all in (("Received", received), ("Transmitted", sent)):
        assert added_up(said[f"networkBytes{key}PerSecondSeries"]) == pytest.approx(bytes_of_all, rel=0.5)


def test_azures_api_and_prometheus_say_the_same(measured: tuple[Wire, str]) -> None:
    wire, folder = measured
    path = wire.path(
        folder,
        "g",
        "providers/Microsoft.Insights/metrics",
        metricnames="CpuUsage",
        **{"$filter": "containerName eq '*'"},
    )
    status, said = wire.ask("GET", path)
    assert status == 200, said
    busy, holds = said["value"][0]["timeseries"]
    assert [each["metadatavalues"][0]["value"] for each in (busy, holds)] == ["busy", "holds"]
    newest = [point["average"] for point in busy["data"] if "average" in point]
    assert 100 < newest[-1] < 1100
    cpu = "hythe_container_cpu_usage_seconds_total"
    wait_for(lambda: counted(wire, cpu, container="busy") > 1, 10)
    assert counted(wire, cpu, container="busy") < min(1000, processor_time(BUSY) + 1)


def test_what_restarts_is_measured_on_and_what_is_deleted_is_let_go(real: Running, measured: tuple[Wire, str]) -> None:
    wire, folder = measured
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
