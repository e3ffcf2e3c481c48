"""`hythe container list` beside `az container list`: whole processes, in turn, against one service."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import Any

from .gets import credentials
from .reads import VERSION, Caller, group, simulated
from .rivals import HYTHE, ROOT, figure

PINS = ROOT / "tests" / "real" / "tools" / "pins" / "azure-cli.txt"
GROUPS = 10
LIMIT = 0.6


def measure(_: object, rounds: int) -> list[dict[str, Any]]:
    """List some groups with either, signed in before."""
    sys.path.append(str(ROOT / "tools"))
    from environments import environment

    az = [str(environment(PINS)), "-m", "azure.cli"]
    ours, theirs = [], []
    with simulated() as data_dir, tempfile.TemporaryDirectory() as config:
        caller = Caller(data_dir)
        caller.ask("PUT", f"{caller.folder}?api-version=2021-04-01", {"location": "eastus"})
        for number in range(GROUPS):
            caller.ask("PUT", f"{caller.groups}/group-{number}?{VERSION}", group(number))
        found = credentials(data_dir)
        variables = found | {
            "AZURE_CONFIG_DIR": config, "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false", "HYTHE_HOME": str(data_dir),
        }  # fmt: skip

        def run(*command: str) -> tuple[float, str]:
            begun = time.perf_counter()
            said = subprocess.run(command, check=True, env=variables, stdout=subprocess.PIPE, text=True).stdout
            return time.perf_counter() - begun, said

        run(*az, "cloud", "register", "-n", "Hythe", "--endpoint-resource-manager", found["HYTHE_URL"])
        run(*az, "cloud", "set", "-n", "Hythe")
        who = ("-u", found["AZURE_CLIENT_ID"], "-p", found["AZURE_CLIENT_SECRET"], "--tenant", found["AZURE_TENANT_ID"])
        run(*az, "login", "--service-principal", *who)
        for number in range(-1, rounds):
            took, said = run(*HYTHE, "container", "list")
            az_took, az_said = run(*az, "container", "list")
            assert said.count('"group-') >= GROUPS and az_said.count('"group-') >= GROUPS
            if number >= 0:
                ours.append(took)
                theirs.append(az_took)
    return [
        figure("hythe container list, the process", ours, "s"),
        figure("az container list, the process", theirs, "s"),
        figure("hythe container list / az container list", median(ours) / median(theirs), "", LIMIT),
    ]
