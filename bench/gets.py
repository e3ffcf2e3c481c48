"""500 gets at once with the asynchronous clients, ours and Microsoft's, against one service on simulated containers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from .reads import VERSION, Caller, group, simulated
from .rivals import HYTHE, figure, microsofts

WORKER = Path(__file__).parent / "workers" / "gets.py"
FOLDER, NAME = "reads", "group-0"
LEAST = 3.0
PER_PROCESS = 3
MOST = 7
"""Rounds: each is a process of either client, in turn."""


def measure(_: object, rounds: int) -> list[dict[str, Any]]:
    """Make one group and have both get it."""
    pythons = {"hythe": sys.executable, "microsofts": microsofts()}
    rates: dict[str, list[float]] = {who: [] for who in pythons}
    with simulated() as data_dir:
        caller = Caller(data_dir)
        caller.ask("PUT", f"{caller.folder}?api-version=2021-04-01", {"location": "eastus"})
        caller.ask("PUT", f"{caller.groups}/{NAME}?{VERSION}", group(0))
        environment = credentials(data_dir) | {"BENCH_GROUP": f"{FOLDER}/{NAME}"}
        for _ in range(min(rounds, MOST)):
            for who, python in pythons.items():
                command = [python, WORKER, who, str(PER_PROCESS)]
                said = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout
                rates[who] += [float(line) for line in said.splitlines()]
    what = "500 gets of a group at once"
    ratio = median(rates["hythe"]) / median(rates["microsofts"])
    return [
        figure(f"{what}: Hythe's asynchronous client", rates["hythe"], "/s"),
        figure(f"{what}: azure-mgmt-containerinstance with aiohttp", rates["microsofts"], "/s"),
        figure(f"{what}: Hythe / Microsoft's", ratio, "", at_least=LEAST),
    ]


def credentials(data_dir: Path) -> dict[str, str]:
    """Give the environment with what any client signs in with."""
    said = subprocess.run(
        [*HYTHE, "env", "--json", "--data-dir", str(data_dir)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    facts = json.loads(said)
    return os.environ | {
        name: facts[key]
        for name, key in {
            "HYTHE_URL": "url", "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client_id",
            "AZURE_CLIENT_SECRET": "client_secret", "AZURE_SUBSCRIPTION_ID": "subscription",
            "AZURE_AUTH_LOCATION": "auth_file", "SSL_CERT_FILE": "ca", "REQUESTS_CA_BUNDLE": "REQUESTS_CA_BUNDLE",
        }.items()
    }  # fmt: skip
