"""Reads: GETs of one group per second with wrk, and how long a list of 1,000 groups takes; on simulated containers."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from .rivals import HYTHE, figure

GROUPS = 1000
CONNECTIONS, SECONDS = 16, 10
LEAST_PER_SECOND, MOST_P99, MOST_LIST = 5000.0, 10.0, 40.0
VERSION = "api-version=2023-05-01"


@contextmanager
def simulated() -> Iterator[Path]:
    """Run a service on simulated containers, and remove all of it at the end."""
    data_dir = Path(tempfile.mkdtemp(prefix="hythe-reads-"))
    (data_dir / "hythe.toml").write_text(f"[service.quotas]\ngroups = {2 * GROUPS}\ncores = {GROUPS}\n")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    where = ["--data-dir", str(data_dir)]
    subprocess.run([*HYTHE, "up", "--detach", "--engine", "sim", "--port", str(port), *where], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        yield data_dir
    finally:
        subprocess.run([*HYTHE, "down", "--purge", *where], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(data_dir, ignore_errors=True)


class Caller:
    """One connection, kept open, with a token."""

    def __init__(self, data_dir: Path) -> None:
        facts = json.loads((data_dir / "service.json").read_text())
        auth = json.loads((data_dir / "my.azureauth").read_text())
        self.url = facts["url"]
        self.folder = f"/subscriptions/{facts['subscription']}/resourceGroups/reads"
        self.groups = f"{self.folder}/providers/Microsoft.ContainerInstance/containerGroups"
        context = ssl.create_default_context(cafile=str(data_dir / "ca.pem"))
        self.connection = HTTPSConnection(self.url.removeprefix("https://"), context=context)
        form = urllib.parse.urlencode(
            {"grant_type": "client_credentials", "client_id": auth["clientId"], "client_secret": auth["clientSecret"],
             "scope": f"{self.url}/.default"}
        )  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", f"/{facts['tenant']}/oauth2/v2.0/token", form, headers)
        self.token = json.loads(self.connection.getresponse().read())["access_token"]

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """Send one request, take the whole answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        read = answer.read()
        assert answer.status < 300, read
        return read


def group(number: int) -> dict[str, Any]:
    """Give a group of a usual size."""
    variables = [{"name": f"NAME_{each}", "value": f"value {each} of group {number}"} for each in range(4)]
    return {
        "location": "eastus",
        "tags": {"number": str(number)},
        "properties": {
            "osType": "Linux",
            "containers": [
                {
                    "name": "web",
                    "properties": {
                        "image": "sample/web:1",
                        "command": ["serve", "--port", "80"],
                        "ports": [{"port": 80, "protocol": "TCP"}],
                        "environmentVariables": variables,
                        "resources": {"requests": {"cpu": 0.05, "memoryInGB": 0.1}},
                    },
                }
            ],
            "ipAddress": {"type": "Public", "ports": [{"port": 80, "protocol": "TCP"}]},
        },
    }


def _wrk(url: str, token: str) -> tuple[float, float]:
    """Give requests per second and the 99th percentile in milliseconds."""
    said = subprocess.run(
        ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{SECONDS}s", "--latency",
         "--header", f"Authorization: Bearer {token}", url],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    assert "Non-2xx" not in said, said
    per_second = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", said).groups()  # type: ignore[union-attr]
    return per_second, float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def measure(_: object, rounds: int) -> list[dict[str, Any]]:
    """Make 1,000 groups, read one as fast as can be, and list all of them."""
    if shutil.which("wrk") is None:
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "wrk"], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    with simulated() as data_dir:
        first = Caller(data_dir)
        first.ask("PUT", f"{first.folder}?api-version=2021-04-01", {"location": "eastus"})
        numbers = iter(range(GROUPS))

        def create(caller: Caller) -> None:
            for number in numbers:
                caller.ask("PUT", f"{caller.groups}/group-{number:04}?{VERSION}", group(number))

        callers = [first, *(Caller(data_dir) for _ in range(3))]
        with ThreadPoolExecutor(len(callers)) as pool:
            list(pool.map(create, callers))
        seconds = []
        for _ in range(rounds):
            begun = time.perf_counter()
            body = first.ask("GET", f"{first.groups}?{VERSION}")
            seconds.append(1e3 * (time.perf_counter() - begun))
        assert len(json.loads(body)["value"]) == GROUPS
        runs = [_wrk(f"{first.url}{first.groups}/group-0000?{VERSION}", first.token) for _ in range(3)]
    what = f"GET of a group, token checked, TLS, {CONNECTIONS} connections"
    return [
        figure(what, [run[0] for run in runs], "/s", at_least=LEAST_PER_SECOND),
        figure(f"{what}: 99th percentile", [run[1] for run in runs], "ms", MOST_P99),
        figure(f"list of {GROUPS:,} groups, the whole answer", seconds, "ms", MOST_LIST),
    ]
