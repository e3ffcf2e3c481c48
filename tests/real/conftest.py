"""A real service with real containers, once for all tests of this folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from hythe.machine import missing

HYTHE = [sys.executable, "-m", "hythe"]


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def hythe(*arguments: str, data_dir: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the command line against one data dir."""
    environment = os.environ | {"HYTHE_HOME": str(data_dir)}
    return subprocess.run(
        [*HYTHE, *arguments], env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


class Running(Struct):
    """A service that answers."""

    data_dir: Path
    port: int
    env: dict[str, str]
    facts: dict[str, str]


def start(data_dir: Path, port: int) -> Running:
    up = hythe("up", "--detach", "--port", str(port), data_dir=data_dir)
    assert up.returncode == 0, up.stdout + up.stderr
    facts = json.loads(hythe("env", "--json", data_dir=data_dir).stdout)
    names = ("AZURE_AUTH_LOCATION", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "HYTHE_URL")
    return Running(data_dir, port, {name: facts[name] for name in names}, facts)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    lacks = [lack for lack in missing() if lack.what != "port"]
    if lacks:
        pytest.skip("no real containers here: " + ", ".join(lack.what for lack in lacks))
    data_dir = tmp_path_factory.mktemp("hythe")
    try:
        yield start(data_dir, free_port())
    finally:
        down = hythe("down", "--purge", data_dir=data_dir)
        assert down.returncode == 0, down.stdout + down.stderr
