"""Tests credentials that come from what surrounds a program, and finding the service to talk to."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509 import load_pem_x509_certificate

from hythe.client.clouds import CHINA, PUBLIC, US_GOVERNMENT, cloud
from hythe.errors import CredentialError, HytheError, UnexpectedAnswer

from ..principals import self_signed
from ..script import BASE, SUBSCRIPTION, answer
from .subject import (
    AzureCliCredential,
    CertificateCredential,
    ContainerInstanceManagementClient,
    DefaultCredential,
    EnvironmentCredential,
    FakeTransport,
    ManagedIdentityCredential,
    StaticTokenCredential,
    connect,
    discover_cloud,
    pytestmark,
)

__all__ = ["pytestmark"]

SCOPE = "https://management.azure.com/.default"
AUTH = {
    "clientId": "app",
    "clientSecret": "s3cret",
    "subscriptionId": SUBSCRIPTION,
    "tenantId": "tenant",
    "activeDirectoryEndpointUrl": BASE,
    "resourceManagerEndpointUrl": f"{BASE}/",
}
METADATA = {
    "name": "Local",
    "resourceManager": f"{BASE}/",
    "authentication": {"loginEndpoint": f"{BASE}/adfs/", "audiences": ["https://aud/"]},
    "suffixes": {},
}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away every credential of this machine, and the az CLI."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "HYTHE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HYTHE_HOME", str(tmp_path / "nothing"))


def az(folder: Path, says: object = None, *, fails: str = "") -> None:
    """Put a program called az on the PATH that says this."""
    program = folder / "bin" / "az"
    program.parent.mkdir(exist_ok=True)
    body = f"echo '{fails}' >&2; exit 1" if fails else f"echo '{json.dumps(says)}'"
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n{body}\n')
    program.chmod(0o755)


async def test_a_managed_identity_of_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://10.92.0.3:2377/metadata/identity/oauth2/token")
    monkeypatch.setenv("IDENTITY_HEADER", "h3ader")
    transport = FakeTransport(answer(200, {"access_token": "t", "expires_on": "99999", "resource": "r"}))
    credential = ManagedIdentityCredential("one", transport=transport)
    token = await credential.get_token(SCOPE)
    assert (token.token, token.expires_on) == ("t", 99999)
    (request,) = transport.requests
    assert request.headers["x-identity-header"] == "h3ader"
    query = parse_qs(urlsplit(request.url).query)
    assert query == {
        "api-version": ["2019-08-01"], "resource": ["https://management.azure.com"], "client_id": ["one"],
    }  # fmt: skip


async def test_a_managed_identity_of_a_machine() -> None:
    transport = FakeTransport(
        answer(400, {"error": "invalid_request", "error_description": "Identity not found"}),
    )
    with pytest.raises(CredentialError, match="Identity not found"):
        await ManagedIdentityCredential(transport=transport).get_token(SCOPE)
    (request,) = transport.requests
    assert request.url.startswith("http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&")
    assert request.headers["metadata"] == "true"


async def test_the_login_of_az(tmp_path: Path) -> None:
    az(tmp_path, {"accessToken": "t", "expires_on": 2000000000, "expiresOn": "2033-05-18 03:33:20.000000"})
    credential = AzureCliCredential()
    assert (await credential.get_token(SCOPE)).token == "t"
    assert (await credential.get_token(SCOPE)).expires_on == 2000000000
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == [f"account get-access-token --output json --scope {SCOPE}"]


async def test_without_a_login_of_az(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="not installed"):
        await AzureCliCredential().get_token(SCOPE)
    az(tmp_path, fails="ERROR: Please run az login to setup account.")
    with pytest.raises(CredentialError, match="Please run az login"):
        await AzureCliCredential().get_token(SCOPE)
    az(tmp_path, ["nonsense"])
    with pytest.raises(CredentialError, match="no token"):
        await AzureCliCredential().get_token(SCOPE)


async def test_a_certificate_proves_its_key(tmp_path: Path) -> None:
    key, pem = self_signed()
    (tmp_path / "app.pem").write_bytes(pem)
    transport = FakeTransport(answer(200, {"access_token": "t", "expires_in": 3600}))
    credential = CertificateCredential("tenant", "app", tmp_path / "app.pem", authority=BASE, transport=transport)
    assert (await credential.get_token(SCOPE)).token == "t"
    form = parse_qs(transport.requests[0].body.decode())
    assert "client_secret" not in form
    header, claims, signature = form["client_assertion"][0].split(".")

    def decoded(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    key.public_key().verify(decoded(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    said = json.loads(decoded(claims))
    assert (said["iss"], said["sub"], said["aud"]) == ("app", "app", f"{BASE}/tenant/oauth2/v2.0/token")
    thumb = load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERT") :]).fingerprint(hashes.SHA1())  # noqa: S303
    assert decoded(json.loads(decoded(header))["x5t"]) == thumb
    assert "PRIVATE" not in repr(credential)


async def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="No such file"):
        CertificateCredential("t", "c", tmp_path / "no.pem")
    with pytest.raises(CredentialError, match="either"):
        CertificateCredential("t", "c")
    for wrong in (b"nonsense", self_signed()[1].partition(b"-----BEGIN CERT")[0]):
        with pytest.raises(CredentialError, match="cannot use the certificate"):
            CertificateCredential("t", "c", certificate_data=wrong)


async def test_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match="AZURE_TENANT_ID"):
        EnvironmentCredential()
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant")
    monkeypatch.setenv("AZURE_CLIENT_ID", "app")
    with pytest.raises(CredentialError, match="AZURE_CLIENT_SECRET"):
        EnvironmentCredential()
    (tmp_path / "app.pem").write_bytes(self_signed()[1])
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(tmp_path / "app.pem"))
    assert "CertificateCredential" in repr(EnvironmentCredential())
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cret")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", BASE)
    transport = FakeTransport(*[answer(200, {"access_token": "t", "expires_in": 3600})] * 2)
    credential = EnvironmentCredential(transport=transport)
    assert (await credential.get_token(SCOPE)).token == "t"
    credential.invalidate("t")
    assert (await credential.get_token(SCOPE)).token == "t"
    assert [request.url for request in transport.requests] == [f"{BASE}/tenant/oauth2/v2.0/token"] * 2
    await credential.close()


async def test_the_first_that_gives_a_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/")  # the port of nobody
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    credential = DefaultCredential()
    with pytest.raises(CredentialError) as caught:
        await credential.get_token(SCOPE)
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert ["AZURE_TENANT_ID" in lines[1], "AZURE_AUTH_LOCATION" in lines[2]] == [True, True]
    assert ["managed identity" in lines[3], "az" in lines[4]] == [True, True]
    az(tmp_path, {"accessToken": "t", "expires_on": 2000000000})
    assert (await credential.get_token(SCOPE)).token == "t"
    assert credential.chosen == "AzureCliCredential"
    assert (await credential.get_token(SCOPE)).token == "t"
    assert "AzureCliCredential" in repr(credential)
    az(tmp_path, {"accessToken": "newer", "expires_on": 2000000000})
    assert (await credential.get_token(SCOPE)).token == "t"
    credential.invalidate("t")  # what was refused is asked for anew
    assert (await credential.get_token(SCOPE)).token == "newer"
    await credential.close()
    assert credential.chosen is None


@contextlib.contextmanager
def identities() -> Iterator[tuple[str, list[str]]]:
    """Serve tokens of managed identities; gives the address and the queries that came."""
    queries: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            queries.append(urlsplit(self.path).query)
            body = json.dumps({"access_token": "t", "expires_on": "2000000000"}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/token", queries
        server.shutdown()


async def test_a_client_id_without_a_secret_names_a_managed_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", "mine")
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUBSCRIPTION)
    monkeypatch.setenv("IDENTITY_HEADER", "h3ader")
    with identities() as (url, queries):
        monkeypatch.setenv("IDENTITY_ENDPOINT", url)
        credential = (await connect("azure"))._session._credential
        assert isinstance(credential, DefaultCredential)
        assert (await credential.get_token(SCOPE)).token == "t"
        assert credential.chosen == "ManagedIdentityCredential"
        await credential.close()
    assert [parse_qs(query)["client_id"] for query in queries] == [["mine"]]
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cret")
    assert isinstance((await connect("azure"))._session._credential, EnvironmentCredential)


def target(client: ContainerInstanceManagementClient) -> tuple[str, str]:
    return client._session.base_url, client._session.subscription_id


async def test_connects_by_the_auth_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "x.azureauth"
    path.write_text(json.dumps(AUTH))
    found = await connect(path)
    assert target(found) == (BASE, SUBSCRIPTION)
    assert str(path) in found.connected_to
    monkeypatch.setenv("AZURE_AUTH_LOCATION", str(path))
    assert target(await connect(subscription_id="other")) == (BASE, "other")


def service(folder: Path, pid: int) -> None:
    folder.mkdir()
    (folder / "my.azureauth").write_text(json.dumps(AUTH))
    facts = {"url": BASE, "pid": pid, "tenant": "t", "subscription": SUBSCRIPTION, "installation": "i", "engine": "sim"}
    (folder / "service.json").write_text(json.dumps(facts))


async def test_connects_to_the_service_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    service(tmp_path / "data", os.getpid())
    found = await connect(data_dir=tmp_path / "data")
    assert target(found) == (BASE, SUBSCRIPTION)
    assert found.connected_to.startswith(f"Hythe on this machine at {BASE}")
    monkeypatch.setenv("HYTHE_HOME", str(tmp_path / "data"))
    assert target(await connect()) == target(await connect("local")) == (BASE, SUBSCRIPTION)


async def test_a_service_that_is_gone_is_not_connected_to(tmp_path: Path) -> None:
    service(tmp_path / "data", 2**22 + 1)
    with pytest.raises(HytheError, match="is gone"):
        await connect(data_dir=tmp_path / "data")
    with pytest.raises(HytheError, match="hythe up"):
        await connect("local")


async def test_connects_to_azure_by_the_login_of_az(tmp_path: Path) -> None:
    az(tmp_path, {"id": SUBSCRIPTION, "name": "Mine", "tenantId": "t", "environmentName": "AzureUSGovernment"})
    found = await connect()
    assert target(found) == (US_GOVERNMENT.resource_manager, SUBSCRIPTION)
    assert "AzureUSGovernment" in found.connected_to and "(Mine)" in found.connected_to


async def test_connects_to_azure_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TENANT_ID": "t", "CLIENT_ID": "c", "CLIENT_SECRET": "s", "SUBSCRIPTION_ID": "sub"}.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    assert target(await connect()) == (PUBLIC.resource_manager, "sub")
    found = await connect("china")
    assert target(found) == (CHINA.resource_manager, "sub")
    assert found._session._scopes == ("https://management.chinacloudapi.cn/.default",)
    assert CHINA.authority in found._session._credential._credential._url  # type: ignore[union-attr]
    assert target(await connect(US_GOVERNMENT)) == (US_GOVERNMENT.resource_manager, "sub")


async def test_nothing_to_connect_to_says_what_was_looked_for() -> None:
    with pytest.raises(CredentialError, match="neither") as caught:
        await connect()
    assert len(str(caught.value).splitlines()) == 3
    with pytest.raises(ValueError, match="cannot use the cloud 'nowhere'"):
        await connect("nowhere")


@pytest.mark.parametrize("listed", [False, True])
async def test_connects_to_an_address_by_its_metadata(listed: bool) -> None:
    transport = FakeTransport(answer(200, [METADATA] if listed else METADATA), answer(200, {"value": []}))
    found = await connect(BASE, subscription_id="sub", transport=transport, credential=StaticTokenCredential("t"))
    assert target(found) == (BASE, "sub")
    assert found._session._scopes == ("https://aud/.default",)
    assert [one async for one in found.container_groups.list()] == []


async def test_what_is_no_cloud_is_a_clear_error() -> None:
    for body in ({}, [], {"authentication": {"loginEndpoint": "x", "audiences": []}}):
        with pytest.raises(UnexpectedAnswer, match="read the metadata"):
            await discover_cloud(BASE, transport=FakeTransport(answer(200, body)))
    with pytest.raises(ValueError, match="use https"):
        await discover_cloud("http://example.com")


async def test_clouds_by_any_of_their_names() -> None:
    class Member:
        value = "AzureChinaCloud"
        name = "AZURE_CHINA_CLOUD"

    assert cloud(Member()) is cloud("China") is CHINA
    made = ContainerInstanceManagementClient(StaticTokenCredential("t"), "s", cloud_setting=Member())
    assert made._session.base_url == CHINA.resource_manager
    assert made._session._scopes == CHINA.scopes
