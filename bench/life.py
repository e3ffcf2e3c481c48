"""Create, delete, a burst, the end of a task, memory of an idle group: through the HTTP API, beside Docker."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
from hythe.models import (
    Container,
    ContainerGroup,
    ContainerPort,
    IpAddress,
    Port,
    ResourceRequests,
    ResourceRequirements,
)

from .rivals import Docker, Service, figure

WARM_UP = 2
BURST, AT_ONCE = 50, 8
IDLE = 10
FOLDER = "life"
WARM_LIMIT, COLD_LIMIT, DELETE_LIMIT, BURST_LIMIT, END_LIMIT, MEMORY_LIMIT = 0.25, 0.6, 0.5, 0.55, 50.0, 0.8
_SETTLE = 0.5
"""Seconds between two rounds in which the pool is refilled."""


def page() -> ContainerGroup:
    """Describe one container that serves a page on a public address."""
    needs = ResourceRequirements(requests=ResourceRequests(cpu=0.1, memory_in_gb=0.1))
    return ContainerGroup(
        location="eastus",
        os_type="Linux",
        containers=[
            Container(name="web", image="microsoft/aci-helloworld", resources=needs, ports=[ContainerPort(port=80)])
        ],
        ip_address=IpAddress(type="Public", ports=[Port(port=80)]),
    )


def task() -> ContainerGroup:
    """Describe a container that ends after a moment."""
    needs = ResourceRequirements(requests=ResourceRequests(cpu=0.1, memory_in_gb=0.1))
    command = ["/bin/sh", "-c", "sleep 0.3"]
    return ContainerGroup(
        location="eastus",
        os_type="Linux",
        restart_policy="Never",
        containers=[Container(name="task", image="microsoft/aci-wordcount", resources=needs, command=command)],
    )


class Groups:
    """Makes and removes groups on one service."""

    def __init__(self, service: Service) -> None:
        auth = service.data_dir / "my.azureauth"
        self.aci = get_client_from_auth_file(ContainerInstanceManagementClient, auth)
        self.resources = get_client_from_auth_file(ResourceManagementClient, auth)
        self.resources.resource_groups.create_or_update(FOLDER, {"location": "eastus"})

    def close(self) -> None:
        """Remove everything and close the connections."""
        self.resources.resource_groups.begin_delete(FOLDER).result()
        self.aci.close()
        self.resources.close()

    def create(self, name: str) -> tuple[float, str]:
        """Time a create until it runs; give its address too."""
        begun = time.perf_counter()
        made = self.aci.container_groups.begin_create_or_update(FOLDER, name, page()).result()
        took = time.perf_counter() - begun
        assert made.instance_view.state == "Running", made
        return took, made.ip_address.ip

    def delete(self, name: str, address: str, *, looked_at: bool = False) -> float:
        """Time a delete until no port answers and, if ``looked_at``, see that no process of the group runs."""
        processes = _inside(address) if looked_at else set()
        assert len(processes) >= 2 or not looked_at, "the sandbox and the server"
        begun = time.perf_counter()
        self.aci.container_groups.begin_delete(FOLDER, name).result()
        took = time.perf_counter() - begun
        assert not any(Path(f"/proc/{pid}").exists() for pid in processes), "a process of the group runs"
        with socket.socket() as probe:
            probe.settimeout(0.2)
            assert probe.connect_ex((address, 80)) != 0, "the group still answers"
        return took

    def end(self, name: str) -> float:
        """Give the milliseconds from a task's end to the first answer that shows it."""
        self.aci.container_groups.begin_create_or_update(FOLDER, name, task()).result()
        while True:
            view = self.aci.container_groups.get(FOLDER, name).containers[0].instance_view
            seen = time.time()
            if view.current_state.state == "Terminated":
                break
            time.sleep(0.002)
        self.aci.container_groups.begin_delete(FOLDER, name).result()
        return 1e3 * (seen - view.current_state.finish_time.timestamp())


@contextmanager
def groups(service: Service) -> Iterator[Groups]:
    """Give groups on a service, and remove them."""
    held = Groups(service)
    try:
        yield held
    finally:
        held.close()


