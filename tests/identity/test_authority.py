"""Tests what clients ask of login.microsoftonline.com: documents, discovery, keys, tokens and refusals."""

from __future__ import annotations

import base64
import json
import logging
import uuid
from typing import Any
from urllib.parse import quote

import httpx2
import jwt
import pytest

from hythe.service.identity.authority import owns
from hythe.service.identity.issuer import LIFE

from .conftest import NAME, TENANT, URL, Desk

V1 = f"/{TENANT}/oauth2/token"
V2 = f"/{TENANT}/oauth2/v2.0/token"
Form = dict[str, str]


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def refusal(answer: httpx2.Response, status: int, error: str, number: int) -> str:
    """Check the form of a refusal and give its sentence."""
    said = answer.json()
    assert (answer.status_code, said["error"], said["error_codes"]) == (status, error, [number])
    start, ids = f"AADSTS{number}: ", f" Trace ID: {said['trace_id']} Correlation ID: {said['correlation_id']} "
    description = said["error_description"]
    assert description.startswith(start)
    assert description.endswith(f"{ids}Timestamp: {said['timestamp']}")
    assert answer.headers["client-request-id"] == said["correlation_id"] == str(uuid.UUID(said["correlation_id"]))
    return description.removeprefix(start).partition(ids)[0]


# --- tokens ---


async def test_the_v2_endpoint_gives_a_token_for_a_scope(
    authority: httpx2.AsyncClient, form: Form, lasting: Desk
) -> None:
    answer = await authority.post(V2, data=form | {"scope": "https://management.azure.com/.default"})
    said = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert said.keys() == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert (said["token_type"], said["expires_in"], said["ext_expires_in"]) == ("Bearer", LIFE - 1, LIFE - 1)
    caller = lasting.identity.verify(said["access_token"])
    assert (caller.app_id, caller.tenant) == (form["client_id"], TENANT)
    found = claims(said["access_token"])
    assert found["aud"] == "https://management.azure.com"
    assert (found["iss"], found["ver"], found["tid"]) == (f"{URL}/{TENANT}/v2.0", "2.0", TENANT)
    assert (found["appid"], found["oid"]) == (caller.app_id, caller.object_id)
    assert found["exp"] - found["iat"] == LIFE


async def test_the_v1_endpoint_gives_a_token_for_a_resource_and_writes_numbers_as_text(
    authority: httpx2.AsyncClient, form: Form, lasting: Desk
) -> None:
    resource = "https://management.core.windows.net/"
    said = (await authority.post(V1, data=form | {"resource": resource})).json()
    assert (said["token_type"], said["resource"], said["expires_in"]) == ("Bearer", resource, str(LIFE - 1))
    assert all(isinstance(value, str) for value in said.values())
    found = claims(said["access_token"])
    assert (said["expires_on"], said["not_before"]) == (str(found["exp"]), str(found["nbf"]))
    assert (found["aud"], found["iss"], found["ver"]) == (resource, f"{URL}/{TENANT}/", "1.0")
    assert lasting.identity.verify(said["access_token"]).app_id == form["client_id"]


async def test_ad_fs_gives_a_token_too(authority: httpx2.AsyncClient, form: Form, lasting: Desk) -> None:
    said = (await authority.post("/adfs/oauth2/token", data=form)).json()
    assert said["expires_in"] == LIFE - 1
    assert lasting.identity.verify(said["access_token"]).tenant == TENANT
    assert claims(said["access_token"])["aud"] == URL, "the service itself, if nothing is asked for"


async def test_who_names_another_tenant_gets_a_token_of_the_only_one_there_is(
    authority: httpx2.AsyncClient, form: Form, lasting: Desk
) -> None:
    for tenant in ("common", "organizations", "contoso.onmicrosoft.com", str(uuid.uuid4())):
        token = (await authority.post(f"/{tenant}/oauth2/v2.0/token", data=form)).json()["access_token"]
        assert (claims(token)["tid"], claims(token)["iss"]) == (TENANT, f"{URL}/{TENANT}/v2.0")
        assert lasting.identity.verify(token).tenant == TENANT


