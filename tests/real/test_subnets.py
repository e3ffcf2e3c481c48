"""Groups in virtual networks: who reaches whom, which addresses stay, and that nothing of a network is left."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hythe.models import ContainerGroup, ContainerGroupSubnetId, ContainerPort, IpAddress, Port

from ..free_ports import free_port
from .conftest import Running, container, group, page, reach, reach_at_last, traces, wait_for
from .streaming import Wire

pytestmark = pytest.mark.containers
DELEGATION = {"name": "aci", "properties": {"serviceName": "Microsoft.ContainerInstance/containerGroups"}}


def network(service: Running, folder: str, name: str, *, grown: bool = False) -> str:
    """Make a network with the subnets s and t, and give its id: all have one range.  A grown one has u too."""
    ranges = {"s": "10.0.0.0/24", "t": "10.0.1.0/24"} | ({"u": "10.5.0.0/24"} if grown else {})
    subnets = [
        {"name": each, "properties": {"addressPrefix": prefix, "delegations": [DELEGATION]}}
        for each, prefix in ranges.items()
    ]
    space = ["10.0.0.0/16", *(["10.5.0.0/16"] if grown else [])]
    body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": space}, "subnets": subnets}}
    identity = (
        f"/subscriptions/{service.facts['subscription']}/resourceGroups/{folder}"
        f"/providers/Microsoft.Network/virtualNetworks/{name}"
    )
    wire = Wire(service.facts)
    headers = {"Authorization": f"Bearer {wire.token}", "Content-Type": "application/json"}
    answer = wire.send("PUT", f"{identity}?api-version=2022-01-01", json.dumps(body), headers)
    assert answer.status == (200 if grown else 201), answer.read()
    answer.connection.close()  # type: ignore[attr-defined]
    return identity


def inside(subnet: str, **options: Any) -> ContainerGroup:
    """Define a group that serves a page in a subnet."""
    return group(
        container(ports=[ContainerPort(port=80)]),
        ip_address=IpAddress(type="Private", ports=[Port(port=80)]),
        subnet_ids=[ContainerGroupSubnetId(id=subnet)],
        **options,
    )


def put(service: Running, folder: str, name: str, wanted: ContainerGroup) -> str:
    made = service.aci.container_groups.begin_create_or_update(folder, name, wanted).result()
    assert made.ip_address is not None and made.ip_address.type == "Private"
    return str(made.ip_address.ip)


def spaces(service: Running) -> list[Path]:
    return [*Path("/run/netns").glob(f"hythe-{service.installation}-*")]


def test_groups_of_a_network_reach_each_other_and_others_do_not(real: Running) -> None:
    folder = real.folder("subnets")
    v, w = network(real, folder, "v"), network(real, folder, "w")
    port = free_port()
    first = put(real, folder, "a", inside(f"{v}/subnets/s", tags={"hythe.publish": f"{port}:80"}))
    second = put(real, folder, "b", inside(f"{v}/subnets/t"))
    same = put(real, folder, "c", inside(f"{w}/subnets/s"))
    link = ContainerGroupSubnetId(id=f"{v}/subnets/s")
    own = "busybox ip -4 addr show eth0 | busybox awk '/inet/ {print $2}'"
    near = real.run(folder, "near", f"{reach_at_last(first)}; {reach_at_last(second)}; {own}", subnet_ids=[link])
    elsewhere = ContainerGroupSubnetId(id=f"{w}/subnets/t")
    # In the other network the first address is c, and the second one nobody.
    other = real.run(folder, "other", f"{reach_at_last(first)}; {reach(second)}", subnet_ids=[elsewhere])
    outside = real.run(folder, "outside", f"{reach(first)}; {reach(second)}")
    across = real.run(folder, "across", reach(near.splitlines()[2].partition("/")[0]), subnet_ids=[link])
    before = spaces(real)
    real.resources.resource_groups.begin_delete(folder).result()

    assert (first, second, same) == ("10.0.0.4", "10.0.1.4", "10.0.0.4")
    assert near.splitlines()[:2] == ["reached", "reached"]
    assert other.splitlines() == ["reached", "apart"]
    assert outside.splitlines() == ["apart", "apart"]
    assert across.strip() == "apart"  # by the addresses that groups have from the machine, they stay apart
    assert len(before) == 2
    assert spaces(real) == []


def test_a_network_that_grows_takes_groups_that_are_in_it_along(real: Running) -> None:
    folder = real.folder("subnets-grow")
    v = network(real, folder, "v")
    first = put(real, folder, "a", inside(f"{v}/subnets/s"))
    network(real, folder, "v", grown=True)
    link = ContainerGroupSubnetId(id=f"{v}/subnets/u")
    there = real.run(folder, "new", reach_at_last(first), subnet_ids=[link])
    real.resources.resource_groups.begin_delete(folder).result()

    assert there.strip() == "reached"
    assert spaces(real) == []


def test_address_stays_over_stop_start_restart_and_a_dead_sandbox(real: Running) -> None:
    folder = real.folder("subnets-stay")
    v = network(real, folder, "v")
    port = free_port()
    address = put(real, folder, "a", inside(f"{v}/subnets/s", tags={"hythe.publish": f"{port}:80"}))
    groups = real.aci.container_groups
    link = ContainerGroupSubnetId(id=f"{v}/subnets/t")
    groups.stop(folder, "a")
    stopped = groups.get(folder, "a").ip_address.ip
    groups.begin_start(folder, "a").result()
    groups.begin_restart(folder, "a").result()
    again = real.run(folder, "peer", reach_at_last(address), subnet_ids=[link])
    for row in real.ctr("tasks", "list")[1:]:
        identity, pid, _ = row.split()
        with contextlib.suppress(subprocess.CalledProcessError):  # one of another test's has just gone
            if '"io.cri-containerd.kind": "sandbox"' in "\n".join(real.ctr("containers", "info", identity)):
                subprocess.run(["kill", "-KILL", pid], check=False)

    def served() -> bytes:
        with contextlib.suppress(OSError):
            return page(f"127.0.0.1:{port}")
        return b""

    wait_for(served)
    anew = real.run(folder, "second", reach_at_last(address), subnet_ids=[link])
    end = groups.get(folder, "a").ip_address.ip

    assert (stopped, end) == (address, address)
    assert again.strip() == anew.strip() == "reached"


def test_networks_outlive_the_service_and_go_with_down(fresh: Running) -> None:
    fresh.up()
    folder = fresh.folder("rg")
    v = network(fresh, folder, "v")
    address = put(fresh, folder, "a", inside(f"{v}/subnets/s"))
    fresh.kill()
    fresh.up()
    link = ContainerGroupSubnetId(id=f"{v}/subnets/t")
    after = fresh.run(folder, "peer", reach_at_last(address), subnet_ids=[link])
    held = spaces(fresh)
    fresh.down("--purge")

    assert after.strip() == "reached"
    assert len(held) == 1
    assert spaces(fresh) == []
    assert not traces(fresh).mounts
