"""Tests `hythe sp` and the owner's other commands against a service."""

from __future__ import annotations

import json
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import pytest

from hythe import ResourceManagementClient, errors, get_client_from_auth_file
from hythe.client.local import admin, read_local

from .conftest import Service, sentence

TEN = {
    "clientId", "clientSecret", "subscriptionId", "tenantId", "activeDirectoryEndpointUrl",
    "resourceManagerEndpointUrl", "activeDirectoryGraphResourceId", "sqlManagementEndpointUrl", "galleryEndpointUrl",
    "managementEndpointUrl",
}  # fmt: skip


def create(service: Service, *options: str) -> dict[str, str]:
    done = service("sp", "create", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_env_tells_what_the_auth_file_and_the_service_say(service: Service) -> None:
    facts, auth = service.facts, json.loads(service.auth_file.read_text())
    url = f"https://localhost:{service.port}"
    assert (facts["url"], facts["authority"], facts["HYTHE_URL"]) == (url, url, url)
    names = {"tenant": "tenantId", "subscription": "subscriptionId", "client_id": "clientId",
             "client_secret": "clientSecret"}  # fmt: skip
    assert {name: facts[name] for name in names} == {name: auth[other] for name, other in names.items()}
    assert (facts["ca"], facts["auth_file"]) == (str(service.data_dir / "ca.pem"), str(service.auth_file))
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        ssl.create_default_context(cafile=facts[name])


# --- sp create ---


def test_an_auth_file_has_all_ten_members_and_signs_in(service: Service, tmp_path: Path) -> None:
    made = create(service, "--sdk-auth")
    assert made.keys() == TEN
    assert made["resourceManagerEndpointUrl"] == f"https://localhost:{service.port}/"
    assert (made["tenantId"], made["subscriptionId"]) == (service.facts["tenant"], service.facts["subscription"])
    (tmp_path / "my.azureauth").write_text(json.dumps(made))
    shutil.copy(service.data_dir / "ca.pem", tmp_path)
    with get_client_from_auth_file(ResourceManagementClient, tmp_path / "my.azureauth") as client:
        client.resource_groups.create_or_update("of-a-worker", {"location": "eastus"})
        assert "of-a-worker" in [each.name for each in client.resource_groups.list()]


def test_a_wrong_secret_does_not_sign_in(service: Service, tmp_path: Path) -> None:
    made = create(service, "--sdk-auth") | {"clientSecret": "wrong"}
    (tmp_path / "my.azureauth").write_text(json.dumps(made))
    shutil.copy(service.data_dir / "ca.pem", tmp_path)
    with (
        get_client_from_auth_file(ResourceManagementClient, tmp_path / "my.azureauth") as client,
        pytest.raises(errors.CredentialError, match="AADSTS7000215"),
    ):
        client.resource_groups.check_existence("rg")


def test_without_sdk_auth_it_prints_what_az_prints(service: Service) -> None:
    made = create(service, "--name", 'worker "é"')
    assert made.keys() == {"appId", "displayName", "password", "tenant"}
    assert (made["displayName"], made["tenant"]) == ('worker "é"', service.facts["tenant"])
    assert made["appId"] != create(service)["appId"]


def test_a_subscription_that_is_not_there_is_refused(service: Service) -> None:
    known = service.facts["subscription"]
    assert create(service, "--sdk-auth", "--subscription", known)["subscriptionId"] == known
    said = sentence(service("sp", "create", "--subscription", "11111111-2222-3333-4444-555555555555"), code=3)
    assert said.startswith("cannot make a service principal: ")
    assert "11111111-2222-3333-4444-555555555555" in said


def test_a_role_and_its_scopes_decide_what_it_may(service: Service) -> None:
    scope = f"/subscriptions/{service.facts['subscription']}/resourceGroups/limited"
    for options, allowed, elsewhere in (
        (("--role", "Reader", "--scopes", scope), "GET", 403),
        (("--role", "contributor"), "PUT", 404),
        (("--role", ""), "", 403),
    ):
        made = create(service, *options)
        form = {"grant_type": "client_credentials", "client_id": made["appId"], "client_secret": made["password"]}
        token = ask(service, "/common/oauth2/v2.0/token", form=form)[1]["access_token"]
        version = "api-version=2021-04-01"
        # it is not there, but may be seen
        assert (ask(service, f"{scope}?{version}", token)[0] == 404) == (allowed != "")
        assert ask(service, f"{scope}er?{version}", token)[0] == elsewhere
    said = sentence(service("sp", "create", "--role", "King"))
    assert "There is no role 'King'" in said
    assert create(service, "--role", "Owner", "--scopes", "/")["appId"]
    assert "is no scope" in sentence(service("sp", "create", "--scopes", "rg"))


def test_subscriptions_come_and_go(service: Service) -> None:
    made = service("subscription", "create", "Team A")
    assert made.returncode == 0, made.stderr
    name = made.stdout.strip()
    listed = json.loads(service("subscription", "ls").stdout)
    assert {"subscriptionId": name, "displayName": "Team A"} in listed
    assert f"{name}  Team A" in service("subscription", "ls", "-o", "table").stdout.splitlines()
    assert create(service, "--sdk-auth", "--subscription", name)["subscriptionId"] == name
    assert service("subscription", "rm", name).returncode == 0
    assert name not in service("subscription", "ls").stdout
    assert "could not be found" in sentence(service("subscription", "rm", name), code=3)
    assert "auth files name it" in sentence(service("subscription", "rm", service.facts["subscription"]))


def test_an_owner_who_is_not_known_any_more_makes_nobody(service: Service, tmp_path: Path) -> None:
    for name in ("ca.pem", "service.json"):
        shutil.copy(service.data_dir / name, tmp_path)
    auth = json.loads(service.auth_file.read_text())
    (tmp_path / "my.azureauth").write_text(json.dumps(auth | {"clientSecret": "hush-hush"}))
    said = sentence(service("sp", "create", "--data-dir", str(tmp_path)), code=4)
    assert said.startswith("cannot sign in with the auth file of the service: AADSTS")
    assert "hush-hush" not in said


def test_who_is_not_the_owner_may_not_do_what_the_owner_may(service: Service, tmp_path: Path) -> None:
    (tmp_path / "my.azureauth").write_text(json.dumps(create(service, "--sdk-auth")))
    for name in ("ca.pem", "service.json"):
        shutil.copy(service.data_dir / name, tmp_path)
    for method, path in (
        ("POST", "/hythe/service-principals"),
        ("POST", "/hythe/intercept"),
        ("GET", "/hythe/images"),
    ):
        with pytest.raises(errors.ServiceError) as refusal:
            admin(read_local(tmp_path), tmp_path, method, path)
        assert (refusal.value.status, refusal.value.code) == (403, "AuthorizationFailed")


# --- tokens, over the wire ---


def ask(service: Service, path: str, token: str | None = None, form: dict[str, str] | None = None) -> tuple[int, dict]:
    """Ask the service over TLS and give status and JSON."""
    request = urllib.request.Request(f"https://localhost:{service.port}{path}")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    if form is not None:
        request.data = urlencode(form).encode()
    context = ssl.create_default_context(cafile=str(service.data_dir / "ca.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal) | {"challenge": refusal.headers.get("WWW-Authenticate")}


def test_the_api_takes_tokens_of_its_own_authority_only(service: Service) -> None:
    facts = service.facts
    path = f"/subscriptions/{facts['subscription']}/resourcegroups?api-version=2021-04-01"
    form = {"grant_type": "client_credentials", "client_id": facts["client_id"]}
    status, said = ask(service, f"/{facts['tenant']}/oauth2/v2.0/token", form=form | {"client_secret": "wrong"})
    assert (status, said["error_codes"]) == (401, [7000215])
    _, said = ask(service, "/common/oauth2/token", form=form | {"client_secret": facts["client_secret"]})
    token = said["access_token"]
    assert ask(service, path, token)[0] == 200
    changed = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    for wrong, code in (
        (None, "AuthenticationFailed"),
        (changed, "InvalidAuthenticationToken"),
        ("x", "InvalidAuthenticationToken"),
    ):
        status, said = ask(service, path, wrong)
        assert (status, said["error"]["code"]) == (401, code)
        assert f"https://localhost:{service.port}/" in said["challenge"]


def test_no_secret_gets_into_the_log(service: Service) -> None:
    made = create(service, "--sdk-auth")
    ask(service, "/common/oauth2/token", form={"grant_type": "client_credentials", "client_id": made["clientId"],
                                              "client_secret": "the-wrong-secret"})  # fmt: skip
    log = (service.data_dir / "service.log").read_text()
    assert "AADSTS7000215" in log
    for hidden in (made["clientSecret"], service.facts["client_secret"], "the-wrong-secret", "BEGIN PRIVATE"):
        assert hidden not in log
    everything = b"".join(path.read_bytes() for path in service.data_dir.rglob("*") if path.is_file())
    assert b"the-wrong-secret" not in everything and made["clientSecret"].encode() not in everything
