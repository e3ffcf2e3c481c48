"""What is done inside a sandbox that joins a virtual network."""

from __future__ import annotations

import pytest

from hythe.engines.base import Joined, Uid
from hythe.engines.containerd import vnets

JOINED = Joined(network="n" * 32, address="10.0.0.4", ranges=("10.0.0.0/16", "172.16.0.0/24"))


def inner(monkeypatch: pytest.MonkeyPatch, resolvers: list[str]) -> list[str]:
    monkeypatch.setattr(vnets, "_resolvers", lambda: resolvers)
    return vnets._inner(JOINED, "space", "gport", "10.208.0.1").splitlines()


def test_the_network_is_reached_by_the_second_link_and_the_sign_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = inner(monkeypatch, ["192.0.2.53"])

    assert lines[0] == "link add name eth1 type veth peer name gport netns space"
    assert "address replace 10.0.0.4/32 dev eth1" in lines
    assert [line for line in lines if line.startswith("route")] == [
        "route replace 10.0.0.0/16 dev eth1 src 10.0.0.4",
        "route replace 172.16.0.0/24 dev eth1 src 10.0.0.4",
    ]
    assert lines[-1] == "link set eth1 alias 10.0.0.4"


def test_a_name_server_in_the_range_is_still_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = inner(monkeypatch, ["10.0.0.2", "192.0.2.53"])

    assert [line for line in lines if "via" in line] == ["route replace 10.0.0.2 via 10.208.0.1 dev eth0"]


def test_names_of_devices_are_short_enough() -> None:
    assert len(vnets._port(Uid("f" * 32))) == 15
