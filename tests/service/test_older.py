"""What differs between api-versions: each named transform, through the API."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import GROUPS, container, group, running


async def shown(version: str, *, body: Any = None) -> dict[str, Any]:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", body or group())
        one = await service.ask("GET", f"{GROUPS}/web", version=version)
        (listed,) = (await service.ask("GET", GROUPS, version=version)).json["value"]
    assert listed.keys() == one.json.keys()
    return one.json["properties"]


@pytest.mark.parametrize(("version", "there"), [("2018-10-01", False), ("2019-12-01", True), ("2026-07-01", True)])
async def test_sku_came_with_2019_12_01(version: str, there: bool) -> None:
    assert ("sku" in await shown(version)) == there


@pytest.mark.parametrize(("version", "there"), [("2017-08-01-preview", True), ("2017-10-01-preview", False)])
async def test_state_of_the_group_in_the_first_version(version: str, there: bool) -> None:
    assert (await shown(version)).get("state") == ("Running" if there else None)


@pytest.mark.parametrize(
    ("version", "timeout", "config"),
    [("2022-09-01", False, False), ("2023-02-01-preview", True, False), ("2023-05-01", True, False),
     ("2024-05-01-preview", True, True)],
)  # fmt: skip
async def test_members_that_newer_versions_added(version: str, timeout: bool, config: bool) -> None:
    held = await shown(version, body=group(container(configMap={"keyValuePairs": {}})))

    assert ("provisioningTimeoutInSeconds" in held) == timeout
    assert ("configMap" in held["containers"][0]["properties"]) == config
    assert ("isCreatedFromStandbyPool" in held) == config


@pytest.mark.parametrize(("version", "code"), [("2018-10-01", "NetworkProfileNotFound"), ("2021-07-01", None)])
async def test_network_profile_until_2021_07_01(version: str, code: str | None) -> None:
    profile = {"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkProfiles/mine"}
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("PUT", f"{GROUPS}/web", group(NetworkProfile=profile), version=version)

    if code is None:  # unknown to these versions, so it is ignored like any unknown member
        assert reply.status == 201
    else:
        assert (reply.status, reply.code) == (400, code)
        assert profile["id"] in reply.json["error"]["message"]


@pytest.mark.parametrize(("version", "known"), [("2021-03-01", False), ("2021-07-01", True)])
async def test_registry_identity_since_2021_07_01(version: str, known: bool) -> None:
    credentials = [{"server": "r.example", "identity": "/an/identity"}]
    async with running() as service:
        await service.make_folder()
        body = group(imageRegistryCredentials=credentials)
        reply = await service.ask("PUT", f"{GROUPS}/web", body, version=version)

    assert reply.status == 400  # an identity that nobody has
    assert (reply.code != "InvalidImageRegistryCredentialType") == known


async def test_subnet_is_shown_as_network_profile() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        row = service.store.get(f"{GROUPS}/web".lower())
        spec = row.spec.replace(b'"osType"', b'"subnetIds":[{"id":"/the/subnet"}],"osType"')
        service.store.annotate(row.key, row.uid, spec, wake_at=0.0)
        old = (await service.ask("GET", f"{GROUPS}/web", version="2021-03-01")).json["properties"]
        new = (await service.ask("GET", f"{GROUPS}/web", version="2021-07-01")).json["properties"]

    assert (old["networkProfile"], "subnetIds" in old) == ({"id": "/the/subnet"}, False)
    assert (new["subnetIds"], "networkProfile" in new) == ([{"id": "/the/subnet"}], False)


@pytest.mark.parametrize(("version", "word"), [("2018-02-01-preview", "Creating"), ("2018-04-01", "Pending")])
async def test_word_for_pending(version: str, word: str) -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        row = service.store.get(f"{GROUPS}/web".lower())
        row.generation += 1
        row.provisioning_state = "Pending"
        from hythe.service.store import Change

        service.store.declare(Change(row=row, keep_secrets=True))
        reply = await service.ask("GET", f"{GROUPS}/web", version=version)

    assert reply.json["properties"]["provisioningState"] == word


@pytest.mark.parametrize(
    ("version", "stopped", "idle"),
    [("2018-10-01", 204, 204), ("2021-03-01", 202, 202), ("2021-09-01", 202, 202), ("2023-05-01", 202, 204)],
)
async def test_start_answers_what_the_clients_of_its_time_take(version: str, stopped: int, idle: int) -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        running_already = await service.ask("POST", f"{GROUPS}/web/start", version=version)
        await service.ask("POST", f"{GROUPS}/web/stop", version=version)
        begun = await service.ask("POST", f"{GROUPS}/web/start", version=version)
        for reply in (running_already, begun):
            if reply.status == 202:  # it has to be followed to an end
                end = await service.ask("GET", reply.headers["location"])
                assert end.status == 200

    assert (begun.status, running_already.status) == (stopped, idle)
