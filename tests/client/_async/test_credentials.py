"""Tests how tokens are got, kept, renewed and kept secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from hythe.client.tokens import AccessToken
from hythe.errors import AuthenticationFailed, CredentialError

from ..script import BASE, SUBSCRIPTION, answer, fault, group
from .subject import (
    ClientSecretCredential,
    ContainerInstanceManagementClient,
    FakeClock,
    FakeTransport,
    ResourceManagementClient,
    StaticTokenCredential,
    clocked,
    get_client_from_auth_file,
    pytestmark,
)

__all__ = ["pytestmark"]

SCOPE = f"{BASE}/.default"
SECRET = "s3cret~&="
AUTH = {
    "clientId": "app",
    "clientSecret": SECRET,
    "subscriptionId": SUBSCRIPTION,
    "tenantId": "tenant",
    "activeDirectoryEndpointUrl": BASE,
    "resourceManagerEndpointUrl": f"{BASE}/",
    "activeDirectoryGraphResourceId": "https://graph.windows.net/",
}


def granted(access_token: str = "one", **more: object) -> Any:
    """Make the authority's answer."""
    return answer(200, {"token_type": "Bearer", "access_token": access_token, "expires_in": 3600, **more})


def principal(*lines: Any) -> tuple[ClientSecretCredential, FakeTransport, FakeClock]:
    """Make a credential that talks to a script."""
    transport = FakeTransport(*lines)
    credential = ClientSecretCredential("tenant", "app", SECRET, authority=f"{BASE}/", transport=transport)
    credential._clock = clock = FakeClock()
    return credential, transport, clock


async def test_signs_in_with_a_form() -> None:
    credential, script, _ = principal(granted(expires_in="3599"))
    token = await credential.get_token(SCOPE)
    assert (token.token, token.expires_on) == ("one", 1000 + 3599)
    assert script.requests[0].url == f"{BASE}/tenant/oauth2/v2.0/token"
    assert parse_qs(script.requests[0].body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app"],
        "client_secret": [SECRET],
        "scope": [SCOPE],
    }


async def test_keeps_a_token_until_five_minutes_before_its_end() -> None:
    credential, script, clock = principal(granted("one"), granted("two"))
    assert (await credential.get_token(SCOPE)).token == "one"
    clock.pass_by(3299)
    assert (await credential.get_token(SCOPE)).token == "one"
    clock.pass_by(2)
    assert (await credential.get_token(SCOPE)).token == "two"
    assert len(script.requests) == 2


async def test_keeps_a_token_for_each_scope() -> None:
    credential, script, _ = principal(granted("one"), granted("two"))
    assert (await credential.get_token(SCOPE)).token == "one"
    assert (await credential.get_token("other", enable_cae=True)).token == "two"
    assert len(script.requests) == 2


async def test_a_wrong_secret_says_what_the_authority_said() -> None:
    said = "AADSTS7000215: Invalid client secret provided."
    credential, _, _ = principal(answer(401, {"error": "invalid_client", "error_description": said}))
    with pytest.raises(CredentialError, match="AADSTS7000215") as caught:
        await credential.get_token(SCOPE)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("line", [answer(200, b"<html>"), answer(200, {}), answer(404, b"no"), granted(expires_in="x")])
async def test_an_authority_that_is_none_is_a_clear_error(line: Any) -> None:
    credential, _, _ = principal(line)
    with pytest.raises(CredentialError, match="Check the address"):
        await credential.get_token(SCOPE)


async def test_a_refused_token_is_renewed_once() -> None:
    credential, _, _ = principal(granted("one"), granted("two"))
    transport = FakeTransport(fault(401, "ExpiredAuthenticationToken"), answer(200, group()))
    aci = ContainerInstanceManagementClient(credential, SUBSCRIPTION, BASE, transport=transport)
    clocked(aci)
    await aci.container_groups.get("rg", "web")
    assert [one.headers["authorization"] for one in transport.requests] == ["Bearer one", "Bearer two"]


async def test_a_new_token_that_is_refused_too_is_an_error() -> None:
    credential, _, _ = principal(granted("one"), granted("two"))
    transport = FakeTransport(*[fault(401, "InvalidAuthenticationToken")] * 2)
    aci = ContainerInstanceManagementClient(credential, SUBSCRIPTION, BASE, transport=transport)
    with pytest.raises(AuthenticationFailed):
        await aci.container_groups.get("rg", "web")


