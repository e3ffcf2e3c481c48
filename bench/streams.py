"""Looking inside: an exec of `true` beside `docker exec`, and how fast a log is followed."""

from __future__ import annotations

import subprocess
import time
from typing import Any

from tests.real.streaming import Wire

from hythe.models import Container, ContainerGroup, ResourceRequests, ResourceRequirements

from .life import FOLDER, groups
from .rivals import Docker, Service, figure

WARM_UP = 3
EXEC_LIMIT = 0.6
FIRST_BYTE_LIMIT = 50.0
FOLLOW_LEAST = 50.0
TOOLS = "microsoft/aci-wordcount"
_LINES = 500_000
_LINE = 99  # and its end
_REST = 0.15
"""Seconds between two commands: what is still being cleared away of one is not the next one's time."""


def _group(*command: str) -> ContainerGroup:
    needs = ResourceRequirements(requests=ResourceRequests(cpu=1, memory_in_gb=0.5))
    one = Container(name="c", image=TOOLS, command=[*command], resources=needs)
    return ContainerGroup(location="eastus", os_type="Linux", restart_policy="Never", containers=[one])


def measure(service: Service, rounds: int) -> list[dict[str, Any]]:
    """Take everything in turn."""
    (archive,) = (service.data_dir / "cache").glob("helloworld-*.tar")
    ours, docker_exec = [], []
    with Docker(archive) as docker, groups(service) as made:
        wire = Wire(service.facts)
        create = made.aci.container_groups.begin_create_or_update
        create(FOLDER, "exec", _group("sleep", "10000")).result()
        container = docker.start()
        command = docker.command("exec", container, "true")
        for number in range(-WARM_UP, rounds):
            begun = time.perf_counter()
            assert wire.exec(FOLDER, "exec", "true").code == 0
            took = time.perf_counter() - begun
            time.sleep(_REST)
            begun = time.perf_counter()
            subprocess.run(command, check=True)
            docker_took = time.perf_counter() - begun
            time.sleep(_REST)
            if number >= 0:
                ours.append(1e3 * took)
                docker_exec.append(1e3 * docker_took)
        docker.remove(container)
        first = [_first_byte(wire) for _ in range(rounds)]
        create(FOLDER, "log", _group("sh", "-c", f"yes {'x' * _LINE} | head -n {_LINES}; sleep 10000")).result()
        speed = [_speed(wire) for _ in range(5)]
    return [
        figure("exec of true: session, websocket, exit code (new connections)", ours, "ms"),
        figure("docker exec of true, with the client's process", docker_exec, "ms"),
        figure("ratio exec / docker exec", [a / b for a, b in zip(ours, docker_exec, strict=True)], "x", EXEC_LIMIT),
        figure(
            "followed log: from typing to a command that writes a line to reading it", first, "ms", FIRST_BYTE_LIMIT
        ),
        figure(f"following {_LINES * (_LINE + 1) / 1e6:g} MB (at least {FOLLOW_LEAST:g} wanted)", speed, "MB/s"),
    ]


def _first_byte(wire: Wire) -> float:
    """Give the milliseconds from a key pressed outside, which has a line written inside, to reading that line."""
    path = wire.path(FOLDER, "exec", "containers/c/logs", follow="true", tail=0)
    answer = wire.send("GET", path)
    uri, password = wire.session(FOLDER, "exec", "sh -c 'read x; echo line > /proc/1/fd/1; echo written; read x'")
    with wire.connect(uri, subprotocols=["exec.hythe.v1"]) as socket:
        socket.send(password)
        time.sleep(0.1)
        begun = time.perf_counter()
        socket.send(b"\0\n")
        assert answer.read1(100) == b"line\n"
        took = time.perf_counter() - begun
    answer.connection.close()  # type: ignore[attr-defined]
    return 1e3 * took


def _speed(wire: Wire) -> float:
    """Follow the log from its first line to its last, in MB of text a second."""
    size, wanted = 0, _LINES * (_LINE + 1)
    begun = time.perf_counter()
    answer = wire.follow(FOLDER, "log")
    while size < wanted:
        block = answer.read1(1 << 20)
        assert block, "the log ended early"
        size += len(block)
    took = time.perf_counter() - begun
    assert size == wanted
    answer.connection.close()  # type: ignore[attr-defined]
    return wanted / 1e6 / took
