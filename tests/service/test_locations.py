"""Locations: usages that are true, quotas that hold, capabilities of this machine, images that are there."""

from __future__ import annotations

import asyncio
import os

import pytest

from hythe.service.locations import capacity
from hythe.service.routes import ROUTES
from hythe.service.settings import QuotaSettings, ServiceSettings

from .harness import FOLDER, GROUPS, OTHER, SUBSCRIPTION, Service, container, group, running

LOCATIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/locations"
SUBNET = f"{FOLDER}/providers/Microsoft.Network/virtualNetworks/net/subnets/sub"


def sized(cpu: float, **more: object) -> dict:
    return group(container(resources={"requests": {"cpu": cpu, "memoryInGB": 0.5}}), **more)


async def used(service: Service, location: str = "eastus") -> dict[str, tuple[int, int]]:
    listed = (await service.ask("GET", f"{LOCATIONS}/{location}/usages")).json["value"]
    return {each["name"]["value"]: (each["currentValue"], each["limit"]) for each in listed}


@pytest.mark.proves("Location_ListUsage")
async def test_usages_count_groups_and_cores_of_a_location() -> None:
    async with running(settings=ServiceSettings(quotas=QuotaSettings(groups=7, cores=9))) as service:
        await service.make_folder()
        for name, cpu, more in (("a", 1.5, {}), ("b", 0.75, {}), ("c", 2, {"priority": "Spot"})):
            assert (await service.ask("PUT", f"{GROUPS}/{name}", sized(cpu, **more))).status == 201
        await service.ask("PUT", f"{GROUPS}/d", sized(1) | {"location": "West US"})
        east, west = await used(service), await used(service, "West US".replace(" ", "%20"))
        await service.ask("DELETE", f"{GROUPS}/a")
        after = await used(service)

    assert (east["ContainerGroups"], east["StandardCores"], east["StandardSpotCores"]) == ((3, 7), (3, 9), (2, 9))
    assert (west["ContainerGroups"], west["StandardCores"]) == ((1, 7), (1, 9))
    assert (after["ContainerGroups"], after["StandardCores"]) == ((2, 7), (1, 9))
    assert east["ConfidentialCores"] == (0, 0)


@pytest.mark.parametrize(("version", "ids"), [("2019-12-01", False), ("2021-09-01", True)])
async def test_usages_have_ids_since_2021_09_01(version: str, ids: bool) -> None:
    async with running() as service:
        listed = (await service.ask("GET", f"{LOCATIONS}/eastus/usages", version=version)).json["value"]

    assert all(("id" in each) == ids for each in listed)


async def test_quota_of_groups_holds_and_an_update_is_no_new_group() -> None:
    async with running(settings=ServiceSettings(quotas=QuotaSettings(groups=1))) as service:
        await service.make_folder()
        first = await service.ask("PUT", f"{GROUPS}/a", group())
        again = await service.ask("PUT", f"{GROUPS}/a", group())
        second = await service.ask("PUT", f"{GROUPS}/b", group())
        elsewhere = await service.ask("PUT", f"{GROUPS}/b", group() | {"location": "westus"})
        other = f"/subscriptions/{OTHER}/resourceGroups/rg"
        await service.make_folder(other)
        foreign = await service.ask("PUT", f"{other}/providers/Microsoft.ContainerInstance/containerGroups/x", group())

    assert [each.status for each in (first, again, second, elsewhere, foreign)] == [201, 200, 409, 201, 201]
    assert second.code == "ServiceUnavailable"
    assert second.json["error"]["message"] == (
        "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota 'ContainerGroups' exceeded "
        "in region 'eastus'. Limit: '1', Usage: '1' Requested: '1'."
    )


async def test_quota_of_cores_holds_when_many_ask_at_once() -> None:
    async with running(settings=ServiceSettings(quotas=QuotaSettings(cores=2))) as service:
        await service.make_folder()
        asked = [service.ask("PUT", f"{GROUPS}/g{number}", sized(0.2)) for number in range(15)]
        replies = await asyncio.gather(*asked)
        cores = (await used(service))["StandardCores"]

    assert sorted(reply.status for reply in replies) == [201] * 10 + [409] * 5
    refused = next(reply for reply in replies if reply.status == 409)
    assert "quota 'StandardCores' exceeded in region 'eastus'. Limit: '2'" in refused.json["error"]["message"]
    assert cores == (2, 2)


@pytest.mark.proves("Location_ListCapabilities")
async def test_capabilities_are_those_of_the_machine() -> None:
    async with running() as service:
        public, private = (await service.ask("GET", f"{LOCATIONS}/eastus/capabilities")).json["value"]

    assert public["capabilities"]["maxCpu"] == len(os.sched_getaffinity(0))
    assert public["capabilities"]["maxMemoryInGB"] == capacity(private_addresses=False).memory_in_gb > 0
    assert (public["osType"], public["ipAddressType"], public["gpu"]) == ("Linux", "Public", "None")
    assert private == public | {"ipAddressType": "Private"}


@pytest.mark.proves("Location_ListCachedImages")
async def test_cached_images_are_those_that_the_subscription_may_use() -> None:
    class Images:
        async def cached(self, subscription: str) -> list[str]:
            return ["sample/web:1", f"private/of-{subscription[:4]}:1"]

    async with running() as service:
        empty = (await service.ask("GET", f"{LOCATIONS}/eastus/cachedImages")).json
        service.api.locations._images = Images()
        listed = (await service.ask("GET", f"{LOCATIONS}/eastus/cachedImages")).json["value"]

    assert empty == {"value": []}
    assert listed == [
        {"osType": "Linux", "image": "sample/web:1"},
        {"osType": "Linux", "image": f"private/of-{SUBSCRIPTION[:4]}:1"},
    ]


@pytest.mark.parametrize("what", ["usages", "capabilities", "cachedImages"])
async def test_unknown_subscription(what: str) -> None:
    async with running() as service:
        path = f"/subscriptions/nobody/providers/Microsoft.ContainerInstance/locations/eastus/{what}"
        reply = await service.ask("GET", path)

    assert (reply.status, reply.code) == (404, "SubscriptionNotFound")


@pytest.mark.proves("Operations_List")
async def test_operations_are_the_rights_of_the_route_table() -> None:
    async with running() as service:
        listed = (await service.ask("GET", "/providers/Microsoft.ContainerInstance/operations")).json["value"]

    names = {each["name"] for each in listed}
    assert names == {route.action for route in ROUTES if route.action.startswith("Microsoft.ContainerInstance/")}
    assert {"Microsoft.ContainerInstance/containerGroups/start/action"} < names
    assert all(each["display"]["operation"] and each["origin"] == "User" for each in listed)


@pytest.mark.proves("SubnetServiceAssociationLink_Delete")
async def test_link_of_a_subnet_without_groups_is_not_there() -> None:
    path = f"{SUBNET}/providers/Microsoft.ContainerInstance/serviceAssociationLinks/default"
    async with running() as service:
        missing = await service.ask("DELETE", path)
        await service.make_folder()
        free = await service.ask("DELETE", path)

    assert (missing.status, missing.code) == (404, "ResourceGroupNotFound")
    assert free.status == 204
