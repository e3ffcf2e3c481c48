"""What a service tells of its groups after a reboot, before it has brought them back."""

from __future__ import annotations

import asyncio
from typing import Any

from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.service.control import show_lost
from hythe.service.store import SqlStore

from .harness import GROUPS, Service, container, group, running


async def test_nobody_is_told_of_a_former_life() -> None:
    store, engine = SqlStore(None), SimulatedEngine({"task": Outcome(runs_for=0.0)})
    async with running(store=store, engine=engine) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group(container("web"), container("task"), restartPolicy="Never"))
        await service.ask("PUT", f"{GROUPS}/task", group(container("task"), restartPolicy="Never"))
        for name in ("web", "task"):
            while (await _task(service, name))["state"] != "Terminated":
                await asyncio.sleep(0.005)

        await show_lost(store, engine)
        assert (await _get(service, "web"))["instanceView"]["state"] == "Running", "it is there"
        await show_lost(store, SimulatedEngine())
        lost = await _get(service, "web")
        ended = await _get(service, "task")

    assert lost["instanceView"]["state"] == "Pending"
    assert "ip" not in lost.get("ipAddress", {})
    web, task = (one["properties"]["instanceView"]["currentState"] for one in lost["containers"])
    assert (web["state"], task["state"]) == ("Waiting", "Terminated")
    assert ended["instanceView"]["state"] == "Succeeded"
    store.close()


async def _get(service: Service, name: str) -> Any:
    return (await service.ask("GET", f"{GROUPS}/{name}")).json["properties"]


async def _task(service: Service, name: str) -> Any:
    return (await _get(service, name))["containers"][-1]["properties"]["instanceView"]["currentState"]
