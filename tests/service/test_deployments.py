"""Tests deployments of templates: in order, with rights, within bounds, and across the death of the service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.sim import SimulatedEngine
from hythe.service.identity.rights import ACI_CONTRIBUTOR, CONTRIBUTOR, READER, Rights, grant
from hythe.service.kinds.deployments import moment
from hythe.service.store import SqlStore

from .harness import FOLDER, GROUPS, SUBSCRIPTION, Reply, Service, running
from .test_arm import ASSIGNMENTS, GUID, SOMEBODY, Somebody

S = f"/subscriptions/{SUBSCRIPTION}"
DEPLOYMENTS = f"{FOLDER}/providers/Microsoft.Resources/deployments"
ACI = "Microsoft.ContainerInstance/containerGroups"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as made:
        await made.make_folder()
        yield made


def test_a_moment_is_never_written_as_an_earlier_one() -> None:
    assert [moment(1.001), moment(1.9996)] == ["1970-01-01T00:00:01.001Z", "1970-01-01T00:00:01.999Z"]


async def ask(service: Service, method: str, path: str, body: object = None, **more: Any) -> Reply:
    return await service.ask(method, path, body, version="2025-04-01", **more)


def aci(name: str, image: str = "image", **more: Any) -> dict[str, Any]:
    container = {"name": "web", "properties": {"image": image, "resources": {"requests": {"cpu": 1, "memoryInGB": 1}}}}
    return {
        "type": ACI,
        "apiVersion": "2023-05-01",
        "name": name,
        "location": "[resourceGroup().location]",
        "properties": {"osType": "Linux", "containers": [container]},
        **more,
    }


def template(*resources: Any, **more: Any) -> dict[str, Any]:
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [*resources],
        **more,
    }


def body(document: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    given = {name: {"value": value} for name, value in parameters.items()}
    return {"properties": {"mode": "Incremental", "template": document, "parameters": given}}


async def deployed(
    service: Service, deployment: str, document: dict[str, Any], where: str = DEPLOYMENTS, **given: Any
) -> Any:
    """Deploy and wait for the end; give the deployment's properties."""
    asked = body(document, **given) | ({"location": "eastus"} if where.startswith(f"{S}/providers") else {})
    made = await ask(service, "PUT", f"{where}/{deployment}", asked)
    assert made.status in (200, 201), made.raw
    while "azure-asyncoperation" in made.headers:
        monitor = (await ask(service, "GET", made.headers["azure-asyncoperation"])).json
        if monitor["status"] != "Pending":
            break
    return (await ask(service, "GET", f"{where}/{deployment}")).json["properties"]


