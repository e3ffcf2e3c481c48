"""Tests what `hythe container create` makes and finds around a group, as az does: network, workspace, role."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result

import hythe as library
from hythe.cli.create import create as COMMAND
from hythe.cli.create import defined
from hythe.client.transport import Request

from .conftest import Service

Hythe = Callable[..., Result]
NETWORKS = "providers/Microsoft.Network/virtualNetworks"
DELEGATION = {"name": "d", "properties": {"serviceName": "Microsoft.ContainerInstance/containerGroups"}}
NOT_OF_THE_GROUP = frozenset(
    {"name", "named", "file", "no_wait", "form", "query", "resource_group", "cloud", "context", "subscription"}
)


class Arm:
    """Asks the service for what is beside groups."""

    def __init__(self, client: library.ContainerInstanceManagementClient) -> None:
        self.root = f"/subscriptions/{client._session.subscription_id}/resourceGroups/around"
        self._client = client

    def __call__(self, method: str, path: str, body: object = None, version: str = "2022-01-01") -> Any:
        content = json.dumps(body).encode() if body is not None else b""
        url = (path if path.startswith("/") else f"{self.root}/{path}") + f"?api-version={version}"
        answer = self._client.send_request(Request(method=method, url=url, headers={}, body=content))
        assert answer.status < 300, answer.body
        return json.loads(answer.body) if answer.body else None


@pytest.fixture
def arm(service: Service) -> Iterator[Arm]:
    with library.connect("local", data_dir=service.data_dir) as client:
        client.ensure_resource_group("around", "eastus")
        yield Arm(client)
        made = library.get_client_from_auth_file(
            library.ResourceManagementClient, str(service.auth_file), ca=str(service.data_dir / "ca.pem")
        )
        with made as folders:
            folders.resource_groups.begin_delete("around").result()


@pytest.fixture
def create(hythe: Hythe, arm: Arm) -> Callable[..., Any]:
    def run(name: str, *options: str) -> Any:
        words = ("-g", "around", "-n", name, "--image", "nginx", "--cpu", "0.1", "--memory", "0.1")
        done = hythe("container", "create", *words, *options)
        assert done.exit_code == 0, (done.stdout, done.stderr, done.exception)
        return json.loads(done.stdout) if done.stdout else None

    return run


def test_a_network_and_a_subnet_that_are_named_and_not_there_are_made(create: Callable[..., Any], arm: Arm) -> None:
    options = ("--vnet-address-prefix", "10.77.0.0/16", "--subnet-address-prefix", "10.77.3.0/24")
    made = create("web", "--vnet", "net", "--subnet", "sub", *options)

    (subnet,) = made["subnetIds"]
    assert subnet["id"].endswith(f"/resourceGroups/around/{NETWORKS}/net/subnets/sub")
    assert made["ipAddress"]["type"] == "Private" and made["ipAddress"]["ip"].startswith("10.77.3.")
    network = arm("GET", f"{NETWORKS}/net")
    assert network["location"] == "eastus"
    assert network["properties"]["addressSpace"]["addressPrefixes"] == ["10.77.0.0/16"]

    again = create("again", "--vnet-name", network["id"], "--subnet", "sub")
    by_id = create("by-id", "--subnet", subnet["id"])
    assert again["subnetIds"] == by_id["subnetIds"] == made["subnetIds"]
    assert arm("GET", f"{NETWORKS}/net") == network, "what is there is left as it is"


def test_a_subnet_that_is_there_is_let_to_groups_and_keeps_the_rest(create: Callable[..., Any], arm: Arm) -> None:
    storage = [{"service": "Microsoft.Storage"}]
    arm("PUT", f"{NETWORKS}/own", {"location": "eastus", "properties": {
        "addressSpace": {"addressPrefixes": ["10.78.0.0/16"]}, "subnets": [
            {"name": "sub", "properties": {"addressPrefix": "10.78.1.0/24", "serviceEndpoints": storage}},
            {"name": "other", "properties": {"addressPrefix": "10.78.2.0/24"}},
        ]}})  # fmt: skip

    create("web", "--vnet", "own", "--subnet", "sub")

    sub = arm("GET", f"{NETWORKS}/own/subnets/sub")["properties"]
    (delegation,) = sub["delegations"]
    assert delegation["properties"]["serviceName"] == DELEGATION["properties"]["serviceName"]
    assert sub["addressPrefix"] == "10.78.1.0/24" and sub["serviceEndpoints"][0]["service"] == "Microsoft.Storage"
    assert arm("GET", f"{NETWORKS}/own/subnets/other")["properties"]["delegations"] == []


def test_a_subnet_of_others_is_refused(hythe: Hythe, arm: Arm) -> None:
    other = {"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}
    arm("PUT", f"{NETWORKS}/theirs", {"location": "eastus", "properties": {
        "addressSpace": {"addressPrefixes": ["10.79.0.0/16"]}, "subnets": [
            {"name": "sub", "properties": {"addressPrefix": "10.79.1.0/24", "delegations": [other]}}]}})  # fmt: skip

    done = hythe("container", "create", "-g", "around", "web", "--image", "x", "--vnet", "theirs", "--subnet", "sub")

    assert done.exit_code == 1
    assert done.stderr == (
        "Error: cannot use subnet 'sub': it is delegated to Microsoft.Web/serverFarms. Choose another --subnet.\n"
    )


@pytest.mark.parametrize("by", ["name", "customerId"])
def test_a_log_workspace_is_found_by_its_name_or_its_customer_id(create: Callable[..., Any], arm: Arm, by: str) -> None:
    path = "providers/Microsoft.OperationalInsights/workspaces/logs"
    held = arm("PUT", path, {"location": "eastus", "properties": {"sku": {"name": "PerGB2018"}}}, "2020-08-01")
    customer = held["properties"]["customerId"]

    made = create("web", "--log-analytics-workspace", {"name": "LOGS", "customerId": customer}[by])

    assert made["diagnostics"]["logAnalytics"] == {"workspaceId": customer}  # no answer shows the key
    assert made["tags"] == {"oms-resource-link": held["id"]}


def test_the_groups_own_identity_gets_a_role(create: Callable[..., Any], arm: Arm) -> None:
    made = create("web", "--assign-identity", "--scope", arm.root, "--role", "Reader")
    assert made["identity"]["type"] == "SystemAssigned"
    create("web", "--assign-identity", "[system]", "--scope", arm.root, "--role", "Reader")  # twice is once
    create("other", "--no-wait", "--scope", made["id"], "--assign-identity")  # Contributor

    def roles(scope: str) -> list[str]:
        found = arm("GET", f"{scope}/providers/Microsoft.Authorization/roleAssignments", None, "2022-04-01")["value"]
        whose = {each["properties"]["principalId"]: each["properties"]["roleDefinitionId"] for each in found}
        return [whose.get(principal, "").rpartition("/")[2] for principal in principals]

    other = arm("GET", made["id"].replace("/web", "/other"), None, "2023-05-01")
    principals = [made["identity"]["principalId"], other["identity"]["principalId"]]
    reader, contributor = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "b24988ac-6180-42a0-ab88-20f7382dd24c"
    assert roles(arm.root) == [reader, contributor]


def test_a_role_that_is_not_there_is_said(hythe: Hythe, arm: Arm) -> None:
    words = ("--image", "nginx", "--assign-identity", "--scope", arm.root, "--role", "King")
    done = hythe("container", "create", "-g", "around", "-n", "web", *words)
    assert done.exit_code == 3 and "there is no role 'King'" in done.stderr


@pytest.mark.parametrize("named", ["puller", "/subscriptions/S/resourceGroups/G/providers/X/Y/puller"])
def test_an_identity_that_pulls_may_be_named_by_its_name(named: str) -> None:
    ask: Any = SimpleNamespace(client=SimpleNamespace(_session=SimpleNamespace(subscription_id="S")))
    context = COMMAND.make_context("create", ["--image", "r.example/x", "--acr-identity", named, "web"])
    given = {name: value for name, value in context.params.items() if name not in NOT_OF_THE_GROUP}

    (registry,) = defined(ask, "web", given, "eastus", "G").image_registry_credentials

    kind = "X/Y" if "/" in named else "Microsoft.ManagedIdentity/userAssignedIdentities"
    assert registry.identity == f"/subscriptions/S/resourceGroups/G/providers/{kind}/puller"
    assert registry.server == "r.example"
