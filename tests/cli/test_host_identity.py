"""Tests IDENTITY_ENDPOINT: programs on this machine that are a user-assigned identity."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from hythe.client.local import admin, read_local

from .conftest import Service, sentence
from .test_principals import ask

RESOURCE = "https://management.azure.com/"


@pytest.fixture(scope="module")
def identity(service: Service) -> dict[str, Any]:
    """Make a resource group and an identity in it, and give the identity as the API shows it."""
    return make(service, "host-identity", "me")


def make(service: Service, group: str, name: str) -> dict[str, Any]:
    folder = f"/subscriptions/{service.facts['subscription']}/resourceGroups/{group}"
    put(service, f"{folder}?api-version=2021-04-01", {"location": "eastus"})
    path = f"{folder}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}?api-version=2023-01-31"
    return put(service, path, {"location": "eastus"})


def put(service: Service, path: str, body: object) -> Any:
    where = service.data_dir
    return json.loads(admin(read_local(where), where, "PUT", path, json.dumps(body).encode()))


def variables(service: Service, name: str) -> dict[str, str]:
    done = service("env", "--identity", name, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def token(
    given: dict[str, str],
    *,
    method: str = "GET",
    query: dict[str, str] | None = None,
    path: str | None = None,
    **headers: str,
) -> tuple[int, dict[str, Any]]:
    """Ask the endpoint as Azure's libraries do."""
    address = urlsplit(given["IDENTITY_ENDPOINT"])
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=10)
    asked = {"api-version": "2019-08-01", "resource": RESOURCE} if query is None else query
    sent = {"X-IDENTITY-HEADER": given["IDENTITY_HEADER"]} | {
        name.replace("_", "-"): each for name, each in headers.items()
    }
    try:
        connection.request(method, f"{path or address.path}?{urlencode(asked)}", headers=sent)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_token_has_the_roles_of_the_identity_and_no_others(service: Service, identity: dict[str, Any]) -> None:
    given = variables(service, identity["id"])
    assert given == variables(service, identity["properties"]["clientId"])
    assert urlsplit(given["IDENTITY_ENDPOINT"]).hostname == "127.0.0.1"
    status, made = token(given)
    assert status == 200
    assert made.keys() == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert made["client_id"] == given["AZURE_CLIENT_ID"] == identity["properties"]["clientId"]
    folder = identity["id"].partition("/providers/")[0]
    shown = f"{folder}?api-version=2021-04-01"
    assert ask(service, shown, made["access_token"])[0] == 403
    role = {"properties": {"principalId": identity["properties"]["principalId"],
                           "roleDefinitionId": "/x/acdd72a7-3385-48ef-bd42-f606fba81ae7"}}  # fmt: skip
    name = "aaaaaaaa-0000-4000-8000-000000000001"
    put(service, f"{folder}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01", role)
    assert ask(service, shown, made["access_token"])[0] == 200
    assert ask(service, shown.replace("host-identity", "other"), made["access_token"])[0] == 403
    assert ask(service, "/hythe/images", made["access_token"])[0] == 403


def test_who_lacks_the_secret_gets_nothing(service: Service, identity: dict[str, Any]) -> None:
    given = variables(service, identity["id"])
    assert token(given | {"IDENTITY_HEADER": "x" * 64})[0] == 401
    other = variables(service, make(service, "host-identity", "other")["id"])
    assert token(given | {"IDENTITY_HEADER": other["IDENTITY_HEADER"]})[0] == 401
    assert token(given, path="/msi/token")[0] == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"X_Forwarded_For": "192.0.2.1"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1"}, 421),
    ],
)
def test_pages_and_foreign_names_are_refused(
    service: Service, identity: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    assert token(variables(service, identity["id"]), **headers)[0] == status


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"api-version": "2019-08-01"},
        {"api-version": "1999-01-01", "resource": RESOURCE},
        {"api-version": "2019-08-01", "resource": RESOURCE, "client_id": "somebody-else"},
    ],
)
def test_questions_that_are_wrong(service: Service, identity: dict[str, Any], query: dict[str, str]) -> None:
    given = variables(service, identity["id"])
    assert token(given, query=query)[0] == 400
    assert token(given, method="POST")[0] == 405


def test_an_identity_that_is_not_there(service: Service, identity: dict[str, Any]) -> None:
    assert "no user-assigned identity" in sentence(service("env", "--identity", "nobody"))
    gone = make(service, "host-identity", "gone")
    given = variables(service, gone["id"])
    where = service.data_dir
    admin(read_local(where), where, "DELETE", f"{gone['id']}?api-version=2023-01-31")
    assert token(given) == (400, {"error": "invalid_request", "error_description": "Identity not found",
                                  "message": "Identity not found"})  # fmt: skip
