"""Create until Running, image present, public address: Microsoft's client against Hythe, beside `docker run -d -p`."""

from __future__ import annotations

import os
import sys
from typing import Any

from .rivals import Docker, Service, Worker, figure, microsofts

WARM_UP = 2
LIMIT = 0.65


def measure(service: Service, rounds: int) -> list[dict[str, Any]]:
    """Take all three in turn."""
    facts = service.facts
    environment = {name: value for name, value in os.environ.items() if name != "CURL_CA_BUNDLE"} | {
        "HYTHE_URL": facts["url"],
        "REQUESTS_CA_BUNDLE": facts["REQUESTS_CA_BUNDLE"],
        "AZURE_AUTH_LOCATION": facts["auth_file"],
        "AZURE_TENANT_ID": facts["tenant"],
        "AZURE_CLIENT_ID": facts["client_id"],
        "AZURE_CLIENT_SECRET": facts["client_secret"],
        "AZURE_SUBSCRIPTION_ID": facts["subscription"],
    }
    (archive,) = (service.data_dir / "cache").glob("helloworld-*.tar")
    sdk, own, docker_run = [], [], []
    with (
        Docker(archive) as docker,
        Worker(microsofts(), "microsofts", environment) as microsoft,
        Worker(sys.executable, "ours", environment) as ours,
    ):
        for number in range(-WARM_UP, rounds):
            taken = microsoft.once(), docker.run(), ours.once()
            if number >= 0:
                for values, value in zip((sdk, docker_run, own), taken, strict=True):
                    values.append(value)
    ratios = [one / other for one, other in zip(sdk, docker_run, strict=True)]
    return [
        figure("create until Running, Microsoft's client on Hythe", sdk, "s"),
        figure("create until Running, Hythe's client on Hythe", own, "s"),
        figure("docker run -d -p (Docker of Debian 12)", docker_run, "s"),
        figure("ratio Microsoft's client on Hythe / docker run", ratios, "x", LIMIT),
    ]