async def test_resources_are_made_and_outputs_given(service: Service) -> None:
    document = template(
        aci(
            "[parameters('name')]",
            properties=aci("")["properties"]
            | {
                "ipAddress": {"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "[variables('label')]"},
                "containers": [
                    {
                        "name": "web",
                        "properties": {
                            "image": "image",
                            "ports": [{"port": 80}],
                            "resources": {"requests": {"cpu": 1, "memoryInGB": 1}},
                        },
                    }
                ],
            },
        ),
        parameters={"name": {"type": "string"}},
        variables={"label": "[concat('l', uniqueString(resourceGroup().id))]"},
        outputs={
            "fqdn": {"type": "string", "value": f"[reference(resourceId('{ACI}', parameters('name'))).ipAddress.fqdn]"}
        },
    )
    done = await deployed(service, "first", document, name="web")
    assert done["provisioningState"] == "Succeeded", done
    group = (await service.ask("GET", f"{GROUPS}/web")).json
    assert done["outputs"] == {"fqdn": {"type": "String", "value": group["properties"]["ipAddress"]["fqdn"]}}
    assert done["parameters"] == {"name": {"type": "String", "value": "web"}}
    assert done["outputResources"] == [{"id": f"{GROUPS}/web"}]
    (operation,) = (await ask(service, "GET", f"{FOLDER}/deployments/first/operations")).json["value"]
    assert operation["properties"]["provisioningState"] == "Succeeded"
    assert operation["properties"]["targetResource"]["resourceName"] == "web"
    assert (await ask(service, "GET", operation["id"])).json == operation
    assert (await ask(service, "HEAD", f"{DEPLOYMENTS}/first")).status == 204
    (one,) = (await ask(service, "GET", DEPLOYMENTS, query="$filter=provisioningState%20eq%20'Succeeded'")).json[
        "value"
    ]
    assert one["name"] == "first"
    exported = await ask(service, "POST", f"{DEPLOYMENTS}/first/exportTemplate")
    assert exported.json["template"] == document
    resources = (await ask(service, "GET", f"{FOLDER}/resources")).json["value"]
    assert [each["name"] for each in resources] == ["web"]
    assert (await ask(service, "DELETE", f"{DEPLOYMENTS}/first")).status == 204
    assert (await ask(service, "GET", f"{DEPLOYMENTS}/first")).code == "DeploymentNotFound"
    assert (await service.ask("GET", f"{GROUPS}/web")).status == 200


async def test_the_body_of_az_is_read(service: Service) -> None:
    text = json.dumps({"properties": {"parameters": {"n": {"value": "web"}}, "mode": "Incremental"}})
    document = json.dumps(template(aci("[parameters('n')]"), parameters={"n": {"type": "string"}}))
    raw = f"{text[:-2]}, template:// a comment of the file\n{document}}}}}".encode()
    assert (await ask(service, "POST", f"{DEPLOYMENTS}/d/validate", raw=raw)).status == 200
    assert (await ask(service, "PUT", f"{DEPLOYMENTS}/d", raw=raw)).status == 201
    assert (await service.ask("GET", f"{GROUPS}/web")).status == 200


async def test_a_second_deployment_of_the_same_changes_nothing(service: Service) -> None:
    document = template(aci("a"), aci("b", dependsOn=["a"]))
    assert (await deployed(service, "d", document))["provisioningState"] == "Succeeded"
    before = [(row.uid, row.epoch) for row in service.store.every("containerGroups")]
    assert (await deployed(service, "d", document))["provisioningState"] == "Succeeded"
    assert [(row.uid, row.epoch) for row in service.store.every("containerGroups")] == before


async def test_what_is_asked_for_together_in_one_network_is_made_one_after_the_other(service: Service) -> None:
    network = {
        "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2022-01-01", "name": "v", "location": "eastus",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
    }  # fmt: skip
    subnets = [
        {"type": "Microsoft.Network/virtualNetworks/subnets", "apiVersion": "2022-01-01", "name": f"v/s{number}",
         "dependsOn": ["v"], "properties": {"addressPrefix": f"10.0.{number}.0/24"}}
        for number in range(4)
    ]  # fmt: skip
    properties = await deployed(service, "d", template(network, *subnets))
    assert properties["provisioningState"] == "Succeeded", properties


async def test_everything_together(service: Service) -> None:
    network = {
        "type": "Microsoft.Network/virtualNetworks",
        "apiVersion": "2022-01-01",
        "name": "v",
        "location": "eastus",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
        "resources": [
            {"type": "subnets", "name": "s", "apiVersion": "2022-01-01", "properties": {"addressPrefix": "10.0.0.0/24"}}
        ],
    }
    identity = {
        "type": IDENTITIES,
        "apiVersion": "2023-01-31",
        "name": "me",
        "location": "eastus",
    }
    role = {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": "[guid(resourceGroup().id, 'me')]",
        "properties": {
            "principalId": "[reference('me').principalId]",
            "roleDefinitionId": f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{READER.id}')]",
        },
    }
    loop = aci("[concat('w', copyIndex())]", copy={"name": "many", "count": 3})
    done = await deployed(
        service,
        "all",
        template(
            role,
            identity,
            network,
            loop,
            outputs={
                "subnet": {
                    "type": "string",
                    "value": "[reference(resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')).addressPrefix]",  # noqa: E501
                },
                "who": {"type": "string", "value": "[reference('me').principalId]"},
                "where": {"type": "string", "value": "[reference('w1', '2023-05-01', 'Full').location]"},
            },
        ),
    )
    assert done["provisioningState"] == "Succeeded", done
    assert done["outputs"]["subnet"]["value"] == "10.0.0.0/24" and done["outputs"]["where"]["value"] == "eastus"
    assert Rights(service.store).may(done["outputs"]["who"]["value"], f"{ACI}/read", FOLDER.lower())
    assert len((await service.ask("GET", GROUPS)).json["value"]) == 3


async def test_tags_of_the_resource_group_by_template(service: Service) -> None:
    tags = {
        "type": "Microsoft.Resources/tags",
        "apiVersion": "2021-04-01",
        "name": "default",
        "properties": {"tags": {"made": "[toUpper('by')]"}},
    }
    assert (await deployed(service, "d", template(tags)))["provisioningState"] == "Succeeded"
    assert (await service.ask("GET", FOLDER)).json["tags"] == {"made": "BY"}


async def test_a_subscription_and_nested_deployments(service: Service) -> None:
    inner = template(
        aci("[parameters('n')]"),
        parameters={"n": {"type": "string"}},
        outputs={"id": {"type": "string", "value": f"[resourceId('{ACI}', parameters('n'))]"}},
    )
    document = template(
        {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2021-04-01", "name": "new", "location": "westus"},
        {
            "type": "Microsoft.Resources/deployments",
            "apiVersion": "2021-04-01",
            "name": "in",
            "resourceGroup": "new",
            "dependsOn": ["new"],
            "properties": {
                "mode": "Incremental",
                "expressionEvaluationOptions": {"scope": "inner"},
                "parameters": {"n": {"value": "deep"}},
                "template": inner,
            },
        },
        outputs={"id": {"type": "string", "value": "[reference('in').outputs.id.value]"}},
    )
    where = f"{S}/providers/Microsoft.Resources/deployments"
    assert (await ask(service, "PUT", f"{where}/d", body(document))).code == "LocationRequired"
    done = await deployed(service, "d", document, where)
    assert done["provisioningState"] == "Succeeded", done
    web = f"{S}/resourceGroups/new/providers/{ACI}/deep"
    assert done["outputs"]["id"]["value"] == web
    assert (await service.ask("GET", web)).json["location"] == "westus"
    assert [each["name"] for each in (await ask(service, "GET", where)).json["value"]] == ["d"]


def nested(name: str, inner: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2021-04-01",
        "name": name,
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "template": inner,
        },
        **more,
    }


def identities(count: int, prefix: str) -> dict[str, Any]:
    """Give a template of so many resources that are quickly made."""
    return template(
        {
            "type": IDENTITIES,
            "apiVersion": "2023-01-31",
            "name": f"[concat('{prefix}', copyIndex())]",
            "location": "eastus",
            "copy": {"name": "loop", "count": count},
        }
    )


@pytest.mark.parametrize("same", [False, True], ids=["beside each other", "by one name, one after the other"])
async def test_deployments_are_counted_with_those_nested_in_them(
    service: Service, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    monkeypatch.setattr("hythe.service.kinds.deployments.MOST_RESOURCES", 12)
    names = ("deep", "deep") if same else ("deep-a", "deep-b")
    first = nested("a", template(nested(names[0], identities(3, "a"))))
    second = nested("b", template(nested(names[1], identities(5, "b"))), dependsOn=["a"])
    # a, b, what is deep in each, 3 and 5: together 12
    done = await deployed(service, "fits", template(first, second))
    assert done["provisioningState"] == "Succeeded", done
    seen = (await ask(service, "GET", f"{DEPLOYMENTS}/{names[1]}")).json["properties"]
    assert seen["correlationId"] == done["correlationId"]

    second = nested("b", template(nested(names[1], identities(6, "c"))), dependsOn=["a"])
    done = await deployed(service, "fits", template(first, second))
    assert done["provisioningState"] == "Failed"
    seen = (await ask(service, "GET", f"{DEPLOYMENTS}/b")).json["properties"]
    detail = seen["error"]["details"][0]
    assert (detail["code"], "more than 12 resources" in detail["message"]) == ("InvalidTemplate", True), detail
    assert (await ask(service, "GET", f"{FOLDER}/providers/{IDENTITIES}/c0")).status == 404


async def test_a_failure_is_told_and_stops_what_depends_on_it(service: Service) -> None:
    document = template(
        aci(
            "bad",
            properties=aci("")["properties"]
            | {
                "ipAddress": {
                    "type": "Public",
                    "ports": [{"port": "[int(reference('good').containers[0].properties.image)]"}],
                }
            },
        ),
        aci("good"),
        aci("later", dependsOn=["bad"]),
        aci("other"),
    )
    done = await deployed(service, "d", document)
    assert (done["provisioningState"], done["error"]["code"]) == ("Failed", "DeploymentFailed")
    assert done["error"]["details"][0]["target"] == f"{GROUPS}/bad"
    assert "is not an integer" in done["error"]["details"][0]["message"]
    names = [each["name"] for each in (await service.ask("GET", GROUPS)).json["value"]]
    assert names == ["good", "other"]


@pytest.mark.parametrize("where", ["resource", "variable"])
async def test_an_unknown_function_is_refused_before_anything_is_made(service: Service, where: str) -> None:
    first = {"type": IDENTITIES, "apiVersion": "2023-01-31", "name": "id1", "location": "eastus"}
    second = first | {"name": "id2", "tags": {"a": "[bogus(reference('id1').clientId)]"}}
    documents = {
        "resource": template(first, second),
        "variable": template(
            first,
            variables={"v": "[bogus('x')]"},
            outputs={"o": {"type": "string", "value": "[variables('v')]"}},
        ),
    }
    for method, end in (("POST", "/validate"), ("POST", "/whatIf"), ("PUT", "")):
        refused = await ask(service, method, f"{DEPLOYMENTS}/d{end}", body(documents[where]))
        assert (refused.status, refused.code) == (400, "InvalidTemplate")
        assert "'bogus' is not valid" in refused.json["error"]["message"]
    assert (await ask(service, "GET", f"{FOLDER}/resources")).json["value"] == []


async def test_what_can_be_known_before_is_refused_at_once(service: Service) -> None:
    for document, code in (
        (template(aci("BAD NAME")), "InvalidTemplateDeployment"),
        (template({"type": "Microsoft.Web/sites", "apiVersion": "2022-01-01", "name": "x"}), "InvalidTemplate"),
        (template(aci("[frobnicate()]")), "InvalidTemplate"),
        (template(outputs={"o": {"type": "string", "value": "[if(true(), 'a', frobnicate())]"}}), "InvalidTemplate"),
        ({"resources": "x"}, "InvalidTemplate"),
        (template(aci("a", apiVersion="")), "InvalidTemplate"),
    ):
        for method, path in (("PUT", f"{DEPLOYMENTS}/d"), ("POST", f"{DEPLOYMENTS}/d/validate")):
            refused = await ask(service, method, path, body(document))
            assert (refused.status, refused.code) == (400, code)
    assert (await service.ask("GET", GROUPS)).json["value"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mode": "Complete"}, "FeatureNotSupported"),
        ({"templateLink": {"uri": "https://x"}}, "FeatureNotSupported"),
        ({"template": None}, "InvalidTemplate"),
        ({"parameters": {"p": {"reference": {}}}}, "FeatureNotSupported"),
        ({"parameters": {"p": 1}}, "InvalidTemplate"),
        ({"parameters": []}, "InvalidRequestContent"),
    ],
)
async def test_bodies_that_are_wrong(service: Service, changes: dict[str, Any], code: str) -> None:
    asked = body(template(parameters={"p": {"type": "int"}}), p=1)
    asked["properties"] |= changes
    refused = await ask(service, "PUT", f"{DEPLOYMENTS}/d", asked)
    assert refused.status == 400
    assert refused.code == code or changes == {"parameters": []}
    for raw in (b"", b"[]", b"{", b'{"properties": 3}'):
        assert (await ask(service, "PUT", f"{DEPLOYMENTS}/d", raw=raw)).code == "InvalidRequestContent"


async def test_what_if_tells_what_would_change(service: Service) -> None:
    await deployed(service, "d", template(aci("same"), aci("other")))
    asked = body(
        template(
            aci("same"),
            aci("other", tags={"a": "b"}),
            aci("new"),
            aci("refers", tags={"x": "[reference('new', '2023-05-01').osType]"}),
        )
    )
    answer = (await ask(service, "POST", f"{DEPLOYMENTS}/d/whatIf", asked)).json
    changes = {each["resourceId"].rpartition("/")[2]: each for each in answer["properties"]["changes"]}
    assert {name: each["changeType"] for name, each in changes.items()} == {
        "same": "NoChange",
        "other": "Modify",
        "new": "Create",
        "refers": "Deploy",
    }
    assert [each["path"] for each in changes["other"]["delta"]] == ["tags.a"]
    assert len((await service.ask("GET", GROUPS)).json["value"]) == 2


async def test_secure_parameters_are_kept_secret(service: Service) -> None:
    document = template(
        aci(
            "web",
            properties={
                "osType": "Linux",
                "containers": [
                    {
                        "name": "web",
                        "properties": {
                            "image": "image",
                            "environmentVariables": [{"name": "P", "secureValue": "[parameters('p')]"}],
                            "resources": {"requests": {"cpu": 1, "memoryInGB": 1}},
                        },
                    }
                ],
            },
        ),
        parameters={"p": {"type": "secureString"}},
        variables={"unused": "written-by-hand"},
    )
    done = await deployed(service, "d", document, p="hush-hush")
    assert done["provisioningState"] == "Succeeded" and done["parameters"] == {"p": {"type": "SecureString"}}
    rows = [
        service.store.opened(row.key)
        for kind in ("deployments", "containerGroups")
        for row in service.store.every(kind)
    ]
    assert len(rows) == 2 and all(row is not None and row.secrets and b"hush" not in row.secrets for row in rows)
    assert not any(b"hush" in row.spec + row.status for row in rows if row is not None)
    assert not any(b"by-hand" in row.spec + row.status for row in rows if row is not None)
    assert (await ask(service, "POST", f"{DEPLOYMENTS}/d/exportTemplate")).json["template"] == document
    asked = body(document, p="hush-hush")
    asked["properties"]["template"]["resources"][0]["name"] = "other"
    assert b"hush" not in (await ask(service, "POST", f"{DEPLOYMENTS}/d/whatIf", asked)).raw


LOGS = "resourceId('Microsoft.OperationalInsights/workspaces', 'logs')"
KEY = f"[listKeys({LOGS}, '2020-08-01').primarySharedKey]"


def logging(key: str = KEY) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a group that logs to a workspace, as Azure's own examples have it, and the workspace."""
    group = aci("web")
    target = {"workspaceId": f"[reference({LOGS}, '2020-08-01').customerId]", "workspaceKey": key}
    group["properties"]["diagnostics"] = {"logAnalytics": target}
    workspace = {"type": "Microsoft.OperationalInsights/workspaces", "apiVersion": "2020-08-01", "name": "logs"}
    return group, workspace | {"location": "eastus"}


async def test_the_key_of_a_workspace_is_given_to_a_group_and_shown_nowhere(service: Service) -> None:
    inner = template(parameters={"key": {"type": "secureString"}, "id": {"type": "string"}})
    deployment = nested("in", inner)
    deployment["properties"]["parameters"] = {
        "key": {"value": KEY},
        "id": {"value": f"[reference({LOGS}, '2020-08-01').customerId]"},
    }
    document = template(*logging(), deployment, outputs={"key": {"type": "secureString", "value": KEY}})
    done = await deployed(service, "d", document)
    assert done["provisioningState"] == "Succeeded", done
    assert done["outputs"] == {"key": {"type": "secureString"}}
    keys = await ask(service, "POST", f"{FOLDER}/providers/Microsoft.OperationalInsights/workspaces/logs/sharedKeys")
    key = keys.json["primarySharedKey"]
    held = service.store.opened(f"{GROUPS}/web".lower())
    assert held is not None and key in service.api.resources._vault.open(held.secrets, held.uid).decode()
    for row in (row for kind in ("deployments", "containerGroups") for row in service.store.every(kind)):
        assert key.encode() not in row.spec + row.status
        assert key.encode() not in (await ask(service, "GET", row.id)).raw
    tagged = logging()[0] | {"tags": {"key": KEY}}
    answer = await ask(service, "POST", f"{DEPLOYMENTS}/d/whatIf", body(template(tagged)))
    assert answer.json["properties"]["changes"] == [{"resourceId": f"{GROUPS}/web", "changeType": "Deploy"}]


@pytest.mark.parametrize("where", ["resource", "output", "variable"])
async def test_keys_that_nobody_has_are_refused_before_anything_is_made(service: Service, where: str) -> None:
    account = "[listKeys(resourceId('Microsoft.Storage/storageAccounts', 'a'), '2023-01-01').keys[0].value]"
    more: dict[str, Any] = {
        "resource": {},
        "output": {"outputs": {"o": {"type": "string", "value": account}}},
        "variable": {
            "variables": {"v": KEY},
            "outputs": {"o": {"type": "string", "value": "[variables('v')]"}},
        },
    }[where]
    document = template(*logging(account if where == "resource" else KEY), **more)
    for method, end in (("POST", "/validate"), ("POST", "/whatIf"), ("PUT", "")):
        refused = await ask(service, method, f"{DEPLOYMENTS}/d{end}", body(document))
        assert (refused.status, refused.code) == (400, "InvalidTemplate")
        assert ("not expected here" if where == "variable" else "log workspaces") in refused.json["error"]["message"]
    assert (await ask(service, "GET", f"{FOLDER}/resources")).json["value"] == []


async def test_a_deployment_that_runs_can_be_canceled_but_not_replaced(service: Service) -> None:
    gate = asyncio.Event()

    async def hold(*_: object) -> None:
        await gate.wait()

    service.api.resources._admission.accessible = hold
    made = await ask(service, "PUT", f"{DEPLOYMENTS}/d", body(template(aci("a"), aci("b", dependsOn=["a"]))))
    assert (made.status, made.json["properties"]["provisioningState"]) == (201, "Accepted")
    again = await ask(service, "PUT", f"{DEPLOYMENTS}/d", body(template()))
    assert (again.status, again.code) == (409, "DeploymentActive")
    assert (await ask(service, "DELETE", f"{DEPLOYMENTS}/d")).code == "DeploymentActive"
    assert (await ask(service, "POST", f"{DEPLOYMENTS}/d/cancel")).status == 204
    gate.set()
    monitor = (await ask(service, "GET", made.headers["azure-asyncoperation"])).json
    assert (monitor["status"], monitor["error"]["code"]) == ("Failed", "DeploymentCanceled")
    shown = (await ask(service, "GET", f"{DEPLOYMENTS}/d")).json["properties"]
    assert shown["provisioningState"] == "Canceled"
    assert (await service.ask("GET", f"{GROUPS}/b")).status == 404
    assert (await ask(service, "POST", f"{DEPLOYMENTS}/d/cancel")).status == 409


async def test_a_deployment_goes_on_after_the_service_died(tmp_path: Path) -> None:
    store, engine = SqlStore(tmp_path / "x.db"), SimulatedEngine(None)
    never = asyncio.Event()

    async def hold(image: str, *_: object) -> None:
        if image == "slow":
            await never.wait()

    async with running(store=store, engine=engine) as service:
        await service.make_folder()
        service.api.resources._admission.accessible = hold
        document = template(aci("a"), aci("b", "slow", dependsOn=["a"]), aci("c", dependsOn=["b"]))
        made = await ask(service, "PUT", f"{DEPLOYMENTS}/d", body(document))
        assert made.json["properties"]["provisioningState"] in ("Accepted", "Running")
        assert (await service.ask("GET", f"{GROUPS}/a")).status == 200
    store.free_leases()
    async with running(store=store, engine=engine) as service:
        monitor = (await ask(service, "GET", made.headers["azure-asyncoperation"])).json
        assert monitor["status"] == "Succeeded"
        assert [each["name"] for each in (await service.ask("GET", GROUPS)).json["value"]] == ["a", "b", "c"]
    store.close()


async def test_a_template_gives_nobody_more_rights_than_they_have() -> None:
    somebody = Somebody()
    async with running(identity=somebody) as service:
        somebody.rights = Rights(service.store)
        grant(service.store, SOMEBODY, CONTRIBUTOR, S)
        await service.make_folder()
        role = {
            "type": "Microsoft.Authorization/roleAssignments",
            "apiVersion": "2022-04-01",
            "name": GUID(7),
            "properties": {"principalId": SOMEBODY, "roleDefinitionId": f"/x/{READER.id}"},
        }
        refused = await ask(service, "PUT", f"{DEPLOYMENTS}/d", body(template(role)))
        assert (refused.status, refused.code) == (403, "InvalidTemplateDeployment")
        nested = {
            "type": "Microsoft.Resources/deployments",
            "apiVersion": "2021-04-01",
            "name": "in",
            "properties": {"mode": "Incremental", "template": template(role)},
        }
        done = await deployed(service, "d", template(nested))
        assert (done["provisioningState"], done["error"]["details"][0]["code"]) == (
            "Failed",
            "InvalidTemplateDeployment",
        )
        assert (await ask(service, "GET", f"{FOLDER}{ASSIGNMENTS}/{GUID(7)}")).status == 404


async def test_a_template_lists_keys_for_nobody_who_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = Somebody()
    group, workspace = logging()
    async with running(identity=somebody) as service:
        somebody.rights = Rights(service.store)
        with monkeypatch.context() as before:
            before.setattr(Rights, "may", lambda *_: True)
            await service.make_folder()
            assert (await deployed(service, "logs", template(workspace)))["provisioningState"] == "Succeeded"
        for role in (READER, ACI_CONTRIBUTOR):
            grant(service.store, SOMEBODY, role, S)
        done = await deployed(service, "d", template(group))
        (detail,) = done["error"]["details"]
        assert detail["code"] == "AuthorizationFailed" and "workspaces/sharedKeys/action" in detail["message"]
        assert (await service.ask("GET", f"{GROUPS}/web")).status == 404
