"""Groups answer under their host names, in clear and with TLS, and on ports of this machine that they ask for."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from hythe.errors import HytheError
from hythe.models import ContainerGroup, ContainerPort, IpAddress, Port

from ..free_ports import free_port
from .conftest import TOOLS, Running, container, group, traces, wait_for

pytestmark = pytest.mark.containers
SUFFIX = "eastus.azurecontainer.localhost"


def named(label: str, *ports: int, **options: object) -> ContainerGroup:
    ports = ports or (80,)
    address = IpAddress(type="Public", ports=[Port(port=each) for each in ports], dns_name_label=label)
    return group(container(ports=[ContainerPort(port=each) for each in ports]), ip_address=address, **options)


@pytest.fixture(scope="module")
def gateway(real: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port, dns_port = free_port(), free_port()
    service = Running(
        tmp_path_factory.mktemp("gateway"), free_port(),
        f"[engine]\npool = 0\n[gateway]\nport = {port}\ndns_port = {dns_port}\n",
    )  # fmt: skip
    (service.data_dir / "cache").mkdir(parents=True)
    for archive in (real.data_dir / "cache").iterdir():
        (service.data_dir / "cache" / archive.name).hardlink_to(archive)
    service.up()
    service.gateway_port, service.dns_port = port, dns_port  # type: ignore[attr-defined]
    service.folder("rg")
    try:
        yield service
    finally:
        service.down("--purge")


def ask(service: Running, host: str, path: str = "/", *, tls: bool = False) -> tuple[int, str]:
    connection: http.client.HTTPConnection
    port = service.gateway_port  # type: ignore[attr-defined]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        connection = http.client.HTTPConnection(host)
        connection.sock = raw
        if tls:
            context = ssl.create_default_context(cafile=str(service.data_dir / "ca.pem"))
            connection.sock = context.wrap_socket(raw, server_hostname=host)
        connection.request("GET", path, headers={"Host": f"{host}:{port}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, text


def reached(made: ContainerGroup) -> None:
    """Wait until the group's program listens."""

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((made.ip_address.ip, 80)) == 0

    wait_for(listens)


def put(service: Running, name: str, what: ContainerGroup) -> ContainerGroup:
    return service.aci.container_groups.begin_create_or_update("rg", name, what).result()


def test_a_name_leads_to_its_group_in_clear_and_with_tls(gateway: Running) -> None:
    put(gateway, "named", named("hello-a"))

    assert wait_for(lambda: ask(gateway, f"hello-a.{SUFFIX}")[0] == 200)
    status, page = ask(gateway, f"hello-a.{SUFFIX}", tls=True)
    assert (status, "container group" in page) == (200, True)
    assert ask(gateway, f"HELLO-A.{SUFFIX}.")[0] == 200
    assert ask(gateway, f"80.hello-a.{SUFFIX}")[0] == 200
    assert ask(gateway, f"81.hello-a.{SUFFIX}")[0] == 404
    assert ask(gateway, f"nobody.{SUFFIX}")[0] == 404
    assert ask(gateway, "example.com")[0] == 404
    gateway.aci.container_groups.stop("rg", "named")
    assert ask(gateway, f"hello-a.{SUFFIX}")[0] == 503
    gateway.aci.container_groups.begin_delete("rg", "named").result()
    assert ask(gateway, f"hello-a.{SUFFIX}")[0] == 404


def test_a_name_that_is_not_a_groups_gets_no_certificate(gateway: Running) -> None:
    with pytest.raises(ssl.SSLError):
        ask(gateway, "management.azure.com", tls=True)


