"""Registries on this machine are not asked, whatever they are called; and what a failed pull is called."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess

import pytest

from hythe.engines.base import Refused
from hythe.engines.containerd.registries import host_and_port, refuse_near, why


@pytest.mark.parametrize(
    "server",
    [
        "localhost", "localhost:5000", "127.0.0.1:5000", "127.9.8.7", "127.1", "2130706433:80", "0.0.0.0:5000",
        "[::1]:5000", "[::ffff:127.0.0.1]:5000", "169.254.169.254", "[fe80::1%lo]:5000", "[::]",
        "10.208.0.6:5000", "[::ffff:10.215.255.254]:80",
    ],
)  # fmt: skip
async def test_registries_near_are_refused(server: str) -> None:
    with pytest.raises(Refused, match="on this machine") as refused:
        await refuse_near(f"{server}/x:1", server, ())

    assert "local_registries" in str(refused.value)
    assert why(f"{server}/x:1", refused.value)[0] == "InaccessibleImage"


async def test_addresses_of_the_machine_itself_are_near() -> None:
    links = json.loads(subprocess.run(["ip", "-json", "addr"], capture_output=True, check=True).stdout)
    own = [each["local"] for link in links for each in link["addr_info"] if not each.get("deprecated")]

    assert "127.0.0.1" in own
    for address in own:
        server = f"[{address}]:5000" if ":" in address else f"{address}:5000"
        with pytest.raises(Refused, match="on this machine"):
            await refuse_near(f"{server}/x", server, ())
        await refuse_near(f"{server}/x", server, [server])


async def test_a_name_that_leads_to_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def leads(host: str, port: int, **_: object) -> object:
        assert host == "innocent.example"
        near = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("203.0.113.7", "127.0.0.1")]
        return asyncio.sleep(0, near)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", leads, raising=False)
    with pytest.raises(Refused, match=r"innocent\.example"):
        await refuse_near("innocent.example/x", "innocent.example", ())


@pytest.mark.parametrize(
    ("server", "allowed"),
    [
        ("127.0.0.1:5000", ["127.0.0.1"]),
        ("127.0.0.1:5000", ["127.0.0.1:5000"]),
        ("[::1]:5000", ["::1"]),
        ("203.0.113.7:5000", []),
    ],
)
async def test_what_is_allowed_or_elsewhere_is_asked(server: str, allowed: list[str]) -> None:
    await refuse_near(f"{server}/x", server, allowed)


async def test_another_port_is_another_registry() -> None:
    with pytest.raises(Refused):
        await refuse_near("127.0.0.1:22/x", "127.0.0.1:22", ["127.0.0.1:5000"])


@pytest.mark.parametrize("server", ["host:port", "[::1", ":5000", "host:99999"])
def test_what_names_no_host(server: str) -> None:
    with pytest.raises(ValueError):
        host_and_port(server)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("failed to resolve: unexpected status code [manifests 1]: 503 Service Unavailable", "RegistryErrorResponse"),
        (
            "pulling from host r failed with status code [manifests 1]: 503 Service Unavailable",
            "RegistryErrorResponse",
        ),
        ("unexpected status from HEAD request to https://r/v2/x: 429 Too Many Requests", "RegistryErrorResponse"),
        ("failed to unpack image: no match for platform in manifest: not found", "OsVersionNotSupported"),
        ("pull access denied, repository does not exist", "InaccessibleImage"),
        ("unexpected status from HEAD request to https://r/v2/x500: 403 Forbidden", "InaccessibleImage"),
    ],
)
def test_what_a_failed_pull_is_called(said: str, code: str) -> None:
    assert why("docker.io/library/x:1", Refused("ErrImagePull", said))[0] == code
