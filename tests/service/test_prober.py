"""Probes over time: when they run, what they change, and what happens to the container."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from hythe.engines.base import ContainerSeen, Observed, Uid, Want
from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.models import Container, ContainerExec, ContainerGroup, ContainerProbe
from hythe.service.control import Prober
from hythe.service.store import Status, View

from .harness import GROUPS, SUBSCRIPTION, Service, container, group, running

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROBE = {"exec": {"command": ["x"]}, "failureThreshold": 2, "periodSeconds": 3}


class Time:
    """Sleeps that end when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._ticks = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self._ticks.acquire()

    async def tick(self) -> None:
        self._ticks.release()
        for _ in range(5):
            await asyncio.sleep(0)


def want(**probes: Any) -> Want:
    one = Container(name="c", image="i", **probes)
    return Want(uid=Uid("u"), name="g", subscription="s", group=ContainerGroup(containers=[one]))


def seen(state: str = "running", identity: str = "id") -> Observed:
    return Observed(containers=(ContainerSeen(name="c", id=identity, state=state, started_at=NOW),))


class Scripted(SimulatedEngine):
    def __init__(self, *results: bool) -> None:
        super().__init__()
        self._outcomes_of["id"] = self._outcomes_of["id2"] = Outcome(probes=results)


def ask(**numbers: int) -> ContainerProbe:
    return ContainerProbe(exec_=ContainerExec(command=["x"]), **numbers)


async def test_times_are_those_of_the_probe_and_begin_with_the_container() -> None:
    time = Time()
    prober = Prober(Scripted(True), clock=lambda: NOW + timedelta(seconds=4), sleep=time.sleep)
    prober.look(want(liveness_probe=ask(initial_delay_seconds=10, period_seconds=7)), seen(), View())
    await time.tick()
    await time.tick()

    assert time.asked == [6.0, 7, 7]
    await prober.stop()


async def test_a_good_probe_wakes_nobody_and_a_bad_one_does() -> None:
    time = Time()
    prober = Prober(Scripted(True, True, False), clock=lambda: NOW, sleep=time.sleep)
    wanted = want(liveness_probe=ask(failure_threshold=1))
    prober.look(wanted, seen(), View())
    for _ in range(2):
        await time.tick()
    assert prober._hints.empty()
    await time.tick()

    assert prober._hints.get_nowait() == "u"
    assert [event.message for event in prober.take(Uid("u"))] == ["Liveness probe failed: scripted"]
    assert prober.take(Uid("u")) == []
    assert not prober.look(wanted, seen(), View()).containers[0].live
    await prober.stop()


async def test_a_new_container_is_judged_anew_and_an_ended_one_no_more() -> None:
    time = Time()
    prober = Prober(Scripted(False), clock=lambda: NOW, sleep=time.sleep)
    wanted = want(liveness_probe=ask(failure_threshold=1), readiness_probe=ask())
    prober.look(wanted, seen(), View())
    await time.tick()
    await time.tick()

    again = prober.look(wanted, seen(identity="id2"), View(ready={"c": True})).containers[0]
    assert (again.live, again.ready) == (True, False)
    prober.look(wanted, seen("exited", "id2"), View())
    assert prober._groups == {"u": {}}
    prober.look(replace(wanted, desired="stop"), seen("exited", "id2"), View())
    assert prober._groups == {}
    await prober.stop()


async def test_a_service_that_came_back_takes_who_was_ready_as_ready() -> None:
    prober = Prober(Scripted(True), clock=lambda: NOW, sleep=Time().sleep)

    judged = prober.look(want(readiness_probe=ask()), seen(), View(ready={"c": True}))

    assert judged.containers[0].ready
    await prober.stop()


# --- through the API ---


async def see(service: Service, name: str = "g") -> Any:
    body = (await service.ask("GET", f"{GROUPS}/{name}")).json["properties"]
    return body["containers"][0]["properties"]["instanceView"]


def ready(service: Service) -> dict[str, bool]:
    (row,) = service.store.listed("containerGroups", SUBSCRIPTION)
    return msgspec.json.decode(row.status, type=Status).view.ready


async def test_a_liveness_failure_restarts_the_container_and_tells_why() -> None:
    time = Time()
    engine = SimulatedEngine({"web": Outcome(probes=(False, False, True), stops_with=0)})
    async with running(engine=engine, sleep=time.sleep) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group(container(livenessProbe=PROBE), restartPolicy="OnFailure"))
        first = next(iter(engine.groups.values())).containers
        before = [*first]
        for _ in range(300):
            await time.tick()
            await asyncio.sleep(0.005)
            if (view := await see(service))["restartCount"]:
                break

    events = {event["name"]: event for event in view["events"]}
    assert events["Unhealthy"]["count"] == 2 and events["Unhealthy"]["type"] == "Warning"
    assert "Killing" in events and events["Started"]["count"] == 2
    assert view["currentState"]["state"] == "Running" and view["previousState"]["exitCode"] == 0
    assert [*first] != before


async def test_readiness_is_kept_for_the_gateway_and_restarts_nothing() -> None:
    time = Time()
    engine = SimulatedEngine({"web": Outcome(probes=(True, False, False, True))})
    thought = []
    async with running(engine=engine, sleep=time.sleep) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group(container(readinessProbe=PROBE), container("other")))
        for _ in range(5):
            thought.append(ready(service))
            await time.tick()
            for _ in range(20):
                await asyncio.sleep(0.002)
        view = await see(service)

    assert thought == [{"web": each} for each in (False, True, True, False, True)], "the other has no probe"
    assert view["restartCount"] == 0 and view["currentState"]["state"] == "Running"


async def test_a_container_that_crashed_and_was_started_again_is_not_ready_before_it_says_so() -> None:
    time = Time()
    engine = SimulatedEngine({"web": Outcome(probes=(True,))})
    async with running(engine=engine, sleep=time.sleep) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/g", group(container(readinessProbe=PROBE)))
        async with asyncio.timeout(30):
            while not ready(service)["web"]:
                await time.tick()
                await asyncio.sleep(0.002)
            engine.outcomes["web"] = Outcome(probes=(False,))
            engine.end(next(iter(engine.groups)), "web", 1, "Error")
            while not (await see(service))["restartCount"]:
                await asyncio.sleep(0.002)
        assert (await see(service))["currentState"]["state"] == "Running"
        assert ready(service) == {"web": False}
