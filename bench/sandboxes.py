"""Sandboxes: from asking for one to the exit code of the first command in it."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from tests.real.streaming import Wire

from .life import FOLDER, groups
from .rivals import Service, figure

WARM_UP = 2
FIRST_EXEC_LIMIT = 0.3
_VERSION = "2026-07-01"
_IMAGE = "microsoft/aci-wordcount"
_SETTLE = 0.5
"""Seconds between two rounds in which the pool is refilled."""


class _Small:
    """The small API, with a token of one sandbox group."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._group = (
            f"/subscriptions/{wire.facts['subscription']}/resourceGroups/{FOLDER}/providers/"
            f"Microsoft.ContainerInstance/sandboxGroups/bench"
        )
        code, made = wire.ask("PUT", f"{self._group}?api-version={_VERSION}", {"location": "eastus", "properties": {}})
        assert code in (200, 201), made
        _, given = wire.ask("POST", f"{self._group}/connect?api-version={_VERSION}")
        self._headers = {"Authorization": f"Bearer {given['accessToken']}"}

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask over a new connection, as a client that needs one sandbox does."""
        answer = self._wire.send(
            method, f"/hythe/sandboxes{path}", msgspec.json.encode(body) if body is not None else None, self._headers
        )
        said = answer.read()
        assert answer.status < 300, said
        answer.connection.close()  # type: ignore[attr-defined]
        return msgspec.json.decode(said) if said else None


def measure(service: Service, rounds: int) -> list[dict[str, Any]]:
    """Make a sandbox, run a command in it, delete it."""
    whole: dict[bool, list[float]] = {False: [], True: []}
    making, running = [], []
    with groups(service):
        api = _Small(Wire(service.facts))
        for number in range(-WARM_UP, rounds):
            for network in (False, True):
                time.sleep(_SETTLE)
                begun = time.perf_counter()
                made = api.ask("POST", "", {"image": _IMAGE, "network": network, "cpu": 0.1, "memoryInGB": 0.1})
                middle = time.perf_counter()
                assert api.ask("POST", f"/{made['id']}/exec", {"command": ["true"]})["exitCode"] == 0
                end = time.perf_counter()
                api.ask("DELETE", f"/{made['id']}")
                if number < 0:
                    continue
                whole[network].append(end - begun)
                if not network:
                    making.append(middle - begun)
                    running.append(end - middle)
    return [
        figure("sandbox without a network: until its first command has ended", whole[False], "s", FIRST_EXEC_LIMIT),
        figure("  of that: making it", making, "s"),
        figure("  of that: the command", running, "s"),
        figure("sandbox with a network: until its first command has ended", whole[True], "s", FIRST_EXEC_LIMIT),
    ]
