"""Answers while something goes on, and the addresses in answers, which are those of the Host that was asked."""

from __future__ import annotations

import pytest

from hythe.service import paging
from hythe.service.settings import ServiceSettings

from .harness import FOLDER, GROUPS, Everybody, Service, group, running

ACI = f"{FOLDER}/providers/Microsoft.ContainerInstance"
NETWORKS = f"{FOLDER}/providers/Microsoft.Network/virtualNetworks"
DEPLOYMENTS = f"{FOLDER}/providers/Microsoft.Resources/deployments"
SPACE = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
TEMPLATE = {"properties": {"mode": "Incremental", "template": {"resources": []}}}
NEW = "2026-07-01"
AZURE = "management.azure.com"


async def halted(service: Service) -> None:
    """Make a group that runs, and a set; from then on nothing that is declared is carried out."""
    await service.make_folder()
    assert (await service.ask("PUT", f"{GROUPS}/web", group())).status == 201
    profile = f"{ACI}/containerGroupProfiles/p"
    assert (await service.ask("PUT", profile, group(), version=NEW)).status == 201
    assert (await service.ask("PUT", f"{ACI}/ngroups/s", members(profile, 1), version=NEW)).status == 201
    await halt(service)


async def halt(service: Service) -> None:
    """Let what is under way end, and carry out nothing more."""
    await service.loop.rest(0.02)
    service.store.claim = lambda *_: False  # type: ignore[method-assign]


def members(profile: str, count: int) -> dict[str, object]:
    stubs = [{"resource": {"id": profile}}]
    properties = {"containerGroupProfiles": stubs, "elasticProfile": {"desiredCount": count}}
    return {"location": "eastus", "properties": properties}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"{GROUPS}/new", group(), 201),
        ("PUT", f"{GROUPS}/web", group(), 200),
        ("POST", f"{GROUPS}/web/restart", None, 204),
        ("PUT", f"{ACI}/ngroups/s", members(f"{ACI}/containerGroupProfiles/p", 2), 200),
        ("PATCH", f"{ACI}/ngroups/s", {"properties": {"elasticProfile": {"desiredCount": 2}}}, 202),
        ("POST", f"{ACI}/ngroups/s/restart", None, 202),
        ("DELETE", f"{ACI}/ngroups/s", None, 202),
        ("PUT", f"{ACI}/sandboxGroups/b", {"location": "eastus"}, 201),
        ("PUT", f"{NETWORKS}/v", SPACE, 201),
        ("PUT", f"{DEPLOYMENTS}/d", TEMPLATE, 201),
        ("PUT", FOLDER, {"location": "eastus"}, 200),
        ("DELETE", FOLDER, None, 202),
    ],
)
async def test_every_unfinished_answer_says_when_to_ask_again(
    method: str, path: str, body: object, status: int
) -> None:
    async with running(settings=ServiceSettings(answer_seconds=0.01, hold_seconds=0.5)) as service:
        await halted(service)
        reply = await service.ask(method, path, body, version=NEW)
        asked = [reply.headers[name] for name in ("azure-asyncoperation", "location") if name in reply.headers]
        headers = {"prefer": "wait=0"}
        still = [await service.ask("GET", url, version=NEW, headers=headers) for url in asked]

    assert (reply.status, reply.headers["retry-after"]) == (status, "1"), reply.raw
    assert [each.headers["retry-after"] for each in still] == ["1"] * len(still) and still


async def test_a_start_that_goes_on_says_so_too() -> None:
    async with running(settings=ServiceSettings(answer_seconds=0.01, hold_seconds=0.5)) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        await service.ask("POST", f"{GROUPS}/web/stop")
        await halt(service)
        reply = await service.ask("POST", f"{GROUPS}/web/start")

    assert (reply.status, reply.headers["retry-after"]) == (202, "1")


class AlsoAzure(Everybody):
    """Has a second name, as under `hythe run-with`."""

    def answers_for(self, host: str) -> bool:
        return host in ("localhost", AZURE)


async def test_addresses_in_answers_follow_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paging.SIZE == 1000
    monkeypatch.setattr(paging, "SIZE", 1)
    settings = ServiceSettings(answer_seconds=0.01, hold_seconds=0.5)
    there = {"host": AZURE}
    async with running(settings=settings, identity=AlsoAzure()) as service:
        await halted(service)
        made = await service.ask("PUT", f"{GROUPS}/b", group(), headers=there)
        listed = await service.ask("GET", GROUPS, headers=there)
        attached = await service.ask("POST", f"{GROUPS}/web/containers/web/attach", headers=there)
        deleted = await service.ask("DELETE", FOLDER, headers=there)

    assert made.headers["azure-asyncoperation"].startswith(f"https://{AZURE}/subscriptions/")
    assert listed.json["nextLink"].startswith(f"https://{AZURE}/subscriptions/")
    assert attached.json["webSocketUri"].startswith(f"wss://{AZURE}/")
    assert deleted.headers["location"].startswith(f"https://{AZURE}/subscriptions/")