async def test_a_token_that_can_not_be_renewed_is_not_sent_again() -> None:
    transport = FakeTransport(fault(401, "InvalidAuthenticationToken"))
    aci = ContainerInstanceManagementClient(StaticTokenCredential("t"), SUBSCRIPTION, BASE, transport=transport)
    with pytest.raises(AuthenticationFailed):
        await aci.container_groups.get("rg", "web")
    assert len(transport.requests) == 1


class Foreign:
    """Is a credential as azure-identity has them: no base class, further arguments."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    async def get_token(self, *scopes: str, claims: str | None = None, **more: Any) -> AccessToken:
        """Return a token that lives for an hour."""
        self.asked.append(scopes)
        return AccessToken("foreign", 1000 + 3600)


async def test_any_object_with_get_token_is_a_credential() -> None:
    credential, transport = Foreign(), FakeTransport(*[answer(200, group())] * 3)
    aci = ContainerInstanceManagementClient(credential, SUBSCRIPTION, BASE, transport=transport)
    clock = clocked(aci)
    await aci.container_groups.get("rg", "web")
    await aci.container_groups.get("rg", "web")
    assert credential.asked == [(SCOPE,)]
    clock.pass_by(3301)
    await aci.container_groups.get("rg", "web")
    assert transport.requests[2].headers["authorization"] == "Bearer foreign"
    assert len(credential.asked) == 2


async def test_the_scope_is_azures_own_by_default() -> None:
    credential, transport = Foreign(), FakeTransport(answer(200, group()))
    aci = ContainerInstanceManagementClient(credential, SUBSCRIPTION, transport=transport)
    clocked(aci)
    await aci.container_groups.get("rg", "web")
    assert credential.asked == [("https://management.azure.com/.default",)]
    assert transport.requests[0].url.startswith("https://management.azure.com/subscriptions/")


async def test_http_is_refused_but_on_this_machine() -> None:
    token = StaticTokenCredential("t")
    ContainerInstanceManagementClient(token, SUBSCRIPTION, "http://127.0.0.1:8080")
    with pytest.raises(ValueError, match="use https"):
        ContainerInstanceManagementClient(token, SUBSCRIPTION, "http://hythe.example")
    with pytest.raises(ValueError, match="use https"):
        ClientSecretCredential("tenant", "app", SECRET, authority="http://hythe.example")


@pytest.mark.parametrize("cls", [ContainerInstanceManagementClient, ResourceManagementClient])
async def test_a_client_of_an_auth_file(cls: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "my.azureauth"
    file.write_text(json.dumps(AUTH))
    monkeypatch.setenv("AZURE_AUTH_LOCATION", str(file))
    transport = FakeTransport(granted(), answer(404, {"error": {"code": "ResourceNotFound", "message": "no"}}))
    made = get_client_from_auth_file(cls, transport=transport)
    assert isinstance(made, cls)
    await made._session.send("HEAD", made._session.url("resourceGroups", "rg"), doing="look", allow={404})
    assert transport.asked == [
        "POST /tenant/oauth2/v2.0/token",
        f"HEAD /subscriptions/{SUBSCRIPTION}/resourceGroups/rg",
    ]
    assert parse_qs(transport.requests[0].body.decode())["scope"] == [SCOPE]


async def test_the_options_go_to_the_client(tmp_path: Path) -> None:
    file = tmp_path / "my.azureauth"
    file.write_text(json.dumps(AUTH))
    transport = FakeTransport(granted(), answer(200, group()))
    aci = get_client_from_auth_file(
        ContainerInstanceManagementClient, file, transport=transport, api_version="2021-10-01", subscription_id="other"
    )
    await aci.container_groups.get("rg", "web")
    assert "/subscriptions/other/" in transport.requests[1].url
    assert transport.requests[1].url.endswith("api-version=2021-10-01")


async def test_no_repr_has_a_secret() -> None:
    credential, script, _ = principal(granted("t0ken"))
    aci = ContainerInstanceManagementClient(credential, SUBSCRIPTION, BASE, transport=FakeTransport(answer(200, {})))
    await aci.container_groups.get("rg", "web")
    token = await credential.get_token(SCOPE)
    shown = [credential, aci, aci._session, token, StaticTokenCredential("t0ken"), *script.requests]
    for thing in shown:
        assert SECRET not in repr(thing)
        assert "t0ken" not in repr(thing)
