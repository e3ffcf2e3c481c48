"""Tests the real transport against real servers on loopback."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from hythe.client.transport import Request
from hythe.client.trust import Trust
from hythe.errors import ConnectionFailed, CredentialError

from ..script import SUBSCRIPTION
from .subject import (
    ClientSecretCredential,
    ContainerInstanceManagementClient,
    HttpTransport,
    get_client_from_auth_file,
    pytestmark,
)

__all__ = ["pytestmark"]


def get(url: str, timeout: float | None = None) -> Request:
    """Make a request."""
    return Request(method="GET", url=url, headers={"x-mark": "m"}, timeout=timeout)


async def reason(transport: HttpTransport, request: Request) -> str:
    """Send a request that must fail, and tell why it did."""
    try:
        with pytest.raises(ConnectionFailed, match="cannot ") as caught:
            await transport.send(request)
    finally:
        await transport.close()
    return caught.value.reason


async def test_carries_a_request_as_it_is(plain_server: str) -> None:
    transport = HttpTransport()
    body = b'{"a":1}'
    sent = Request(method="PUT", url=f"{plain_server}/a%2Fb?x=%24y", headers={"x-mark": "m"}, body=body)
    answer = await transport.send(sent)
    assert (answer.status, answer.body) == (200, b"PUT /a%2Fb?x=%24y m " + body)
    assert answer.headers["x-answer"] == "Yes"
    assert (await transport.send(get(f"{plain_server}/teapot"))).status == 418
    await transport.close()


async def test_can_be_used_again_after_closing(plain_server: str) -> None:
    transport = HttpTransport()
    for _ in range(2):
        assert (await transport.send(get(f"{plain_server}/"))).status == 200
        await transport.close()
    await transport.close()


async def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert await reason(HttpTransport(), get(f"http://127.0.0.1:{free.getsockname()[1]}/")) == "refused"


async def test_broken_off(plain_server: str) -> None:
    assert await reason(HttpTransport(), get(f"{plain_server}/hang-up")) == "lost"


async def test_too_slow(plain_server: str) -> None:
    assert await reason(HttpTransport(), get(f"{plain_server}/slow", timeout=0.05)) == "timeout"
    assert await reason(HttpTransport(timeout=0.05), get(f"{plain_server}/slow")) == "timeout"


async def test_no_proxy_for_this_machine(plain_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    transport = HttpTransport()
    assert (await transport.send(get(f"{plain_server}/"))).status == 200
    await transport.close()


async def test_a_proxy_for_other_hosts(plain_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", plain_server)
    transport = HttpTransport()
    answer = await transport.send(get("http://hythe.invalid/there"))
    assert answer.body.startswith(b"GET http://hythe.invalid/there")
    await transport.close()


async def test_an_unknown_authority_is_not_trusted(tls_server: str) -> None:
    assert await reason(HttpTransport(), get(f"{tls_server}/")) == "untrusted"


@pytest.mark.parametrize("way", ["ca", "loopback_ca", "verify", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
async def test_ways_to_trust(way: str, tls_server: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust = Trust()
    if way == "verify":
        trust = Trust.of(False)
    elif way == "ca":
        trust = Trust.of(certificate)
    elif way == "loopback_ca":
        trust = Trust.of(None, str(certificate))
    else:
        monkeypatch.setenv(way, str(certificate))
    transport = HttpTransport(trust=trust)
    assert (await transport.send(get(f"{tls_server}/"))).status == 200
    await transport.close()


async def test_a_certificate_file_that_is_none_says_so(tmp_path: Path, tls_server: str) -> None:
    with pytest.raises(ConnectionFailed, match="named by ca"):
        await HttpTransport(trust=Trust.of(tmp_path / "missing.pem")).send(get(f"{tls_server}/"))


async def test_the_certificate_beside_the_auth_file_is_trusted(tls_server: str, certificate: Path) -> None:
    auth = {
        "clientId": "app",
        "clientSecret": "s",
        "subscriptionId": SUBSCRIPTION,
        "tenantId": "tenant",
        "activeDirectoryEndpointUrl": tls_server,
        "resourceManagerEndpointUrl": tls_server,
    }
    file = certificate.parent / "my.azureauth"
    file.write_text(json.dumps(auth))
    async with get_client_from_auth_file(ContainerInstanceManagementClient, file) as aci:
        answer = await aci._session._transport.send(get(f"{tls_server}/hello"))
        assert answer.body.startswith(b"GET /hello")


async def test_a_credential_opens_connections_of_its_own(tls_server: str, certificate: Path) -> None:
    credential = ClientSecretCredential("tenant", "app", "s", authority=tls_server, ca=certificate)
    with pytest.raises(CredentialError, match=r"HTTP 200\) can't be read"):
        await credential.get_token("scope")
    stranger = ClientSecretCredential("tenant", "app", "s", authority=tls_server)
    with pytest.raises(ConnectionFailed) as caught:
        await stranger.get_token("scope")
    assert caught.value.reason == "untrusted"
