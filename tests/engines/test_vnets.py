"""What is done inside a sandbox that joins a virtual network, and what of a network is taken away.  No ip runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from hythe.engines.base import Joined, Uid
from hythe.engines.containerd import vnets
from hythe.engines.containerd.config import Place
from hythe.engines.containerd.vnets import VirtualNetworks

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


class Machine:
    """Pretends ip: networks with the ends of groups in them, and sandboxes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.ports: dict[str, set[str]] = {}
        self.unreadable: set[str] = set()
        self.alias: dict[int | None, str] = {}
        """By sandbox."""
        self.batches: list[str] = []
        """What was done inside the sandbox."""
        (folder / "subnet").write_text("10.208.0.0/22")
        monkeypatch.setattr(vnets, "_ip", self.ip)
        monkeypatch.setattr(vnets, "_SPACES", folder)
        monkeypatch.setattr(vnets, "entered", self.entered)
        monkeypatch.setattr(vnets, "_resolvers", list)
        self.networks = VirtualNetworks(Place(installation="0123456789ab", root=folder))

    @contextmanager
    def entered(self, sandbox: str, pid: int) -> Iterator[int]:
        yield pid

    async def ip(
        self, words: list[str], *, inside: int | None = None, stdin: str | None = None, check: bool = True
    ) -> str:
        match words:
            case ["netns", "add", space]:
                self.ports.setdefault(space, set())
                (self.folder / space).touch()
            case ["netns", "delete", space]:
                del self.ports[space]
                (self.folder / space).unlink()
            case ["-n", space, "-json", "link", "show"]:
                names = ["lo", "br0", *self.ports.get(space, ())]
                known = space in self.ports and space not in self.unreadable
                return json.dumps([{"ifname": each} for each in names]) if known else ""
            case ["-n", space, "link", "delete", port]:
                self.ports[space].discard(port)
            case ["-n", space, "link", "set", port, "master", "br0", "up"]:
                self.ports[space].add(port)
            case ["link", "show", "eth1"]:
                alias = self.alias.get(inside)
                return f"7: eth1@if2: <UP>\n    link/ether 0a:00\n    alias {alias}\n" if alias else ""
            case ["link", "delete", "eth1"]:
                del self.alias[inside]
            case ["-batch", "-"] if inside is not None:
                self.batches.append(stdin or "")
                if " alias " in (stdin or ""):
                    self.alias[inside] = (stdin or "").rpartition(" alias ")[2].strip()
        return ""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


async def test_a_network_that_has_grown_is_reached_from_the_sandbox_that_is_there(machine: Machine) -> None:
    await machine.networks.join(Uid("u"), JOINED, "sandbox", 1)
    grown = replace(JOINED, ranges=(*JOINED.ranges, "192.168.0.0/24"))
    assert machine.networks.has(Uid("u"), JOINED, "sandbox") and not machine.networks.has(Uid("u"), grown, "sandbox")
    await machine.networks.join(Uid("u"), grown, "sandbox", 1)
    await machine.networks.join(Uid("u"), grown, "sandbox", 1)

    first, second = machine.batches
    assert first.startswith("link add")
    assert "link" not in second, "what is there stays"
    assert second.splitlines()[-1] == "route replace 192.168.0.0/24 dev eth1 src 10.0.0.4"
    machine.alias[1] = "10.0.0.5"
    await machine.networks.join(Uid("u"), replace(grown, ranges=JOINED.ranges), "sandbox", 1)
    assert machine.batches[-1].startswith("link add"), "another address is another link"


@pytest.mark.parametrize("again", [False, True])
async def test_a_group_leaves_its_own_network_only(machine: Machine, again: bool) -> None:
    other = replace(JOINED, network="m" * 32)
    await machine.networks.join(Uid("u"), JOINED, "sandbox", 1)
    await machine.networks.join(Uid("v"), JOINED, "another", 2)
    await machine.networks.join(Uid("w"), other, "third", 3)
    mine, theirs = machine.ports
    machine.ports[theirs].clear()  # a group that joins it has not come yet, or what is there was not listed
    if again:  # the service has come back since
        machine.networks._joined.clear()
    await machine.networks.leave(Uid("u"))
    assert machine.ports == {mine: {"gv"}, theirs: set()}
    await machine.networks.leave(Uid("v"))
    assert machine.ports == {theirs: set()}
    await machine.networks.open()
    assert machine.ports == {}


async def test_a_network_that_can_not_be_looked_into_stays(machine: Machine) -> None:
    await machine.networks.join(Uid("u"), JOINED, "sandbox", 1)
    (space,) = machine.ports
    machine.unreadable.add(space)
    await machine.networks.open()
    await machine.networks.leave(Uid("v"))
    assert machine.ports == {space: {"gu"}}