def test_what_upgrades_goes_through_and_every_request_is_led_by_its_own_host(gateway: Running) -> None:
    echo = (
        "import socket\ns=socket.create_server(('',80))\n"
        "while 1:\n c,_=s.accept()\n c.sendall(c.recv(65536));d=c.recv(9)\n c.sendall(d);c.close()"
    )
    address = IpAddress(type="Public", ports=[Port(port=80)], dns_name_label="echoes")
    server = container(image=TOOLS, command=["python", "-c", echo], ports=[ContainerPort(port=80)])
    made = put(gateway, "echoes", group(server, ip_address=address))

    reached(made)
    port = gateway.gateway_port  # type: ignore[attr-defined]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        head = f"GET /ws HTTP/1.1\r\nHost: echoes.{SUFFIX}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        raw.sendall(head.encode())
        seen = raw.recv(65536).decode()
        assert "Connection: Upgrade" in seen
        assert "X-Forwarded-For: 127.0.0.1" in seen
        raw.sendall(b"\x81frames\xff")
        assert raw.recv(100) == b"\x81frames\xff"
    gateway.aci.container_groups.begin_delete("rg", "echoes").result()


def test_dns_answers_for_groups_and_for_nobody_else(gateway: Running) -> None:
    made = put(gateway, "resolved", named("hello-b"))
    port = gateway.dns_port  # type: ignore[attr-defined]

    def lookup(name: str, kind: str) -> dns.message.Message:
        return dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", timeout=5, port=port)

    answer = lookup(f"hello-b.{SUFFIX}", "A")
    assert [item.to_text() for item in answer.answer[0]] == [made.ip_address.ip]
    assert lookup(f"hello-b.{SUFFIX}", "AAAA").rcode() == dns.rcode.NOERROR
    assert lookup(f"nobody.{SUFFIX}", "A").rcode() == dns.rcode.NXDOMAIN
    assert lookup("example.com", "A").rcode() == dns.rcode.REFUSED
    gateway.aci.container_groups.begin_delete("rg", "resolved").result()


def test_ports_of_this_machine_on_request(gateway: Running) -> None:
    before = traces(gateway)
    port = free_port()
    made = put(gateway, "published", named("hello-c", tags={"hythe.publish": f"{port}:80"}))

    def page() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/")
        status = connection.getresponse().status
        connection.close()
        return status

    reached(made)
    assert page() == 200
    with pytest.raises(HytheError, match=r"is not available: another container group has it"):
        put(gateway, "second", named("hello-d", tags={"hythe.publish": f"{port}:80"}))
    with pytest.raises(HytheError, match=r"hythe\.publish"):
        put(gateway, "second", named("hello-d", tags={"hythe.publish": "80"}))
    gateway.end_service()
    gateway.up()
    assert page() == 200
    assert traces(gateway) != before
    gateway.aci.container_groups.begin_delete("rg", "published").result()
    with pytest.raises(ConnectionRefusedError):
        page()
    wait_for(lambda: traces(gateway).within(before))


def test_datagrams_reach_a_group_at_its_address_and_at_a_port_of_this_machine(gateway: Running) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    echo = "import socket\ns=socket.socket(2,2)\ns.bind(('',53))\nwhile 1:\n d,a=s.recvfrom(99)\n s.sendto(d.upper(),a)"
    address = IpAddress(type="Public", ports=[Port(port=53, protocol="UDP")])
    server = container(image=TOOLS, command=["python", "-c", echo], ports=[ContainerPort(port=53, protocol="UDP")])
    made = put(gateway, "datagrams", group(server, ip_address=address, tags={"hythe.publish": f"{port}:53/udp"}))

    def says(where: tuple[str, int]) -> bytes | None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            caller.settimeout(0.5)
            caller.sendto(b"said", where)
            try:
                return caller.recv(99)
            except (TimeoutError, ConnectionRefusedError):
                return None  # it does not listen yet

    for where in ((made.ip_address.ip, 53), ("127.0.0.1", port)):
        assert wait_for(lambda where=where: says(where)) == b"SAID"
    with pytest.raises(HytheError, match=r"is not available: another container group has it"):
        put(gateway, "second", named("hello-d", tags={"hythe.publish": f"{port}:53/udp"}))
    gateway.aci.container_groups.begin_delete("rg", "datagrams").result()
    assert says(("127.0.0.1", port)) is None


def test_a_port_that_somebody_else_has_is_refused_at_put(gateway: Running, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(HytheError, match=r"is not available: it is taken"):
            put(gateway, "unlucky", named("hello-e", tags={"hythe.publish": f"{port}:80"}))
    assert "unlucky" not in [each.name for each in gateway.aci.container_groups.list()]