async def test_credentials_may_come_in_the_authorization_header(
    authority: httpx2.AsyncClient, form: Form, lasting: Desk
) -> None:
    halves = quote(form["client_id"], safe="").replace("-", "%2D"), quote(form["client_secret"], safe="")
    header = f"Basic {base64.b64encode(':'.join(halves).encode()).decode()}"
    answer = await authority.post(V2, data={"grant_type": "client_credentials"}, headers={"Authorization": header})
    assert lasting.identity.verify(answer.json()["access_token"]).app_id == form["client_id"]


async def test_the_case_of_a_client_id_does_not_matter(
    authority: httpx2.AsyncClient, form: Form, lasting: Desk
) -> None:
    said = (await authority.post(V2, data=form | {"client_id": form["client_id"].upper()})).json()
    assert lasting.identity.verify(said["access_token"]).app_id == form["client_id"]


# --- refusals ---


@pytest.mark.parametrize("path", [V1, V2, "/adfs/oauth2/token"])
async def test_a_wrong_secret_is_refused_as_azure_does(authority: httpx2.AsyncClient, form: Form, path: str) -> None:
    answer = await authority.post(path, data=form | {"client_secret": form["client_secret"][:-1] + "-"})
    assert refusal(answer, 401, "invalid_client", 7000215) == "Invalid client secret provided."


async def test_a_wrong_secret_is_refused_after_the_right_one_was_used(
    authority: httpx2.AsyncClient, form: Form
) -> None:
    for secret, status in ((form["client_secret"], 200), ("wrong", 401), (form["client_secret"], 200), ("wrong", 401)):
        assert (await authority.post(V2, data=form | {"client_secret": secret})).status_code == status


async def test_an_unknown_client_is_named_and_told_what_to_do(authority: httpx2.AsyncClient, form: Form) -> None:
    stranger = str(uuid.uuid4())
    answer = await authority.post(V2, data=form | {"client_id": stranger})
    sentence = refusal(answer, 400, "unauthorized_client", 700016)
    assert sentence.startswith(f"Application with identifier '{stranger}' was not found in the directory '{TENANT}'.")
    assert sentence.endswith("`hythe sp create --sdk-auth` makes one.")


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "Client_Credentials"])
async def test_other_grants_are_refused(authority: httpx2.AsyncClient, form: Form, grant: str) -> None:
    answer = await authority.post(V2, data=form | {"grant_type": grant, "username": "me", "password": "hush"})
    sentence = refusal(answer, 400, "unsupported_grant_type", 70003)
    assert f"'{grant}'" in sentence
    assert "hush" not in answer.text


@pytest.mark.parametrize("lacking", ["grant_type", "client_id"])
async def test_a_lacking_parameter_is_named(authority: httpx2.AsyncClient, form: Form, lacking: str) -> None:
    del form[lacking]
    sentence = refusal(await authority.post(V2, data=form), 400, "invalid_request", 900144)
    assert sentence == f"The request body must contain the following parameter: '{lacking}'."


async def test_a_lacking_secret_is_not_an_unknown_client(authority: httpx2.AsyncClient, form: Form) -> None:
    assert "'client_secret'" in refusal(
        await authority.post(V2, data=form | {"client_secret": ""}), 401, "invalid_client", 7000218
    )


@pytest.mark.parametrize(
    ("body", "status", "number"),
    [
        (b"", 400, 900144),
        (b'{"grant_type": "client_credentials"}', 400, 900144),
        ("grant_type=é".encode(), 400, 9000411),
        (b"\xff\x00", 400, 9000411),
        (b"&".join(b"a=1" for _ in range(200)), 400, 9000411),
        (b"grant_type=" + b"x" * (65 << 10), 413, 90015),
    ],
)
async def test_a_body_that_is_no_form_is_a_bad_request(
    authority: httpx2.AsyncClient, body: bytes, status: int, number: int
) -> None:
    refusal(await authority.post(V2, content=body), status, "invalid_request", number)


