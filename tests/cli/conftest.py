"""A service with simulated containers, started as people start it, and programs run against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hythe.cli import main

from ..free_ports import free_port

HYTHE = [sys.executable, "-m", "hythe"]
_KEPT_FROM_TESTS = (
    "AZURE_",
    "HYTHE_",
    "SSL_CERT_",
    "REQUESTS_CA_",
    "CURL_CA_",
    "NODE_EXTRA_CA_",
    "WEBSOCKET_CLIENT_CA_",
)


def clean_environment() -> dict[str, str]:
    """Give this process's environment without what it says about proxies, certificates and credentials."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_KEPT_FROM_TESTS) and not name.lower().endswith("_proxy")
    }


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end in a clean environment."""
    return subprocess.run(
        command, env=clean_environment() | environment, capture_output=True, text=True, timeout=60, check=False
    )


def sentence(result: Result | subprocess.CompletedProcess[str], code: int = 1) -> str:
    """Check that a command refused in one line, without a traceback, and give the line."""
    found = result.exit_code if isinstance(result, Result) else result.returncode
    assert found == code, (result.stdout, result.stderr)
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "Traceback" not in result.stdout
    return line.removeprefix("Error: ")


class Service:
    """A service in a data dir and on a port of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `hythe` against it."""
        return run(*HYTHE, *arguments, HYTHE_HOME=str(self.data_dir), **environment)

    def up(self) -> str:
        done = self("up", "--engine", "sim", "--detach", "--port", str(self.port), "--data-dir", str(self.data_dir))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def down(self, *options: str) -> str:
        done = self("down", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def facts(self) -> dict[str, str]:
        """What `hythe env --json` tells."""
        done = CliRunner().invoke(main, ["env", "--json", "--data-dir", str(self.data_dir)])
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    @property
    def pid(self) -> int:
        return int((self.data_dir / "lock").read_text())

    @property
    def auth_file(self) -> Path:
        return self.data_dir / "my.azureauth"

    def run_with(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self("run-with", "--", *command, **environment)

    def python(self, program: str, *arguments: str, **environment: str) -> str:
        """Run a Python program under `run-with` and give what it prints."""
        done = self.run_with(sys.executable, "-c", program, *arguments, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Give one that goes on running whatever a test does with it."""
    made = Service(tmp_path_factory.mktemp("service") / "data")
    made.up()
    try:
        yield made
    finally:
        made.down("--purge")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Service]:
    """Give one that a test may start, stop and break."""
    made = Service(tmp_path / "data")
    try:
        yield made
    finally:
        if (made.data_dir / "lock").exists():
            made.down("--purge")


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Run the command line in this process."""

    def invoke(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, list(arguments), **options)

    return invoke


@pytest.fixture
def hythe(service: Service, cli: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    """Run the command line in this process against the service that goes on."""

    def invoke(*arguments: str, env: dict[str, str] | None = None, **options: Any) -> Result:
        place = {"HYTHE_HOME": str(service.data_dir), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        return cli(*arguments, env=place | (env or {}), **options)

    return invoke
