"""Sandbox groups and the sandboxes in them, on the simulated engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.base import Action, Happened, Observed, Refused, RunContainer, Uid, Want
from hythe.engines.offers import STDERR, STDOUT, Process, Size
from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.service.control import sweep
from hythe.service.kinds import SANDBOXES
from hythe.service.settings import SandboxSettings, ServiceSettings

from .harness import FOLDER, GROUPS, SUBSCRIPTION, Reply, Service, running

PROVIDER = f"{FOLDER}/providers/Microsoft.ContainerInstance"
BOXES = f"{PROVIDER}/sandboxGroups"
NETWORKS = f"{FOLDER}/providers/Microsoft.Network/virtualNetworks"
SUBNET = f"{NETWORKS}/v/subnets/s"
NEW = "2026-07-01"
EXAMPLES = Path(__file__).parents[3] / "shared" / "contract" / "examples-2026-07-01"


class Echo:
    """A process that gives back its command and its input, or never ends."""

    def __init__(self, command: Sequence[str]) -> None:
        self._outputs = [(STDOUT, " ".join(command).encode()), (STDERR, b"warned")]
        self._input = asyncio.Event()
        self._for_ever = command[0] == "for-ever"
        self._wants = command[0] == "cat"
        self.closed = False

    async def read(self) -> tuple[int, bytes] | None:
        if self._for_ever:
            await asyncio.Event().wait()
        if self._wants:
            await self._input.wait()
        return self._outputs.pop(0) if self._outputs else None

    async def write(self, data: bytes) -> None:
        self._outputs.append((STDOUT, data))

    async def end_input(self) -> None:
        self._input.set()

    async def resize(self, size: Size) -> None:
        raise AssertionError

    async def wait(self) -> int:
        return 3

    async def close(self) -> None:
        self.closed = True


class Executing(SimulatedEngine):
    """An engine that runs commands."""

    processes: list[Echo]

    async def act(self, want: Want, seen: Observed, action: Action) -> tuple[Happened, ...]:
        happened = await super().act(want, seen, action)
        if isinstance(action, RunContainer) and want.group.containers[0].command == ["no-such-program"]:
            for identity in self.groups[want.uid].containers:
                self._end(want.uid, identity, 128, "StartError")
        return happened

    async def exec(self, uid: Uid, container: str, command: Sequence[str], *, tty: Size | None, stdin: bool) -> Process:
        assert tty is None
        assert container == "sandbox"
        if command[0] == "missing":
            raise Refused("CommandNotFound", "there is no program 'missing'")
        process = Echo(command)
        self.processes.append(process)
        return process


class Box:
    """A client of the small API."""

    def __init__(self, service: Service, connected: Reply) -> None:
        self.service = service
        self.token = connected.json["accessToken"]

    async def ask(self, method: str, path: str = "", body: object = None, token: str | None = None) -> Reply:
        headers = {"authorization": f"Bearer {self.token if token is None else token}"}
        return await self.service.ask(method, f"/hythe/sandboxes{path}", body, version=None, headers=headers)

    async def make(self, **body: object) -> str:
        reply = await self.ask("POST", "", {"image": "tools"} | body)
        assert reply.status == 201, reply.json
        return str(reply.json["id"])


@asynccontextmanager
async def sandboxes(outcomes: Any = None, **settings: float) -> AsyncIterator[tuple[Service, Box]]:
    engine = Executing(outcomes)
    engine.processes = []
    limits = SandboxSettings(**settings)  # type: ignore[arg-type]
    async with running(engine=engine, settings=ServiceSettings(hold_seconds=5, sandboxes=limits)) as service:
        await service.make_folder()
        assert (await service.ask("PUT", f"{BOXES}/s", {"location": "eastus"}, version=NEW)).status == 201
        yield service, Box(service, await service.ask("POST", f"{BOXES}/s/connect", version=NEW))


# --- the resource ---


@pytest.mark.proves(
    "SandboxGroups_CreateOrUpdate",
    "SandboxGroups_Get",
    "SandboxGroups_Update",
    "SandboxGroups_ListByResourceGroup",
    "SandboxGroups_ListBySubscription",
    "SandboxGroups_Delete",
)
async def test_a_sandbox_group_is_made_patched_listed_and_deleted() -> None:
    async with running() as service:
        await service.make_folder()
        made = await service.ask("PUT", f"{BOXES}/s", {"location": "East US", "tags": {"a": "b"}}, version=NEW)
        again = await service.ask("PUT", f"{BOXES}/s", {"location": "eastus", "tags": {"a": "b"}}, version=NEW)
        patched = await service.ask("PATCH", f"{BOXES}/s", {"tags": {"c": "d"}}, version=NEW)
        got = await service.ask("GET", f"{BOXES}/s", version=NEW)
        inside = await service.ask("GET", BOXES, version=NEW)
        every = await service.ask("GET", BOXES.replace("/resourceGroups/rg", ""), version=NEW)
        gone = await service.ask("DELETE", f"{BOXES}/s", version=NEW)
        monitor = await service.ask("GET", gone.headers["azure-asyncoperation"])
        location = await service.ask("GET", gone.headers["location"])
        missing = await service.ask("DELETE", f"{BOXES}/s", version=NEW)
    assert (made.status, again.status, patched.status) == (201, 200, 200)
    assert made.json["properties"] == {
        "provisioningState": "Succeeded",
        "managementResourceGroupId": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/s-mrg",
    }
    assert made.json["location"] == "eastus"
    assert got.json == patched.json
    assert got.json["tags"] == {"c": "d"}
    assert inside.json == every.json == {"value": [got.json]}
    assert (gone.status, gone.raw, missing.status) == (202, b"", 204)
    assert monitor.json["status"] == "Succeeded"
    assert location.status == 200


async def test_in_a_later_version_it_has_another_name() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{BOXES}/s", {"location": "eastus"}, version=NEW)
        path = f"{PROVIDER}/aiAgentsGroups"
        got = await service.ask("GET", f"{path}/s", version="2026-08-01-preview")
        listed = await service.ask("GET", path, version="2026-08-01-preview")
        token = await service.ask("POST", f"{path}/s/connect", version="2026-08-01-preview")
    assert got.json["type"] == "Microsoft.ContainerInstance/aiAgentsGroups"
    assert got.json["id"] == f"{path}/s"
    assert listed.json == {"value": [got.json]}
    assert token.status == 200


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("-s", {}, "InvalidResourceName"),
        ("s", {"identity": {"type": "SystemAssigned"}}, "FeatureNotSupported"),
        ("s", {"properties": {"networkProfile": {"subnets": [{"id": "/x"}]}}}, "LinkedInvalidPropertyId"),
        ("s", {"properties": {"networkProfile": {"subnets": [{"id": SUBNET}]}}}, "InvalidResourceReference"),
        ("s", {"properties": {"networkProfile": {"subnets": [{"id": SUBNET}] * 2}}}, "TooManySubnets"),
    ],
)
async def test_what_cannot_be_given_is_refused(name: str, body: dict[str, Any], code: str) -> None:
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{BOXES}/{name}", {"location": "eastus"} | body, version=NEW)
    assert (reply.status, reply.code) == (400, code)


async def make_subnet(service: Service, network: str = f"{NETWORKS}/v") -> None:
    delegation = {"name": "d", "properties": {"serviceName": "Microsoft.ContainerInstance/containerGroups"}}
    subnet = {"addressPrefix": "10.0.0.0/24", "delegations": [delegation]}
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    body = {"location": "eastus", "properties": space}
    assert (await service.ask("PUT", network, body, version="2022-01-01")).status == 201
    name = "mySubnet" if network.endswith("myVNet") else "s"
    made = await service.ask("PUT", f"{network}/subnets/{name}", {"properties": subnet}, version="2022-01-01")
    assert made.status == 201


async def test_the_example_of_the_contract() -> None:
    if not EXAMPLES.exists():
        pytest.skip("the contract is not beside the checkout")
    text = (EXAMPLES / "SandboxGroupsCreateOrUpdate.json").read_text()
    example = json.loads(text.replace("00000000-0000-0000-0000-000000000000", SUBSCRIPTION))
    folder = FOLDER.replace("/rg", "/myResourceGroup")
    async with running() as service:
        await service.make_folder(folder)
        await make_subnet(service, f"{folder}/providers/Microsoft.Network/virtualNetworks/myVNet")
        path = f"{folder}/providers/Microsoft.ContainerInstance/sandboxGroups/mySandboxGroup"
        reply = await service.ask("PUT", path, example["parameters"]["resource"], version=NEW)
    assert (reply.status, reply.json) == (201, example["responses"]["201"]["body"])


async def test_sandboxes_with_a_network_are_in_the_subnet_of_their_group() -> None:
    body = {"location": "eastus", "properties": {"networkProfile": {"subnets": [{"id": SUBNET}]}}}
    async with sandboxes() as (service, _):
        await make_subnet(service)
        refused = await service.ask("PUT", f"{BOXES}/s", body, version=NEW)
        assert (await service.ask("PUT", f"{BOXES}/t", body, version=NEW)).status == 201
        token = (await service.ask("POST", f"{BOXES}/t/connect", version=NEW)).json["accessToken"]
        signed = {"authorization": f"Bearer {token}"}
        for network in (True, False):
            made = await service.ask(
                "POST", "/hythe/sandboxes", {"image": "x", "network": network}, version=None, headers=signed
            )
            assert made.status == 201, made.raw
        rows = service.store.every("sandboxes")
        held = await service.ask("DELETE", SUBNET)

    assert (refused.status, refused.code) == (400, "PropertyChangeNotAllowed")
    assert sorted(row.address for row in rows) == ["", "10.0.0.4"]
    assert (held.status, held.code) == (400, "InUseSubnetCannotBeDeleted")


# --- tokens ---


async def test_connect_gives_an_endpoint_and_a_token_for_a_while() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{BOXES}/s", {"location": "eastus"}, version=NEW)
        reply = await service.ask("POST", f"{BOXES}/s/connect", version=NEW)
    ends = datetime.fromisoformat(reply.json["notAfter"]) - datetime.now(UTC)
    assert reply.status == 200
    assert reply.json["endpoint"] == "https://localhost/hythe/sandboxes"
    assert timedelta(seconds=880) < ends <= timedelta(seconds=900)


async def test_only_its_own_token_opens_a_sandbox_group() -> None:
    async with sandboxes() as (service, box):
        identity = await box.make()
        await service.ask("PUT", f"{BOXES}/other", {"location": "eastus"}, version=NEW)
        stranger = Box(service, await service.ask("POST", f"{BOXES}/other/connect", version=NEW))

        none = await box.ask("GET", token="")
        wrong = await box.ask("GET", token=box.token[:-4] + "AAAA")
        listed = await stranger.ask("GET")
        theirs = await stranger.ask("GET", f"/{identity}")
        run = await stranger.ask("POST", f"/{identity}/exec", {"command": ["ls"]})
    assert (none.status, wrong.status) == (401, 401)
    assert none.code == "InvalidAuthenticationToken"
    assert listed.json == {"value": []}
    assert (theirs.status, run.status) == (404, 404)


async def test_a_token_expires_and_dies_with_its_group() -> None:
    async with sandboxes(token_seconds=0.0) as (_, box):
        expired = await box.ask("GET")
    async with sandboxes() as (service, box):
        await service.ask("DELETE", f"{BOXES}/s", version=NEW)
        await service.ask("PUT", f"{BOXES}/s", {"location": "eastus"}, version=NEW)
        dead = await box.ask("GET")
    assert (expired.status, dead.status) == (401, 401)


# --- sandboxes ---


@pytest.mark.proves("SandboxGroups_Connect")
async def test_a_sandbox_runs_commands_and_goes() -> None:
    async with sandboxes() as (service, box):
        made = await box.ask("POST", "", {"image": "tools"})
        identity = made.json["id"]
        ran = await box.ask("POST", f"/{identity}/exec", {"command": ["echo", "hi"]})
        fed = await box.ask("POST", f"/{identity}/exec", {"command": ["cat"], "stdin": "words"})
        listed = await box.ask("GET")
        gone = await box.ask("DELETE", f"/{identity}")
        missing = await box.ask("POST", f"/{identity}/exec", {"command": ["echo"]})
        left = service.engine.groups
    assert (made.status, made.json["state"], made.json["network"]) == (201, "Running", False)
    assert ran.json == {"exitCode": 3, "stdout": "echo hi", "stderr": "warned", "timedOut": False, "truncated": False}
    assert fed.json["stdout"] == "catwords"
    assert [each["id"] for each in listed.json["value"]] == [identity]
    assert (gone.status, missing.status) == (204, 404)
    assert left == {}
    assert all(process.closed for process in service.engine.processes)


async def test_a_command_that_takes_too_long_is_ended() -> None:
    async with sandboxes() as (service, box):
        identity = await box.make()
        reply = await box.ask("POST", f"/{identity}/exec", {"command": ["for-ever"], "timeout": 0.02})
    assert (reply.status, reply.json["timedOut"], reply.json["exitCode"]) == (200, True, None)
    assert service.engine.processes[0].closed


async def test_long_output_is_cut() -> None:
    async with sandboxes(output_bytes=4) as (_, box):
        identity = await box.make()
        reply = await box.ask("POST", f"/{identity}/exec", {"command": ["echo", "hello"]})
    assert (reply.json["stdout"], reply.json["stderr"], reply.json["truncated"]) == ("echo", "warn", True)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"command": []}, 400, "InvalidRequest"),
        ({"command": ["ls"], "timeout": 301}, 400, "InvalidRequest"),
        ({"command": "ls"}, 400, "InvalidRequestContent"),
        ({"command": ["ls"], "user": "root"}, 400, "InvalidRequestContent"),
        ({"command": ["missing"]}, 409, "CommandNotFound"),
    ],
)
async def test_commands_that_cannot_be_run(body: dict[str, Any], status: int, code: str) -> None:
    async with sandboxes() as (_, box):
        identity = await box.make()
        reply = await box.ask("POST", f"/{identity}/exec", body)
    assert (reply.status, reply.code) == (status, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "InvalidRequestContent"),
        ({"image": "tools", "lifetime": 0}, "InvalidRequest"),
        ({"image": "tools", "lifetime": 3601}, "InvalidRequest"),
        ({"image": "tools", "cpu": 0}, "InvalidResourceRequests"),
        ({"image": "a b"}, "InvalidImageName"),
        ({"image": "gone"}, "InaccessibleImage"),
    ],
)
async def test_sandboxes_that_cannot_be_made(body: dict[str, Any], code: str) -> None:
    async with sandboxes({"gone": Outcome(pull_error="none")}) as (_, box):
        reply = await box.ask("POST", "", body)
        listed = await box.ask("GET")
    assert (reply.status, reply.code) == (400, code)
    assert listed.json == {"value": []}


async def test_there_are_only_so_many() -> None:
    async with sandboxes(most=2) as (_, box):
        first = await box.make()
        await box.make()
        third = await box.ask("POST", "", {"image": "tools"})
        await box.ask("DELETE", f"/{first}")
        fourth = await box.ask("POST", "", {"image": "tools"})
    assert (third.status, third.code, third.headers["retry-after"]) == (429, "TooManySandboxes", "1")
    assert fourth.status == 201


async def test_no_more_are_made_at_once_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    admitted_later(monkeypatch)
    async with sandboxes(most=2) as (_, box):
        replies = await asyncio.gather(*(box.ask("POST", "", {"image": "tools"}) for _ in range(6)))
        listed = await box.ask("GET")
    assert sorted(each.status for each in replies) == [201, 201, 429, 429, 429, 429]
    assert len(listed.json["value"]) == 2


async def test_none_is_made_in_a_group_that_goes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    admitted_later(monkeypatch)
    async with sandboxes() as (service, box):
        making = asyncio.create_task(box.ask("POST", "", {"image": "tools"}))
        await asyncio.sleep(0)
        assert (await service.ask("DELETE", f"{BOXES}/s", version=NEW)).status in (200, 202, 204)
        assert (await making).status == 401
        assert service.engine.groups == {}


def admitted_later(patch: pytest.MonkeyPatch) -> None:
    """Have the check of images take a while, as when a registry is asked."""
    admit = type(SANDBOXES).admit

    async def later(*parts: Any) -> Any:
        await asyncio.sleep(0.05)
        return await admit(*parts)

    patch.setattr(type(SANDBOXES), "admit", later)


async def test_sandboxes_are_in_no_list_of_azure_and_secrets_are_sealed() -> None:
    async with sandboxes() as (service, box):
        await box.make(env={"KEY": "very-secret", "EMPTY": ""})
        groups = await service.ask("GET", GROUPS)
        resources = await service.ask("GET", f"{FOLDER}/resources", version="2021-04-01")
        rows = service.store._connection.exec_driver_sql("SELECT spec, secrets FROM resources").all()
        service.store._connection.commit()
    assert groups.json == {"value": []}
    assert [each["name"] for each in resources.json["value"]] == ["s"]
    assert all(b"very-secret" not in (part or b"") for row in rows for part in row)


async def test_a_sandbox_has_no_network_and_no_rights_unless_asked() -> None:
    async with sandboxes() as (service, box):
        closed, opened = await box.make(), await box.make(network=True)
        rows = {row.name: json.loads(row.spec) for row in service.store.members(f"{BOXES}/s")}
    rights = rows[closed]["properties"]["containers"][0]["properties"]["securityContext"]
    assert rows[closed]["tags"]["hythe.network"] == "none"
    assert "hythe.network" not in rows[opened]["tags"]
    assert rights == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


async def test_sandboxes_go_when_their_time_is_up() -> None:
    async with sandboxes() as (service, box):
        short, long = await box.make(lifetime=1), await box.make(lifetime=100)
        service.store._connection.exec_driver_sql(
            "UPDATE resources SET changed_at = changed_at - 2 WHERE kind = 'sandboxes'"
        )
        service.store._connection.commit()
        service.loop.wake_all()
        for _ in range(200):
            listed = [each["id"] for each in (await box.ask("GET")).json["value"]]
            if listed == [long]:
                break
            await asyncio.sleep(0.01)
    assert listed == [long]
    assert short != long
    assert len(service.engine.groups) == 1


async def test_deleting_the_group_takes_the_sandboxes_along_and_the_sweep_spares_living_ones() -> None:
    async with sandboxes() as (service, box):
        await box.make()
        await box.make()
        assert await sweep(service.store, service.engine) == 0
        gone = await service.ask("DELETE", f"{BOXES}/s", version=NEW)
        end = await service.ask("GET", gone.headers["azure-asyncoperation"])
        left = dict(service.engine.groups)
    assert end.json["status"] == "Succeeded"
    assert left == {}


async def test_a_sandbox_that_ends_at_once_is_told() -> None:
    async with sandboxes() as (service, box):
        reply = await box.ask("POST", "", {"image": "tools", "command": ["no-such-program"]})
        for _ in range(200):
            if not service.engine.groups:
                break
            await asyncio.sleep(0.01)
        listed = await box.ask("GET")
    assert (reply.status, reply.code) == (409, "SandboxFailed")
    assert listed.json == {"value": []}