@pytest.mark.parametrize("header", ["Basic ****", "Basic " + base64.b64encode(b"\xff:\xff").decode()])
async def test_a_damaged_authorization_header_is_a_bad_request(authority: httpx2.AsyncClient, header: str) -> None:
    answer = await authority.post(V2, data={"grant_type": "client_credentials"}, headers={"Authorization": header})
    refusal(answer, 400, "invalid_request", 9000411)


async def test_tokens_are_not_had_by_get(authority: httpx2.AsyncClient) -> None:
    assert (await authority.get(V2)).status_code == 405


async def test_the_callers_request_id_comes_back_if_it_is_one(authority: httpx2.AsyncClient, form: Form) -> None:
    given = str(uuid.uuid4())
    for headers, path in (({"client-request-id": given}, V2), ({}, f"{V2}?client-request-id={given}")):
        for sent in (form, form | {"client_secret": "wrong"}):
            answer = await authority.post(path, data=sent, headers=headers)
            assert answer.headers["client-request-id"] == given
    answer = await authority.post(V2, data=form, headers={"client-request-id": "x y"})
    assert str(uuid.UUID(answer.headers["client-request-id"])) != given


async def test_what_is_echoed_is_cut_short(authority: httpx2.AsyncClient, form: Form) -> None:
    long = "x" * 5000
    for changed in ({"client_id": long}, {"grant_type": long}):
        assert len((await authority.post(f"/{long}/oauth2/token", data=form | changed)).content) < 1500


async def test_no_secret_is_logged(authority: httpx2.AsyncClient, form: Form, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        token = (await authority.post(V2, data=form)).json()["access_token"]
        await authority.post(V2, data=form | {"client_secret": "not-the-right-one"})
        await authority.post(V2, data=form | {"grant_type": "password"})
    assert "AADSTS7000215" in caplog.text
    for hidden in (form["client_secret"], "not-the-right-one", token):
        assert hidden not in caplog.text


# --- documents ---


@pytest.mark.parametrize(
    ("path", "issuer", "token"),
    [
        (f"/{TENANT}/v2.0", f"/{TENANT}/v2.0", V2),
        (f"/{TENANT}", f"/{TENANT}/", V1),
        ("/common/v2.0", "/common/v2.0", "/common/oauth2/v2.0/token"),
        ("/adfs", "/adfs", "/adfs/oauth2/token"),
    ],
)
@pytest.mark.parametrize("host", ["localhost:8443", "login.microsoftonline.com", "[::1]:8443"])
async def test_the_openid_document_names_addresses_at_the_host_that_was_asked(
    authority: httpx2.AsyncClient, form: Form, path: str, issuer: str, token: str, host: str
) -> None:
    answer = await authority.get(f"{path}/.well-known/openid-configuration", headers={"Host": host})
    said = answer.json()
    base = f"https://{host}"
    assert (said["issuer"], said["token_endpoint"]) == (base + issuer, base + token)
    assert said["authorization_endpoint"].startswith(f"{base}/")
    assert (await authority.get(said["jwks_uri"].removeprefix(base))).json()["keys"]
    assert (await authority.post(said["token_endpoint"].removeprefix(base), data=form)).status_code == 200


async def test_the_key_document_is_enough_to_check_a_token(authority: httpx2.AsyncClient, form: Form) -> None:
    token = (await authority.post(V2, data=form)).json()["access_token"]
    for path in (f"/{TENANT}/discovery/v2.0/keys", f"/{TENANT}/discovery/keys"):
        keys = jwt.PyJWKSet.from_dict((await authority.get(path)).json())
        found = jwt.decode(token, keys[jwt.get_unverified_header(token)["kid"]], algorithms=["RS256"], audience=URL)
        assert found["appid"] == form["client_id"]


async def test_a_host_that_is_none_is_not_repeated(authority: httpx2.AsyncClient) -> None:
    answer = await authority.get(
        f"/{TENANT}/.well-known/openid-configuration", headers={"Host": 'evil.example/"><script>'}
    )
    assert answer.json()["token_endpoint"] == f"https://localhost{V1}"


async def test_a_tenant_that_is_none_is_written_as_part_of_a_path(authority: httpx2.AsyncClient) -> None:
    answer = await authority.get("/%22%3E%3Cx%3F/.well-known/openid-configuration")
    assert answer.json()["issuer"] == f"{URL}/%22%3E%3Cx%3F/"


# --- discovery ---


@pytest.mark.parametrize("host", ["localhost:8443", "aci.dsts.localhost:8443", NAME, "login.microsoftonline.com"])
async def test_discovery_knows_every_name_of_the_service(authority: httpx2.AsyncClient, host: str) -> None:
    answer = await authority.get(
        "/common/discovery/instance",
        params={"api-version": "1.1", "authorization_endpoint": f"https://{host}/{TENANT}/oauth2/v2.0/authorize"},
    )
    assert answer.status_code == 200
    said = answer.json()
    assert said["tenant_discovery_endpoint"] == f"https://{host}/{TENANT}/v2.0/.well-known/openid-configuration"
    assert said["metadata"] == [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/common/oauth2/authorize",
        "https://localhost@evil.example/common/oauth2/authorize",
        "https://localhost.evil.example/common/oauth2/authorize",
        "http://localhost:8443/common/oauth2/authorize",
        "localhost",
        "",
    ],
)
async def test_discovery_refuses_strangers(authority: httpx2.AsyncClient, endpoint: str) -> None:
    answer = await authority.get("/common/discovery/instance", params={"authorization_endpoint": endpoint})
    assert refusal(answer, 400, "invalid_instance", 50049) == "Unknown or invalid instance."


