"""Tests groups in subnets: their addresses, what is refused, and what then can't be changed.  Simulated."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from hythe.engines.base import Capabilities, Joined, Observed, Want
from hythe.engines.sim import SimulatedEngine
from hythe.service.control.status import Memory

from .harness import FOLDER, GROUPS, OTHER, SUBSCRIPTION, Reply, Service, container, group, running

NETWORKS = f"{FOLDER}/providers/Microsoft.Network/virtualNetworks"
DELEGATION = {"name": "aci", "properties": {"serviceName": "Microsoft.ContainerInstance/containerGroups"}}
PORTS = [{"port": 80, "protocol": "TCP"}]


def subnet(name: str = "s", prefix: str = "10.0.0.0/24", *, delegated: bool = True) -> dict:
    return {"name": name, "properties": {"addressPrefix": prefix, "delegations": [DELEGATION] * delegated}}


def network(*subnets: dict, space: str = "10.0.0.0/16", location: str = "eastus") -> dict:
    return {
        "location": location,
        "properties": {"addressSpace": {"addressPrefixes": [space]}, "subnets": [*subnets] or [subnet()]},
    }


def private(where: str = f"{NETWORKS}/v/subnets/s") -> dict:
    address = {"type": "Private", "ports": PORTS}
    return group(container(ports=[{"port": 80}]), ipAddress=address, subnetIds=[{"id": where}])


async def make(service: Service, name: str = "v", body: dict | None = None) -> Reply:
    await service.make_folder()
    return await service.ask("PUT", f"{NETWORKS}/{name}", body or network(), version="2022-01-01")


async def ip(service: Service, name: str) -> str:
    shown = (await service.ask("GET", f"{GROUPS}/{name}")).json["properties"]
    assert shown["ipAddress"]["type"] == "Private"
    return shown["ipAddress"]["ip"]


async def test_group_has_the_lowest_free_address_of_its_subnet_and_keeps_it() -> None:
    async with running() as service:
        await make(service)
        for name in ("a", "b", "c"):
            reply = await service.ask("PUT", f"{GROUPS}/{name}", private())
            assert reply.status == 201, reply.raw
        first = [await ip(service, name) for name in ("a", "b", "c")]
        await service.ask("DELETE", f"{GROUPS}/a")
        await service.ask("POST", f"{GROUPS}/b/stop")
        stopped = await ip(service, "b")
        await service.ask("POST", f"{GROUPS}/b/start")
        await service.ask("PUT", f"{GROUPS}/b", private() | {"tags": {"x": "y"}})
        await service.ask("PUT", f"{GROUPS}/d", private(f"{NETWORKS.upper()}/V/SUBNETS/S"))
        after = [await ip(service, name) for name in ("b", "c", "d")]

    assert first == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    assert stopped == "10.0.0.5"
    assert after == ["10.0.0.5", "10.0.0.6", "10.0.0.4"]


async def test_networks_may_use_the_same_range() -> None:
    async with running() as service:
        await make(service, "v")
        await make(service, "w")
        await service.ask("PUT", f"{GROUPS}/a", private())
        await service.ask("PUT", f"{GROUPS}/b", private(f"{NETWORKS}/w/subnets/s"))
        same = await ip(service, "a"), await ip(service, "b")
        found = [service.groups.want(service.store.opened(f"{GROUPS}/{name}".lower()), Memory()) for name in "ab"]

    assert same == ("10.0.0.4", "10.0.0.4")
    assert found[0].joined == Joined(network=found[0].joined.network, address="10.0.0.4", ranges=("10.0.0.0/16",))
    assert found[0].joined.network != found[1].joined.network


async def test_groups_of_a_network_that_grows_reach_what_is_new() -> None:
    class Joining(SimulatedEngine):
        """Remembers what groups were last joined to."""

        joined: ClassVar[dict[str, Joined | None]] = {}

        async def rejoin(self, want: Want, seen: Observed) -> None:
            assert seen.sandbox is not None
            self.joined[want.name] = want.joined

    async with running(engine=Joining()) as service:
        await make(service)
        await service.ask("PUT", f"{GROUPS}/a", private())
        grown = network(subnet(), subnet("t", "10.1.0.0/24"))
        grown["properties"]["addressSpace"]["addressPrefixes"].append("10.1.0.0/16")
        assert (await make(service, body=grown)).status == 200
        async with asyncio.timeout(30):
            while (joined := service.engine.joined["a"]) is None or len(joined.ranges) < 2:
                await asyncio.sleep(0.005)
        new = await service.ask("PUT", f"{GROUPS}/b", private(f"{NETWORKS}/v/subnets/t"))
        address = await ip(service, "b")

    assert joined.ranges == ("10.0.0.0/16", "10.1.0.0/16")
    assert (new.status, address) == (201, "10.1.0.4")


async def test_group_without_an_address_of_its_own_is_in_the_subnet_all_the_same() -> None:
    async with running() as service:
        await make(service)
        reply = await service.ask("PUT", f"{GROUPS}/quiet", group(subnetIds=[{"id": f"{NETWORKS}/v/subnets/s"}]))
        row = service.store.get(f"{GROUPS}/quiet".lower())

    assert reply.status == 201
    assert "ipAddress" not in reply.json["properties"]
    assert row.address == "10.0.0.4"


async def test_network_profile_of_an_older_version_names_a_subnet() -> None:
    asked = group(networkProfile={"id": f"{NETWORKS}/v/subnets/s"})
    async with running() as service:
        await make(service)
        reply = await service.ask("PUT", f"{GROUPS}/old", asked, version="2019-12-01")

    assert (reply.status, reply.json["properties"]["networkProfile"]) == (201, {"id": f"{NETWORKS}/v/subnets/s"})


async def test_a_network_profile_leads_to_its_subnet() -> None:
    profiles = f"{FOLDER}/providers/Microsoft.Network/networkProfiles"
    ip_configuration = {"name": "ip", "properties": {"subnet": {"id": f"{NETWORKS}/v/subnets/s"}}}
    interface = {"name": "eth0", "properties": {"ipConfigurations": [ip_configuration]}}
    body = {"location": "eastus", "properties": {"containerNetworkInterfaceConfigurations": [interface]}}
    asked = private() | {}
    del asked["properties"]["subnetIds"]
    asked["properties"]["networkProfile"] = {"id": f"{profiles}/p"}
    async with running() as service:
        await make(service)
        before = await service.ask("PUT", f"{GROUPS}/old", asked, version="2019-12-01")
        empty = await service.ask("PUT", f"{profiles}/p", {"location": "eastus"}, version="2018-08-01")
        made = await service.ask("PUT", f"{profiles}/p", body, version="2018-08-01")
        reply = await service.ask("PUT", f"{GROUPS}/old", asked, version="2019-12-01")
        again = await service.ask("PUT", f"{GROUPS}/old", asked, version="2019-12-01")

    assert (before.status, before.code) == (400, "NetworkProfileNotFound")
    assert (empty.status, empty.code) == (400, "InvalidNetworkProfile")
    assert (made.status, made.json["properties"]["provisioningState"]) == (201, "Succeeded")
    assert made.json["properties"]["containerNetworkInterfaceConfigurations"] == [interface]
    assert (reply.status, reply.json["properties"]["ipAddress"]["ip"]) == (201, "10.0.0.4")
    assert again.status == 200


async def test_the_groups_of_a_set_are_in_its_subnet() -> None:
    aci = f"{FOLDER}/providers/Microsoft.ContainerInstance"
    subnet_ids = {"subnetIds": [{"id": f"{NETWORKS}/v/subnets/s"}]}
    stub = {"resource": {"id": f"{aci}/containerGroupProfiles/p"}, "containerGroupProperties": subnet_ids}
    body = {
        "location": "eastus",
        "properties": {"elasticProfile": {"desiredCount": 3}, "containerGroupProfiles": [stub]},
    }
    profile = private()
    del profile["properties"]["subnetIds"]
    profile["properties"]["ipAddress"]["type"] = "Private"
    async with running() as service:
        await make(service)
        made = await service.ask("PUT", f"{aci}/containerGroupProfiles/p", profile, version="2025-09-01")
        reply = await service.ask("PUT", f"{aci}/ngroups/n", body, version="2025-09-01")
        await service.ask("GET", reply.headers.get("azure-asyncoperation") or f"{aci}/ngroups/n")
        listed = (await service.ask("GET", GROUPS, version="2025-09-01")).json["value"]

    assert made.status == 201, made.raw
    assert sorted(each["properties"]["ipAddress"]["ip"] for each in listed) == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]


async def test_full_subnet_takes_no_more() -> None:
    async with running() as service:
        await make(service, body=network(subnet(prefix="10.0.0.0/29")))  # 8 addresses, of which Azure keeps five
        codes = [await service.ask("PUT", f"{GROUPS}/g{number}", private()) for number in range(4)]

    assert [reply.status for reply in codes] == [201, 201, 201, 400]
    assert codes[3].code == "SubnetIsFull"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (private(f"{NETWORKS}/v/subnets/none"), "InvalidResourceReference"),
        (private(f"{NETWORKS}/none/subnets/s"), "InvalidResourceReference"),
        (private().copy() | {"location": "westus"}, "InvalidResourceReference"),
        (private(f"{NETWORKS}/v/subnets/bare"), "SubnetMissingRequiredDelegation"),
        (private(f"{NETWORKS}/v/subnets/ours"), "SubnetRangeNotAvailable"),
        (private(f"{NETWORKS}/v"), "LinkedInvalidPropertyId"),
        (group(subnetIds=[{"id": f"{NETWORKS}/v/subnets/{name}"} for name in ("s", "bare")]), "TooManySubnets"),
        (group(subnetIds=[{"id": f"{NETWORKS}/v/subnets/s"}]) | {"tags": {"hythe.network": "none"}}, "InvalidTag"),
    ],
)
async def test_refused_subnets(asked: dict, code: str) -> None:
    engine = SimulatedEngine()
    engine.can = Capabilities(engine="sim", subnets=True, kept_ranges=("10.0.9.0/25",))
    async with running(engine=engine) as service:
        await make(
            service,
            body=network(subnet(), subnet("bare", "10.0.1.0/24", delegated=False), subnet("ours", "10.0.9.0/24")),
        )
        reply = await service.ask("PUT", f"{GROUPS}/web", asked)

    assert (reply.status, reply.code) == (400, code), reply.raw
    assert not engine.groups


async def test_subnet_of_another_subscription_is_refused() -> None:
    other = f"/subscriptions/{OTHER}/resourceGroups/rg"
    elsewhere = f"{other}/providers/Microsoft.Network/virtualNetworks/v"
    async with running() as service:
        await service.make_folder()
        await service.make_folder(other)
        assert (await service.ask("PUT", elsewhere, network(), version="2022-01-01")).status == 201
        reply = await service.ask("PUT", f"{GROUPS}/web", private(f"{elsewhere}/subnets/s"))

    assert (reply.status, reply.code) == (400, "InvalidResourceReference")


async def test_what_a_group_uses_cannot_be_taken_away() -> None:
    async with running() as service:
        await make(service, body=network(subnet(), subnet("t", "10.0.1.0/24")))
        await service.ask("PUT", f"{GROUPS}/web", private())
        at = f"{NETWORKS}/v"
        refused = [
            await service.ask("DELETE", at),
            await service.ask("DELETE", f"{at}/subnets/s"),
            await service.ask("PUT", at, network(subnet("t", "10.0.1.0/24"))),
            await service.ask("PUT", f"{at}/subnets/s", subnet(prefix="10.0.2.0/24")),
            await service.ask("PUT", f"{at}/subnets/s", subnet(delegated=False)),
        ]
        allowed = [
            await service.ask("PUT", f"{at}/subnets/s", subnet(prefix="10.0.0.0/25")),
            await service.ask("DELETE", f"{at}/subnets/t"),
        ]
        link = await service.ask("DELETE", f"{at}/subnets/s/providers/Microsoft.ContainerInstance"
                                           "/serviceAssociationLinks/default")  # fmt: skip
        shown = await ip(service, "web")
        await service.ask("DELETE", f"{GROUPS}/web")
        free = [await service.ask("DELETE", f"{at}/subnets/s"), await service.ask("DELETE", at)]

    assert [(reply.status, reply.code) for reply in refused] == [
        (400, "InUseSubnetCannotBeDeleted"),
        (400, "InUseSubnetCannotBeDeleted"),
        (400, "InUseSubnetCannotBeDeleted"),
        (400, "InUsePrefixCannotBeDeleted"),
        (400, "SubnetDelegationsCannotChangeWhenSubnetUsedByResource"),
    ]
    assert f"{GROUPS}/web" in refused[0].json["error"]["message"]
    assert [reply.status for reply in allowed] == [200, 200]
    assert (link.status, link.code) == (409, "SubnetInUse")
    assert shown == "10.0.0.4"
    assert [reply.status for reply in free] == [200, 200]


@pytest.mark.parametrize("space", ["0.0.0.0/0", "127.0.0.0/16", "169.254.0.0/24", "168.0.0.0/8", "239.0.0.0/24"])
async def test_no_network_over_what_means_something_else(space: str) -> None:
    async with running() as service:
        reply = await make(service, body=network(subnet(prefix="10.0.0.0/24"), space=space))

    assert (reply.status, reply.code) == (400, "AddressPrefixNotAllowed")


async def test_resource_group_goes_with_network_and_group_but_not_from_under_a_group_elsewhere() -> None:
    elsewhere = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other"
    path = f"{elsewhere}/providers/Microsoft.ContainerInstance/containerGroups/web"
    async with running() as service:
        await make(service)
        await service.make_folder(elsewhere)
        assert (await service.ask("PUT", path, private())).status == 201
        blocked = await service.ask("DELETE", FOLDER, version="2021-04-01")
        await service.ask("DELETE", path)
        await service.ask("PUT", f"{GROUPS}/web", private())
        going = await service.ask("DELETE", FOLDER, version="2021-04-01")
        await service.loop.wait(FOLDER.lower(), lambda: service.store.get(FOLDER.lower()) is None, 5)
        left = service.store.get(FOLDER.lower())

    assert (blocked.status, blocked.code) == (409, "ResourceGroupDeletionBlocked")
    assert (going.status, left) == (202, None)
