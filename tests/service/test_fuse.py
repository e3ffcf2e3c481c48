"""The service dies at every await that it has, and starts again: the end is the same, nothing is left over."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hythe.engines.base import Action, Happened, Observed, Uid, Want
from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.service.control import sweep
from hythe.service.store import Change, SqlStore

from .harness import FOLDER, GROUPS, Service, container, group, running


class Blown(BaseException):
    """The process died here."""


class Fused(SimulatedEngine):
    """An engine whose k-th call, counted before and after its effect, is the last thing the process does."""

    fuse: int | None = None

    def _burn(self) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse == 0:
                self.fuse = None
                raise Blown

    async def observe(self, uid: Uid) -> Observed:
        self._burn()
        return await super().observe(uid)

    async def act(self, want: Want, seen: Observed, action: Action) -> tuple[Happened, ...]:
        self._burn()
        happened = await super().act(want, seen, action)
        self._burn()
        return happened

    async def forget(self, uid: Uid) -> None:
        self._burn()
        await super().forget(uid)
        self._burn()


class FusedStore(SqlStore):
    """A store whose transaction of a result may be the last thing, before or after it is written.

    So may the transaction by which control has something declared that belongs to something else.
    """

    engine: Fused

    def declare(self, change: Change) -> None:
        if change.row.parent:
            self.engine._burn()
        super().declare(change)
        if change.row.parent:
            self.engine._burn()

    def settle(self, *arguments: Any) -> bool:
        self.engine._burn()
        done = super().settle(*arguments)
        self.engine._burn()
        return done


Story = Callable[[Service], Awaitable[object]]


def _body(word: str, **properties: object) -> dict[str, Any]:
    """Describe a group with a volume and a config map, which ``word`` makes another one."""
    mounts = [{"name": "v", "mountPath": "/v"}]
    web = container("web", volumeMounts=mounts, configMap={"keyValuePairs": {"key": word}}, **properties)
    volume = {"name": "v", "secret": {"key": base64.b64encode(word.encode()).decode()}}
    return group(web, container("task"), restartPolicy="OnFailure", volumes=[volume])


async def _create(service: Service) -> None:
    await service.ask("PUT", f"{GROUPS}/g", _body("one"))


async def _restart(service: Service) -> None:
    await service.ask("POST", f"{GROUPS}/g/restart")


async def _stop(service: Service) -> None:
    await service.ask("POST", f"{GROUPS}/g/stop")


async def _update(service: Service) -> None:
    await service.ask("PUT", f"{GROUPS}/g", _body("two", command=["x"]))


async def _delete(service: Service) -> None:
    await service.ask("DELETE", f"{GROUPS}/g")


async def _delete_folder(service: Service) -> None:
    await service.ask("DELETE", FOLDER, version="2021-04-01")


PROVIDER = f"{FOLDER}/providers/Microsoft.ContainerInstance"
SET = f"{PROVIDER}/ngroups/s"
NEW = "2025-09-01"


async def _profile(service: Service, command: str = "one") -> None:
    body = group(container("web", command=[command]))
    await service.ask("PUT", f"{PROVIDER}/containerGroupProfiles/p", body, version=NEW)


async def _set(service: Service, count: int = 2, **more: object) -> None:
    stub = {"resource": {"id": f"{PROVIDER}/containerGroupProfiles/p"}}
    properties = {"elasticProfile": {"desiredCount": count}, "containerGroupProfiles": [stub]} | more
    await service.ask("PUT", SET, {"location": "eastus", "properties": properties}, version=NEW)


async def _create_set(service: Service) -> None:
    await _set(service)


async def _new_profile(service: Service) -> None:
    await _profile(service, "two")


async def _scale_in(service: Service) -> None:
    await _set(service, 1)


def _roll(*, in_place: bool) -> Story:
    async def roll(service: Service) -> None:
        settings = {"maxBatchPercent": 50, "inPlaceUpdate": in_place}
        await _set(service, 2, updateProfile={"updateMode": "Rolling", "rollingUpdateProfile": settings})

    return roll


async def _restart_set(service: Service) -> None:
    await service.ask("POST", f"{SET}/restart", version=NEW)


async def _stop_set(service: Service) -> None:
    await service.ask("POST", f"{SET}/stop", version=NEW)


async def _delete_set(service: Service) -> None:
    await service.ask("DELETE", SET, version=NEW)


_THERE: list[Story] = [_profile, _create_set]
SETS: list[tuple[str, list[Story], Story]] = [
    ("create-set", [_profile], _create_set),
    ("scale-in", _THERE, _scale_in),
    ("roll", [*_THERE, _new_profile], _roll(in_place=False)),
    ("roll-in-place", [*_THERE, _new_profile], _roll(in_place=True)),
    ("restart-set", _THERE, _restart_set),
    ("stop-set", _THERE, _stop_set),
    ("delete-set", _THERE, _delete_set),
]
STORIES: list[tuple[str, list[Story], Story]] = [
    ("create", [], _create),
    ("restart", [_create], _restart),
    ("stop", [_create], _stop),
    ("update", [_create], _update),
    ("delete", [_create], _delete),
    ("delete-folder", [_create], _delete_folder),
]


async def _tell(before: list[Story], story: Story, fuse: int | None) -> tuple[Any, bool]:
    """Tell a story, dying at one point and starting again; give how it ended and whether it died."""
    engine = Fused({"task": Outcome(runs_for=0.0)})
    store = FusedStore(None)
    store.engine = engine
    died = asyncio.Event()
    async with running(store=store, engine=engine) as service:
        await service.make_folder()
        for each in before:
            await each(service)
        await _quiet(service)
        engine.fuse = fuse
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: died.set())
        telling = asyncio.create_task(story(service))  # type: ignore[arg-type]
        for _ in range(4000):
            if telling.done() or (engine.fuse is None and fuse is not None):
                break
            await asyncio.sleep(0.005)
        if fuse is None:
            await telling
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    blown = fuse is not None and engine.fuse is None
    engine.fuse = None
    store._connection.exec_driver_sql("UPDATE resources SET lease_until = 0")  # the dead hold no lease for ever
    store._connection.commit()
    async with running(store=store, engine=engine) as service:
        await sweep(store, engine)
        service.loop.wake_all()
        await _quiet(service)
        listed = await service.ask("GET", f"{GROUPS}/g")
        state = listed.json["properties"]["instanceView"]["state"] if listed.status == 200 else None
        made = await service.ask("GET", SET, version=NEW)
        commands = sorted(
            (one.epoch, json.loads(one.spec)["properties"]["containers"][0]["properties"].get("command"))
            for one in store.members(SET)
        )
        of_set = (made.status, made.json["properties"]["provisioningState"] if made.status == 200 else None, commands)
        there = sorted((one.name, one.state) for each in engine.groups.values() for one in each.containers.values())
        held = [(each.volumes, each.config_maps) for each in engine.groups.values()]
        open_ends = store._connection.exec_driver_sql(
            "SELECT count(*) FROM operations WHERE status = 'Pending'"
        ).scalar_one()
    store.close()
    return (listed.status, state, there, open_ends, of_set, held), blown


async def _quiet(service: Service) -> None:
    """Wait until nothing is due and nobody works."""
    for _ in range(4000):
        await asyncio.sleep(0.005)
        due = service.store.due(9e9)
        if not due and not service.loop._working:
            return
    raise AssertionError(f"never quiet: {due}")


@pytest.mark.parametrize(("name", "before", "story"), STORIES + SETS, ids=[name for name, _, _ in STORIES + SETS])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_death_at_every_point_leads_to_the_same_end(name: str, before: list[Story], story: Story) -> None:
    expected, _ = await _tell(before, story, None)
    points = 0
    for fuse in range(1, 100):
        ended, blown = await _tell(before, story, fuse)
        if not blown:
            break
        points += 1
        assert ended == expected, f"died at point {fuse}"

    assert 4 <= points < 99
    assert expected[3] == 0