async def test_discovery_without_a_question_is_about_the_service_itself(authority: httpx2.AsyncClient) -> None:
    said = (await authority.get("/common/discovery/instance")).json()
    assert said["tenant_discovery_endpoint"] == f"{URL}/common/v2.0/.well-known/openid-configuration"


# --- paths ---


@pytest.mark.parametrize(
    "path", [f"//{TENANT}//oauth2//token", f"/{TENANT}/OAuth2/V2.0/Token/", f"/{TENANT}/oauth2/token//"]
)
async def test_case_and_number_of_slashes_do_not_matter(authority: httpx2.AsyncClient, form: Form, path: str) -> None:
    assert owns(path)
    assert (await authority.post(httpx2.URL(URL, path=path), data=form)).status_code == 200


@pytest.mark.parametrize(
    ("path", "its"),
    [
        ("/common/.well-known/openid-configuration", True),
        ("/common/v2.0/.well-known/openid-configuration", True),
        ("/common/discovery/instance", True),
        ("/common/discovery/v2.0/keys", True),
        ("/oauth2/token", False),
        ("/a/b/oauth2/token", False),
        (f"/subscriptions/{TENANT}/resourceGroups/oauth2/token", False),
        ("/common/oauth2/tokens", False),
        ("/common/oauth2/v2.0/authorize", False),
        ("/metadata/endpoints", False),
        ("/", False),
    ],
)
def test_which_paths_are_the_authoritys(path: str, its: bool) -> None:
    assert owns(path) is its


async def test_answers_are_json_and_never_kept(authority: httpx2.AsyncClient, form: Form) -> None:
    for answer in (
        await authority.post(V2, data=form),
        await authority.post(V2, data={}),
        await authority.get(f"/{TENANT}/v2.0/.well-known/openid-configuration"),
        await authority.get(f"/{TENANT}/discovery/keys"),
    ):
        json.loads(answer.content)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