def _inside(address: str) -> set[int]:
    """Give the processes that share the network namespace with an address."""
    spaces: dict[str, set[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            spaces.setdefault(str((path / "ns" / "net").readlink()), set()).add(int(path.name))
    for pids in spaces.values():
        command = ["nsenter", "--target", str(next(iter(pids))), "--net", "ip", "-4", "-oneline", "address"]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        if f" {address}/" in found:
            return pids
    return set()


def _memory(words: tuple[str, ...]) -> float:
    """Give the proportional share of memory, in MiB, of all processes whose command line has one of the words."""
    total = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if any(word in command for word in words):
                lines = (path / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except OSError:
            continue
    return total / 1024


def measure(service: Service, rounds: int) -> list[dict[str, Any]]:
    """Take everything in turn."""
    (archive,) = (service.data_dir / "cache").glob("helloworld-*.tar")
    taken: dict[str, list[float]] = {name: [] for name in ("warm", "cold", "run", "delete", "rm", "end")}
    with (
        Service("bench-cold", "[engine]\npool = 0\n") as without_pool,
        Docker(archive) as docker,
        groups(service) as warm,
        groups(without_pool) as cold,
    ):
        for number in range(-WARM_UP, rounds):
            time.sleep(_SETTLE)
            name = f"g{number}".replace("-", "w")
            made, address = warm.create(name)
            begun = time.perf_counter()
            container = docker.start()
            run = time.perf_counter() - begun
            cold_made, cold_address = cold.create(name)
            row = {
                "warm": made, "run": run, "cold": cold_made, "rm": docker.remove(container),
                "delete": warm.delete(name, address, looked_at=True), "end": warm.end(name),
            }  # fmt: skip
            cold.delete(name, cold_address)
            if number >= 0:
                for key, value in row.items():
                    taken[key].append(value)
        bursts = [_burst(warm, docker) for _ in range(3)]
        memory = _idle(service, warm, docker)

    def ratio(one: str, other: str) -> list[float]:
        return [a / b for a, b in zip(taken[one], taken[other], strict=True)]

    return [
        figure("create until Running, pool warm", taken["warm"], "s"),
        figure("create until Running, without a pool", taken["cold"], "s"),
        figure("docker run -d -p", taken["run"], "s"),
        figure("ratio create, pool warm / docker run", ratio("warm", "run"), "x", WARM_LIMIT),
        figure("ratio create, without a pool / docker run", ratio("cold", "run"), "x", COLD_LIMIT),
        figure("delete until no process runs and the ports refuse", taken["delete"], "s"),
        figure("docker rm -f", taken["rm"], "s"),
        figure("ratio delete / docker rm -f", ratio("delete", "rm"), "x", DELETE_LIMIT),
        figure("from a task's end to Terminated in a GET", taken["end"], "ms", END_LIMIT),
        figure(f"burst of {BURST}, {AT_ONCE} at a time", [one for one, _ in bursts], "s"),
        figure("the same with docker run -d -p", [other for _, other in bursts], "s"),
        figure("ratio of the bursts", [one / other for one, other in bursts], "x", BURST_LIMIT),
        *memory,
    ]


def _burst(ours: Groups, docker: Docker) -> tuple[float, float]:
    """Time many creates side by side, ours and Docker's."""
    time.sleep(2)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        begun = time.perf_counter()
        made = [*threads.map(lambda number: ours.create(f"burst{number}"), range(BURST))]
        took = time.perf_counter() - begun
        [*threads.map(lambda number: ours.delete(f"burst{number}", made[number][1]), range(BURST))]
        begun = time.perf_counter()
        containers = [*threads.map(lambda _: docker.start(), range(BURST))]
        other = time.perf_counter() - begun
    docker.remove(*containers)
    return took, other


def _idle(service: Service, ours: Groups, docker: Docker) -> list[dict[str, Any]]:
    """Compare the memory that an idle group adds with the memory that an idle container of Docker's adds."""
    installation = (service.data_dir / "installation").read_text().strip()
    mine = (str(service.data_dir), f"hythe/{installation}", "catatonit", "httpd")
    theirs = (str(docker.folder), "docker-proxy", "httpd")
    time.sleep(3)
    before = _memory(mine)
    made = [ours.create(f"idle{number}")[1] for number in range(IDLE)]
    time.sleep(3)
    added = (_memory(mine) - before) / IDLE
    for number, address in enumerate(made):
        ours.delete(f"idle{number}", address)
    time.sleep(3)
    before = _memory(theirs)
    containers = [docker.start() for _ in range(IDLE)]
    time.sleep(3)
    other = (_memory(theirs) - before) / IDLE
    docker.remove(*containers)
    return [
        figure("memory added by an idle group", added, "MiB"),
        figure("memory added by an idle container of Docker's", other, "MiB"),
        figure("ratio of the memory", added / other, "x", MEMORY_LIMIT),
    ]
