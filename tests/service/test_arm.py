"""Tests what is around container groups: subscriptions, providers, folders, tags, identities, networks, roles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from hythe.models import ContainerGroup, ContainerGroupIdentity, ContainerGroupSubnetId, UserAssignedIdentities
from hythe.service.call import Caller
from hythe.service.identity.rights import ACI_CONTRIBUTOR, CONTRIBUTOR, OWNER, READER, Rights, grant, role_named
from hythe.service.kinds.identities import assigned, by_client_id
from hythe.service.kinds.links import ASSIGN, JOIN, links
from hythe.service.kinds.networks import ranges, subnet
from hythe.service.routes import ROUTES
from hythe.wire.faults import Fault

from .harness import FOLDER, GROUPS, SUBSCRIPTION, Everybody, Reply, Service, group, running

S = f"/subscriptions/{SUBSCRIPTION}"
ARM = "2024-11-01"
NETWORKS = f"{FOLDER}/providers/Microsoft.Network/virtualNetworks"
IDENTITIES = f"{FOLDER}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
GUID = "aaaaaaaa-0000-4000-8000-00000000000{}".format
SOMEBODY = "bbbbbbbb-0000-4000-8000-000000000000"


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as made:
        await made.make_folder()
        yield made


async def ask(service: Service, method: str, path: str, body: object = None, **more: Any) -> Reply:
    return await service.ask(method, path, body, version=ARM, **more)


# --- subscriptions, locations, providers ---


async def test_subscriptions_are_made_and_removed(service: Service) -> None:
    made = await service.ask("POST", "/hythe/subscriptions", {"displayName": "Team"}, version=None)
    assert made.status == 201
    name = made.json["subscriptionId"]
    listed = await ask(service, "GET", "/subscriptions")
    assert [each["displayName"] for each in listed.json["value"]] == ["test", "test", "Team"]
    assert (await ask(service, "PUT", f"/subscriptions/{name}/resourceGroups/rg", {"location": "x"})).status == 201
    refused = await service.ask("DELETE", f"/hythe/subscriptions/{name}", version=None)
    assert (refused.status, refused.code) == (409, "SubscriptionInUse")
    gone = await ask(service, "DELETE", f"/subscriptions/{name}/resourceGroups/rg")
    assert (await ask(service, "GET", gone.headers["location"])).status == 200
    assert (await service.ask("DELETE", f"/hythe/subscriptions/{name}", version=None)).status == 204
    assert (await ask(service, "GET", f"/subscriptions/{name}")).code == "SubscriptionNotFound"
    first = await service.ask("DELETE", f"/hythe/subscriptions/{SUBSCRIPTION}", version=None)
    assert first.code == "SubscriptionInUse"
    wrong = await service.ask("POST", "/hythe/subscriptions", {"displayName": "a", "subscriptionId": "x"}, version=None)
    assert wrong.code == "InvalidSubscriptionId"


async def test_locations_and_tenants(service: Service) -> None:
    locations = (await ask(service, "GET", f"{S}/locations")).json["value"]
    assert {"name": "westus2", "displayName": "West US 2"}.items() <= next(
        each for each in locations if each["name"] == "westus2"
    ).items()
    assert (await ask(service, "GET", "/tenants")).json["value"][0]["tenantId"] == "t"


async def test_the_endpoints_of_this_cloud(service: Service) -> None:
    async def found(version: str) -> Any:
        return (await service.ask("GET", "/metadata/endpoints", version=version, headers={"authorization": ""})).json

    newest = await found("2022-09-01")
    assert newest["resourceManager"] == "https://localhost" and newest["suffixes"] == {}
    assert newest["authentication"]["loginEndpoint"] == "https://localhost/adfs"
    assert await found("2019-05-01") == [newest]
    assert (await found("2015-01-01"))["authentication"]["audiences"] == ["https://localhost"]


async def test_providers_tell_which_versions_there_are(service: Service) -> None:
    every = (await ask(service, "GET", f"{S}/providers")).json["value"]
    assert "Microsoft.Network" in [each["namespace"] for each in every]
    one = (await ask(service, "GET", f"{S}/providers/microsoft.containerinstance")).json
    assert one["registrationState"] == "Registered"
    groups = next(each for each in one["resourceTypes"] if each["resourceType"] == "containerGroups")
    assert groups["defaultApiVersion"] == "2026-07-01" and "2018-10-01" in groups["apiVersions"]
    registered = await ask(service, "POST", f"{S}/providers/Microsoft.ContainerInstance/register")
    assert (registered.status, registered.json["registrationState"]) == (200, "Registered")
    assert (await ask(service, "POST", f"{S}/providers/Microsoft.ContainerInstance/unregister")).status == 409
    assert (await ask(service, "GET", f"{S}/providers/Nobody.Knows")).code == "InvalidResourceNamespace"


# --- folders and what is in them ---


async def test_resource_groups_are_filtered(service: Service) -> None:
    for name, tags in (("a", {"env": "prod"}), ("b", {"env": "test"}), ("c", {})):
        await ask(service, "PUT", f"{S}/resourceGroups/{name}", {"location": "eastus", "tags": tags})

    async def found(query: str) -> list[str]:
        return [each["name"] for each in (await ask(service, "GET", f"{S}/resourceGroups", query=query)).json["value"]]

    assert await found("$filter=tagName%20eq%20'env'") == ["a", "b"]
    assert await found("$filter=tagName%20eq%20'ENV'%20and%20tagValue%20eq%20'test'") == ["b"]
    assert await found("$filter=startswith(tagName,%20'e')") == ["a", "b"]
    assert await found("$filter=name%20ne%20'A'%20and%20location%20eq%20'eastus'") == ["b", "c", "rg"]
    assert await found("$filter=substringof('c',%20name)") == ["c"]
    assert await found("$top=2") == ["a", "b"]
    for wrong in ("$filter=color%20eq%20'red'", "$filter=name%20eq", "$top=-1", "$top=x"):
        assert (await ask(service, "GET", f"{S}/resourceGroups", query=wrong)).status == 400


async def test_resources_of_all_kinds_are_listed(service: Service) -> None:
    await service.ask("PUT", f"{GROUPS}/web", group() | {"tags": {"a": "b"}})
    await ask(service, "PUT", f"{IDENTITIES}/me", {"location": "eastus"})
    for path in (f"{S}/resources", f"{FOLDER}/resources"):
        listed = (await ask(service, "GET", path)).json["value"]
        assert [each["type"] for each in listed] == [
            "Microsoft.ContainerInstance/containerGroups",
            "Microsoft.ManagedIdentity/userAssignedIdentities",
        ]
    chosen = (
        "$filter=resourceGroup%20eq%20'RG'%20and%20resourceType%20eq%20'microsoft.containerInstance/containerGroups'"
    )
    listed = (await ask(service, "GET", f"{S}/resources", query=f"{chosen}&$expand=provisioningState")).json["value"]
    assert [(each["name"], each["provisioningState"], each["tags"]) for each in listed] == [
        ("web", "Succeeded", {"a": "b"})
    ]
    assert (await ask(service, "GET", f"{S}/resources", query="$filter=tagName%20eq%20'x'")).json["value"] == []


async def test_a_group_is_reached_by_its_id_with_two_slashes(service: Service) -> None:
    path = (
        f"{FOLDER.replace('resourceGroups', 'resourcegroups')}/providers/Microsoft.ContainerInstance//containerGroups/x"
    )
    made = await service.ask(
        "PUT", path, group() | {"name": "x", "apiVersion": "2021-10-01", "additional_properties": {}}
    )
    assert made.status == 201
    assert (await service.ask("GET", path)).json["id"].endswith("/Microsoft.ContainerInstance/containerGroups/x")
    assert (await service.ask("DELETE", path)).status == 200


async def test_whether_a_resource_is_there(service: Service) -> None:
    web, me, subnet = f"{GROUPS}/web", f"{IDENTITIES}/me", f"{NETWORKS}/v/subnets/s"
    for path in (web, me, f"{NETWORKS}/v", subnet, FOLDER.replace("rg", "other")):
        assert (await service.ask("HEAD", path)).status == 404, path
    await service.ask("PUT", web, group())
    await ask(service, "PUT", me, {"location": "eastus"})
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    subnets = {"subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]}
    await ask(service, "PUT", f"{NETWORKS}/v", {"location": "eastus", "properties": space | subnets})
    for path in (web, me, f"{NETWORKS}/v", subnet, FOLDER, web.replace("containerGroups", "/ContainerGroups")):
        reply = await service.ask("HEAD", path)
        assert (reply.status, reply.raw) == (204, b""), path
    assert (await service.ask("HEAD", web, version="2001-01-01")).status == 400
    assert (await service.ask("HEAD", GROUPS)).status == 405


async def test_a_name_with_a_slash_in_it_is_nothing(service: Service) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert (await service.ask(method, f"{GROUPS}/a%2Fb", group())).status == 404


# --- tags ---


@pytest.mark.parametrize("scope", [S, FOLDER, f"{GROUPS}/web"])
async def test_tags_of_any_scope(service: Service, scope: str) -> None:
    await service.ask("PUT", f"{GROUPS}/web", group())
    path = f"{scope}/providers/Microsoft.Resources/tags/default"
    put = await ask(service, "PUT", path, {"properties": {"tags": {"a": "1", "b": "2"}}})
    assert (put.status, put.json["properties"]["tags"]) == (200, {"a": "1", "b": "2"})
    for operation, tags, left in (
        ("Merge", {"B": "3", "c": "4"}, {"a": "1", "B": "3", "c": "4"}),
        ("Delete", {"a": "1", "c": "other"}, {"B": "3", "c": "4"}),
        ("Replace", {"d": "5"}, {"d": "5"}),
    ):
        changed = await ask(service, "PATCH", path, {"operation": operation, "properties": {"tags": tags}})
        assert changed.json["properties"]["tags"] == left
    assert (await ask(service, "GET", path)).json["properties"]["tags"] == {"d": "5"}
    if scope != S:
        assert (await service.ask("GET", scope)).json["tags"] == {"d": "5"}
    else:
        assert (await ask(service, "GET", S)).json["tags"] == {"d": "5"}
    assert (await ask(service, "DELETE", path)).status == 200
    assert (await ask(service, "GET", path)).json["properties"]["tags"] == {}
    assert (await ask(service, "PATCH", path, {"operation": "Mend"})).status == 400


async def test_tags_of_nothing(service: Service) -> None:
    missing = await ask(service, "GET", f"{GROUPS}/nobody/providers/Microsoft.Resources/tags/default")
    assert (missing.status, missing.code) == (404, "ResourceNotFound")
    assert (await ask(service, "GET", "/providers/Microsoft.Resources/tags/default")).code == "InvalidScope"


# --- identities and networks ---


async def test_an_identity_keeps_its_ids(service: Service) -> None:
    made = await ask(service, "PUT", f"{IDENTITIES}/me", {"location": "East US", "properties": {"clientId": "mine"}})
    assert made.status == 201
    properties = made.json["properties"]
    assert (made.json["location"], properties["tenantId"]) == ("eastus", "t")
    again = await ask(service, "PUT", f"{IDENTITIES}/me", {"location": "eastus", "tags": {"a": "b"}})
    assert (again.status, again.json["properties"]) == (200, properties)
    found = assigned(service.store, made.json["id"].upper())
    assert found is not None and found.client_id == properties["clientId"] != "mine"
    assert by_client_id(service.store, found.client_id.upper()) == found
    assert [each["name"] for each in (await ask(service, "GET", IDENTITIES)).json["value"]] == ["me"]
    assert (await ask(service, "DELETE", f"{IDENTITIES}/me")).status == 200
    assert assigned(service.store, made.json["id"]) is None
    assert (await ask(service, "GET", f"{IDENTITIES}/me")).code == "ResourceNotFound"


async def test_networks_and_subnets_as_az_makes_them(service: Service) -> None:
    assert (await ask(service, "GET", f"{NETWORKS}/v/subnets/s")).code == "ResourceNotFound"
    network = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    assert (await ask(service, "PUT", f"{NETWORKS}/v", network)).status == 201
    service_name = "Microsoft.ContainerInstance/containerGroups"
    delegations = [{"name": service_name, "properties": {"serviceName": service_name}}]
    made = await ask(
        service,
        "PUT",
        f"{NETWORKS}/v/subnets/s",
        {"properties": {"addressPrefix": "10.0.0.0/24", "delegations": delegations}},
    )
    assert (made.status, made.json["id"]) == (201, f"{NETWORKS}/v/subnets/s")
    assert made.json["properties"]["delegations"][0]["properties"]["serviceName"] == service_name
    found = subnet(service.store, f"{NETWORKS}/V/subnets/S")
    assert found is not None and ranges(found) == ["10.0.0.0/24"]
    assert (await ask(service, "PUT", f"{NETWORKS}/v", network)).status == 200  # without subnets: they stay
    shown = (await ask(service, "GET", f"{NETWORKS}/v")).json["properties"]
    assert [each["name"] for each in shown["subnets"]] == ["s"] and shown["provisioningState"] == "Succeeded"
    for prefix, code in (
        ("10.0.0.128/25", "NetcfgSubnetRangesOverlap"),
        ("10.1.0.0/24", "NetcfgInvalidSubnet"),
        ("10.0.1.1/24", "InvalidCIDRNotation"),
    ):
        refused = await ask(service, "PUT", f"{NETWORKS}/v/subnets/t", {"properties": {"addressPrefix": prefix}})
        assert (refused.status, refused.code) == (400, code)
    assert (await ask(service, "DELETE", f"{NETWORKS}/v/subnets/s")).status == 200
    assert (await ask(service, "DELETE", f"{NETWORKS}/v/subnets/s")).status == 204
    assert (await ask(service, "DELETE", f"{NETWORKS}/v")).status == 200


KEPT = {
    "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
    "dhcpOptions": {"dnsServers": ["10.0.0.9"]},
    "enableDdosProtection": False,
    "flowTimeoutInMinutes": 7,
    "privateEndpointVNetPolicies": "Disabled",
}
KEPT_OF_SUBNET = {
    "addressPrefix": "10.0.0.0/24",
    "defaultOutboundAccess": True,
    "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["eastus"]}],
}


async def test_harmless_members_of_networks_are_kept(service: Service) -> None:
    written = {"resourceGuid": "g", "virtualNetworkPeerings": [], "provisioningState": "Succeeded"}
    subnets = [{"name": "s", "properties": KEPT_OF_SUBNET | {"ipConfigurations": [{"id": "/x"}], "routeTable": None}}]
    body = {"location": "eastus", "etag": "e", "properties": KEPT | written | {"subnets": subnets}}
    assert (await ask(service, "PUT", f"{NETWORKS}/v", body)).status == 201
    shown = (await ask(service, "GET", f"{NETWORKS}/v")).json["properties"]
    again = await ask(service, "PUT", f"{NETWORKS}/v", (await ask(service, "GET", f"{NETWORKS}/v")).json)
    subnet = (await ask(service, "GET", f"{NETWORKS}/v/subnets/s")).json["properties"]

    assert KEPT.items() <= shown.items() and "resourceGuid" not in shown
    assert again.status == 200 and again.json["properties"] == shown
    assert KEPT_OF_SUBNET.items() <= subnet.items() and "ipConfigurations" not in subnet


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("networkSecurityGroup", {"id": "/nsg"}, "FeatureNotSupported"),
        ("routeTable", {"id": "/r"}, "FeatureNotSupported"),
        ("NATGateway", {"id": "/n"}, "FeatureNotSupported"),
        ("defaultOutboundAccess", False, "FeatureNotSupported"),
        ("colour", "green", "InvalidRequestFormat"),
    ],
)
async def test_what_a_subnet_cannot_have_is_refused(service: Service, member: str, value: object, code: str) -> None:
    subnet = {"name": "s", "properties": KEPT_OF_SUBNET | {member: value}}
    await ask(service, "PUT", f"{NETWORKS}/v", {"location": "eastus", "properties": KEPT})
    alone = await ask(service, "PUT", f"{NETWORKS}/v/subnets/s", subnet)
    within = await ask(
        service, "PUT", f"{NETWORKS}/v", {"location": "eastus", "properties": KEPT | {"subnets": [subnet]}}
    )
    shown = (await ask(service, "GET", f"{NETWORKS}/v")).json["properties"]

    assert (alone.status, alone.code) == (within.status, within.code) == (400, code)
    assert code == "FeatureNotSupported" or member in str(within.json["error"]["details"])
    assert shown["subnets"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"properties": KEPT | {"virtualNetworkPeerings": [{"name": "p"}]}}, "FeatureNotSupported"),
        ({"properties": KEPT | {"enableDdosProtection": True}}, "FeatureNotSupported"),
        ({"properties": KEPT | {"extra": 1}}, "InvalidRequestFormat"),
        ({"properties": KEPT, "extra": 1}, "InvalidRequestFormat"),
    ],
)
async def test_what_a_network_cannot_have_is_refused(service: Service, body: dict, code: str) -> None:
    reply = await ask(service, "PUT", f"{NETWORKS}/v", {"location": "eastus"} | body)

    assert (reply.status, reply.code) == (400, code)
    assert (await ask(service, "GET", f"{NETWORKS}/v")).status == 404


# --- roles ---


def assignment(role: str, principal: str = SOMEBODY) -> dict[str, Any]:
    return {
        "properties": {
            "roleDefinitionId": f"{S}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": principal,
        }
    }


async def test_roles_are_assigned_listed_and_taken_away(service: Service) -> None:
    path = f"{FOLDER}{ASSIGNMENTS}/{GUID(1)}"
    made = await ask(service, "PUT", path, assignment(READER.id))
    assert (made.status, made.json["properties"]["scope"], made.json["id"]) == (201, FOLDER, path)
    rights = Rights(service.store)
    assert rights.may(SOMEBODY, "Microsoft.ContainerInstance/containerGroups/read", f"{GROUPS}/web".lower())
    twice = await ask(service, "PUT", f"{FOLDER}{ASSIGNMENTS}/{GUID(2)}", assignment(READER.id))
    assert (twice.status, twice.code) == (409, "RoleAssignmentExists")
    other = await ask(service, "PUT", path, assignment(OWNER.id))
    assert (other.status, other.code) == (400, "RoleAssignmentUpdateNotPermitted")
    await ask(service, "PUT", f"{S}{ASSIGNMENTS}/{GUID(3)}", assignment(OWNER.id))

    async def listed(scope: str, query: str = "") -> list[str]:
        return [
            each["name"] for each in (await ask(service, "GET", f"{scope}{ASSIGNMENTS}", query=query)).json["value"]
        ]

    assert await listed(S) == [GUID(3), GUID(1)]
    grant(service.store, GUID(8), READER, "")
    rows = (await ask(service, "GET", f"{S}{ASSIGNMENTS}")).json["value"]
    names = {
        each["id"]
        for each in (await ask(service, "GET", f"{S}/providers/Microsoft.Authorization/roleDefinitions")).json["value"]
    }
    assert len(rows) == 3 and all(each["properties"]["roleDefinitionId"] in names for each in rows)
    grant_rows = [row for row in service.store.every("roleAssignments") if not row.subscription]
    assert (await ask(service, "DELETE", grant_rows[0].id)).status == 200
    assert await listed(S, "$filter=atScope()") == [GUID(3)]
    assert await listed(FOLDER, "$filter=atScope()") == [GUID(3), GUID(1)]
    assert await listed(S, f"$filter=principalId%20eq%20'{GUID(9)}'") == []
    assert await listed(S, f"$filter=assignedTo('{SOMEBODY}')") == [GUID(3), GUID(1)]
    assert (await ask(service, "DELETE", path)).status == 200
    assert (await ask(service, "DELETE", path)).status == 204
    assert rights.may(SOMEBODY, "Microsoft.ContainerInstance/containerGroups/read", FOLDER.lower())  # still Owner
    await ask(service, "DELETE", f"{S}{ASSIGNMENTS}/{GUID(3)}")
    assert not rights.may(SOMEBODY, "Microsoft.ContainerInstance/containerGroups/read", FOLDER.lower())


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("x", assignment(READER.id), "InvalidRoleAssignmentId"),
        (GUID(1), assignment("nobody"), "RoleDefinitionDoesNotExist"),
        (GUID(1), assignment(READER.id, "me"), "InvalidPrincipalId"),
        (GUID(1), {"properties": {"principalId": SOMEBODY}}, "InvalidRequestContent"),
    ],
)
async def test_assignments_that_are_wrong(service: Service, name: str, body: object, code: str) -> None:
    refused = await ask(service, "PUT", f"{FOLDER}{ASSIGNMENTS}/{name}", body)
    assert (refused.status, refused.code) == (400, code)


async def test_roles_go_with_what_they_are_over(service: Service) -> None:
    await service.ask("PUT", f"{GROUPS}/web", group())
    assert (await ask(service, "PUT", f"{GROUPS}/web{ASSIGNMENTS}/{GUID(1)}", assignment(READER.id))).status == 201
    await ask(service, "PUT", f"{FOLDER}{ASSIGNMENTS}/{GUID(2)}", assignment(READER.id))
    await service.ask("DELETE", f"{GROUPS}/web")
    rights = Rights(service.store)
    assert len(service.store.every("roleAssignments")) == 1
    gone = await ask(service, "DELETE", FOLDER)
    assert (await ask(service, "GET", gone.headers["location"])).status == 200
    assert service.store.every("roleAssignments") == [] and not rights.sees(SOMEBODY, S.lower())
    missing = await ask(service, "PUT", f"{GROUPS}/nobody{ASSIGNMENTS}/{GUID(1)}", assignment(READER.id))
    assert missing.status == 404


async def test_roles_over_a_subnet_which_is_part_of_its_network(service: Service) -> None:
    subnets = [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]
    space = {"addressPrefixes": ["10.0.0.0/16"]}
    network = {"location": "x", "properties": {"addressSpace": space, "subnets": subnets}}
    await ask(service, "PUT", f"{NETWORKS}/v", network)
    for name, status in (("s", 201), ("t", 404)):
        path = f"{NETWORKS}/v/subnets/{name}{ASSIGNMENTS}/{GUID(1)}"
        assert (await ask(service, "PUT", path, assignment(READER.id))).status == status
    no_tags = await ask(
        service, "GET", f"{NETWORKS}/v/subnets/s{ASSIGNMENTS}/{GUID(1)}/providers/Microsoft.Resources/tags/default"
    )
    assert no_tags.code == "InvalidScope"


def test_every_route_of_arm_needs_a_right_or_has_a_reason() -> None:
    reasons = {
        "Operations_List": "names what the provider can do",
        "monitor": "the handler asks for a right over what the operation is about",
        "operationresults": "as monitor",
        "Subscriptions_List": "lists what the caller has a role over",
        "Subscriptions_Get": "as Subscriptions_List",
        "ResourceGroups_List": "as Subscriptions_List",
        "Resources_List": "lists what the caller may read",
        "Subscriptions_ListLocations": "names regions",
        "Tenants_List": "names the one tenant",
        "Providers_List": "names types and api-versions",
        "Providers_Get": "as Providers_List",
        "Providers_Register": "changes nothing",
    }
    free = {route.name for route in ROUTES if route.provider and not route.action and not route.open}
    assert free == reasons.keys()


async def test_role_definitions(service: Service) -> None:
    path = f"{S}/providers/Microsoft.Authorization/roleDefinitions"
    every = (await ask(service, "GET", path)).json["value"]
    assert [each["properties"]["roleName"] for each in every][:3] == ["Owner", "Contributor", "Reader"]
    (one,) = (await ask(service, "GET", path, query="$filter=roleName%20eq%20'reader'")).json["value"]
    assert one["name"] == READER.id and one["properties"]["permissions"][0]["actions"] == ["*/read"]
    assert (await ask(service, "GET", f"{path}/{ACI_CONTRIBUTOR.id}")).status == 200
    assert (await ask(service, "GET", f"{path}/x")).code == "RoleDefinitionDoesNotExist"
    assert role_named("owner") == role_named(OWNER.id.upper()) == OWNER


# --- rights, through the gate ---


class Somebody(Everybody):
    """One whose roles decide."""

    def __init__(self) -> None:
        self.rights: Rights | None = None

    def verify(self, token: str) -> Caller:
        return Caller(app_id="app", object_id=SOMEBODY, tenant="t")

    def may(self, caller: Caller, action: str, scope: str) -> bool:
        assert self.rights is not None
        return not action.startswith("Hythe/") and self.rights.may(caller.object_id, action, scope.rstrip("/").lower())

    def sees(self, caller: Caller, scope: str) -> bool:
        assert self.rights is not None
        return self.rights.sees(caller.object_id, scope.rstrip("/").lower())


@pytest.fixture
async def guarded() -> AsyncIterator[Service]:
    somebody = Somebody()
    async with running(identity=somebody) as made:
        somebody.rights = Rights(made.store)
        yield made


async def prepare(service: Service, role: Any, scope: str) -> None:
    """Make a group as an owner, then give the role instead."""
    grant(service.store, SOMEBODY, OWNER, S)
    await service.make_folder()
    await service.make_folder(f"{S}/resourceGroups/other")
    await service.ask("PUT", f"{GROUPS}/web", group())
    held = (await ask(service, "GET", f"{S}{ASSIGNMENTS}", query="$filter=atScope()")).json["value"]
    if role is not None:
        grant(service.store, SOMEBODY, role, scope)
    assert (await ask(service, "DELETE", held[0]["id"])).status == 200


async def test_a_reader_reads_and_does_no_more(guarded: Service) -> None:
    await prepare(guarded, READER, S)
    for path in (f"{GROUPS}/web", GROUPS, f"{GROUPS}/web/containers/web/logs"):
        assert (await guarded.ask("GET", path)).status == 200
    assert (await guarded.ask("HEAD", f"{GROUPS}/web")).status == 204
    for method, path in (
        ("PUT", f"{GROUPS}/web"),
        ("PATCH", f"{GROUPS}/web"),
        ("DELETE", f"{GROUPS}/web"),
        ("POST", f"{GROUPS}/web/stop"),
        ("POST", f"{GROUPS}/web/containers/web/exec"),
        ("POST", f"{GROUPS}/web/containers/web/attach"),
        ("DELETE", FOLDER),
        ("PUT", f"{FOLDER}{ASSIGNMENTS}/{GUID(5)}"),
        ("PUT", f"{FOLDER}/providers/Microsoft.Resources/tags/default"),
        ("POST", f"{FOLDER}/providers/Microsoft.Resources/deployments/d/validate"),
    ):
        refused = await guarded.ask(method, path, {})
        assert (refused.status, refused.code) == (403, "AuthorizationFailed"), path
    assert SOMEBODY in refused.json["error"]["message"]
    assert (await guarded.ask("POST", "/hythe/subscriptions", {"displayName": "x"}, version=None)).status == 403


async def test_a_role_over_one_resource_group_shows_that_one_only(guarded: Service) -> None:
    await prepare(guarded, CONTRIBUTOR, FOLDER)
    assert [each["subscriptionId"] for each in (await ask(guarded, "GET", "/subscriptions")).json["value"]] == [
        SUBSCRIPTION
    ]
    assert [each["name"] for each in (await ask(guarded, "GET", f"{S}/resourceGroups")).json["value"]] == ["rg"]
    assert [each["name"] for each in (await ask(guarded, "GET", f"{S}/resources")).json["value"]] == ["web"]
    made = await guarded.ask("PUT", f"{GROUPS}/slow", group(), headers={"prefer": "wait=0"})
    assert made.status == 201
    monitor = made.headers.get("azure-asyncoperation")
    assert monitor is None or (await guarded.ask("GET", monitor)).status == 200
    elsewhere = GROUPS.replace("/rg/", "/other/")
    for path in (f"{elsewhere}/x", f"{GROUPS.replace('/rg/', '/rg%2F..%2Fother/')}/x", f"{elsewhere.upper()}/x"):
        assert (await guarded.ask("PUT", path, group())).status in (403, 404)
    assert (await guarded.ask("GET", f"{S}/providers/Microsoft.ContainerInstance/containerGroups")).status == 403


async def test_who_has_no_role_sees_nothing(guarded: Service) -> None:
    await prepare(guarded, None, "")
    assert (await ask(guarded, "GET", "/subscriptions")).json["value"] == []
    assert (await ask(guarded, "GET", S)).code == "SubscriptionNotFound"
    for method in ("GET", "HEAD"):
        assert (await guarded.ask(method, f"{GROUPS}/web")).status == 403


async def test_what_a_group_makes_use_of_needs_a_right_too(guarded: Service) -> None:
    await prepare(guarded, CONTRIBUTOR, FOLDER)
    caller = Caller(app_id="app", object_id=SOMEBODY, tenant="t")
    for folder, allowed in ((FOLDER, True), (FOLDER.replace("/rg", "/other"), False)):
        identity = f"{folder}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/me"
        wanted = ContainerGroup(
            containers=[],
            identity=ContainerGroupIdentity(user_assigned_identities={identity: UserAssignedIdentities()}),
        )
        if allowed:
            guarded.api.resources._check_links(wanted, caller)
            continue
        with pytest.raises(Fault) as refused:
            guarded.api.resources._check_links(wanted, caller)
        assert (refused.value.status, refused.value.code) == (403, "LinkedAuthorizationFailed")


async def test_a_group_is_given_an_identity(service: Service) -> None:
    made = (await ask(service, "PUT", f"{IDENTITIES}/me", {"location": "eastus"})).json
    wanted = group() | {"identity": {"type": "UserAssigned", "userAssignedIdentities": {made["id"]: {}}}}
    shown = await service.ask("PUT", f"{GROUPS}/web", wanted)
    assert shown.status == 201, shown.raw
    (one,) = shown.json["identity"]["userAssignedIdentities"].values()
    assert (one["clientId"], one["principalId"]) == (made["properties"]["clientId"], made["properties"]["principalId"])
    wanted["identity"]["userAssignedIdentities"] = {f"{IDENTITIES}/nobody": {}}
    assert (await service.ask("PUT", f"{GROUPS}/other", wanted)).status == 400


def test_links() -> None:
    definition = ContainerGroup(
        containers=[],
        identity=ContainerGroupIdentity(user_assigned_identities={"a": UserAssignedIdentities()}),
        subnet_ids=[ContainerGroupSubnetId(id="b")],
    )
    assert [*links(definition)] == [(ASSIGN, "a"), (JOIN, "b")]
    assert [*links(object())] == []


async def test_who_a_principal_is(service: Service) -> None:
    me = (await ask(service, "PUT", f"{IDENTITIES}/me", {"location": "x"})).json["properties"]
    found = await service.ask("POST", "/v1.0/directoryObjects/getByIds", {"ids": [me["principalId"]]}, version=None)
    (one,) = found.json["value"]
    assert (one["appId"], one["displayName"]) == (me["clientId"], "me")
    for wanted, count in (
        (f"servicePrincipalNames/any(c:c eq '{me['clientId']}')", 1),
        ("displayName eq 'ME'", 1),
        ("appId eq 'nobody'", 0),
        ("", 1),
    ):
        query = f"$filter={quote(wanted)}"
        listed = await service.ask("GET", "/v1.0/servicePrincipals", version=None, query=query)
        assert len(listed.json["value"]) == count
    refused = await service.ask("GET", "/v1.0/servicePrincipals", version=None, query="$filter=x")
    assert refused.status == 400
