"""A real service with real containers, once for all tests of this folder."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from msgspec import Struct

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
from hythe.errors import NotFound
from hythe.machine import missing
from hythe.models import (
    Container,
    ContainerGroup,
    ContainerPort,
    IpAddress,
    Port,
    ResourceRequests,
    ResourceRequirements,
)

from ..free_ports import free_port

HYTHE = [sys.executable, "-m", "hythe"]
PAGE = "microsoft/aci-helloworld"
TOOLS = "microsoft/aci-wordcount"
"""An image with a shell and Python."""
SETTINGS = """\
[engine]
pool = 0
grace_seconds = 3
backoff = { first = 0.5, most = 2 }
images = { local_registries = ["127.0.0.1"] }
[gateway]
port = 0
[service]
allow_privileged = true
"""
"""Of the service that most tests share: quick, and ready for everything that a container can be allowed."""
T = TypeVar("T")


def hythe(*arguments: str, data_dir: Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run the command line against one data dir."""
    environment = os.environ | {"HYTHE_HOME": str(data_dir)}
    return subprocess.run(
        [*HYTHE, *arguments], env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def wait_for(condition: Callable[[], T], seconds: float = 30) -> T:
    """Wait until a condition holds, and give what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def page(address: str) -> bytes:
    """Get the page of a group, which runs a moment before its program listens."""

    def got() -> bytes | None:
        try:
            with urlopen(f"http://{address}/", timeout=5) as answer:
                return bytes(answer.read())
        except ConnectionRefusedError:
            return None
        except URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            return None

    found = wait_for(got, 5)
    assert found is not None
    return found


def _had(address: str) -> str:
    """Give a piece of shell that is true if a page can be had: a silence of two seconds is a no."""
    ask = f"import urllib.request as u; print(u.urlopen('http://{address}/', timeout=2).status)"
    return f'test "$(python3 -c "{ask}" 2>/dev/null)" = 200'


def reach(address: str) -> str:
    """Give a piece of shell that says whether a page can be had."""
    return f"{_had(address)} && echo reached || echo apart"


def reach_at_last(address: str) -> str:
    """Give a piece of shell that goes on when a page can be had, whose program is maybe just being started."""
    return f"until {_had(address)}; do sleep 0.2; done; echo reached"


def files_of_cgroups(pid: int) -> int:
    """Count the files of cgroups that a process has open."""
    found = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(each.readlink()).endswith(("/memory.stat", "/cpuacct.usage", "/cpu.stat"))
    return found


class Running:
    """A service and the clients for it."""

    def __init__(self, data_dir: Path, port: int, settings: str = "[engine]\npool = 0\n[gateway]\nport = 0\n") -> None:
        """``settings`` is the hythe.toml: without a pool unless said, so that tests can count what is there."""
        self.data_dir = data_dir
        self.port = port
        self.settings = settings
        self.facts: dict[str, str] = {}
        self.clients: list[Any] = []
        self.folders: list[str] = []
        """Resource groups that tests made."""
        self.links: set[str] = set()
        self.namespaces: set[str] = set()
        """What `traces` has seen in use."""
        self._installation = ""
        self._subnet: ipaddress.IPv4Network | None = None

    def up(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.data_dir / "hythe.toml").write_text(self.settings)
        done = hythe("up", "--detach", "--port", str(self.port), data_dir=self.data_dir)
        assert done.returncode == 0, done.stdout + done.stderr
        self.facts = json.loads(hythe("env", "--json", data_dir=self.data_dir).stdout)
        self.sign_in()

    def sign_in(self) -> None:
        self.close()
        auth = self.data_dir / "my.azureauth"
        self.aci = get_client_from_auth_file(ContainerInstanceManagementClient, auth)
        self.resources = get_client_from_auth_file(ResourceManagementClient, auth)
        self.clients = [self.aci, self.resources]

    def close(self) -> None:
        while self.clients:
            self.clients.pop().close()

    def down(self, *options: str) -> None:
        self.close()
        done = hythe("down", *options, data_dir=self.data_dir)
        assert done.returncode == 0, done.stdout + done.stderr

    def end_service(self) -> None:
        """End the service alone; its containers go on."""
        self.close()
        pid = self.pid
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: _gone(pid))

    def kill(self) -> None:
        """End the service as a lack of memory would."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: _gone(pid))

    @property
    def pid(self) -> int:
        return int((self.data_dir / "lock").read_text())

    @property
    def installation(self) -> str:
        """Its id, also after its data dir is gone; empty before it was ever up."""
        with contextlib.suppress(FileNotFoundError):
            self._installation = (self.data_dir / "installation").read_text().strip()
        return self._installation

    @property
    def subnet(self) -> ipaddress.IPv4Network | None:
        """Its subnet, also after its data dir is gone."""
        with contextlib.suppress(FileNotFoundError):
            self._subnet = ipaddress.IPv4Network((self.data_dir / "engine" / "subnet").read_text().strip())
        return self._subnet

    def ctr(self, *arguments: str) -> list[str]:
        """Ask containerd itself: what it has, line by line."""
        socket_path = f"/run/hythe/{self.installation}/containerd.sock"
        command = ["ctr", "--address", socket_path, "--namespace", "k8s.io", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    def folder(self, name: str) -> str:
        self.resources.resource_groups.create_or_update(name, {"location": "eastus"})
        self.folders.append(name)
        return name

    def state(self, folder: str, name: str) -> str:
        return self.aci.container_groups.get(folder, name).instance_view.state

    def log(self, folder: str, name: str, container: str = "c") -> str:
        return self.aci.containers.list_logs(folder, name, container).content

    def run(self, folder: str, name: str, *script: str, **options: Any) -> str:
        """Run a shell script once and give its log."""
        task = container(command=["sh", "-c", *script], image=TOOLS)
        self.aci.container_groups.begin_create_or_update(
            folder, name, group(task, restart_policy="Never", **options)
        ).result()
        wait_for(lambda: self.state(folder, name) in ("Succeeded", "Failed"))
        return self.log(folder, name)


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def container(name: str = "c", image: str = PAGE, **options: Any) -> Container:
    needs = ResourceRequirements(requests=ResourceRequests(cpu=0.5, memory_in_gb=0.5))
    return Container(name=name, image=image, resources=needs, **options)


def group(*containers: Container, **options: Any) -> ContainerGroup:
    return ContainerGroup(location="eastus", os_type="Linux", containers=list(containers or [container()]), **options)


def public(*ports: int) -> dict[str, Any]:
    """Describe a group whose one container serves a page on a public address."""
    ports = ports or (80,)
    return {
        "ip_address": IpAddress(type="Public", ports=[Port(port=each) for each in ports]),
        "containers": [container(ports=[ContainerPort(port=each) for each in ports])],
    }


def web() -> ContainerGroup:
    return ContainerGroup(location="eastus", os_type="Linux", **public())


class Traces(Struct, frozen=True):
    """What the containers of one installation could leave behind on a machine."""

    mounts: frozenset[str]
    namespaces: frozenset[str]
    links: frozenset[str]
    rules: frozenset[str]
    routes: frozenset[str]
    processes: frozenset[str]
    folders: frozenset[str]

    def within(self, before: Traces) -> bool:
        """Tell whether nothing is there that was not before; what others had left by then may have gone since."""
        return all(getattr(self, name) <= getattr(before, name) for name in self.__struct_fields__)


def look(service: Running) -> set[str]:
    """Take notice of the links and network namespaces that the groups of an installation use; gives its routes."""
    subnet = service.subnet
    routed = subprocess.run(["ip", "-4", "-json", "route", "show"], capture_output=True, text=True, check=True).stdout
    routes = [
        route for route in json.loads(routed)
        if subnet and route["dst"] != "default" and ipaddress.ip_network(route["dst"]).subnet_of(subnet)
    ]  # fmt: skip
    service.links |= {route["dev"] for route in routes if "dev" in route}
    tasks = Path(f"/run/hythe/{service.installation}/containerd/io.containerd.runtime.v2.task/k8s.io")
    for bundle in tasks.glob("*/config.json"):
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):  # gone, or just being written
            spaces = json.loads(bundle.read_bytes())["linux"]["namespaces"]
            paths = {each.get("path", "") for each in spaces if each["type"] == "network"}
            service.namespaces |= {path for path in paths if "/netns/" in path}  # else it is that of the sandbox
    return {route["dst"] for route in routes}


def traces(service: Running) -> Traces:
    """Look at what carries an installation's id, its subnet or its data dir; what others do is no matter.

    A link or network namespace counts as long as it exists once a look has found it in use: look while groups run,
    to see afterwards that nothing of them is left.
    """
    mine = service.installation
    words = (mine, str(service.data_dir)) if mine else (str(service.data_dir),)

    def lines(*command: str) -> list[str]:
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return [line for line in said.splitlines() if any(word in line for word in words)]

    routes = look(service)
    processes = set()
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            said = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if ("containerd" in said or "hythe up" in said) and any(word in said for word in words):
                processes.add(said)
    return Traces(
        mounts=frozenset(lines("cat", "/proc/mounts")),
        namespaces=frozenset(each for each in service.namespaces if Path(each).exists()),
        links=frozenset(each for each in service.links if Path("/sys/class/net", each).exists()),
        routes=frozenset(routes),
        rules=frozenset(line for table in ("filter", "nat") for line in lines("iptables", "-w", "-t", table, "-S")),
        processes=frozenset(processes),
        folders=frozenset(str(each) for each in (Path("/run/hythe", mine),) if mine and each.exists()),
    )


class Proved(Protocol):
    """Says what came of an operation that a client in a version was used for."""

    def __call__(self, client: str, version: str, operation: str, result: str = "works") -> None: ...


@pytest.fixture
def proved(record_property: Callable[[str, object], None]) -> Proved:
    """Let a test say what a client can do; `HYTHE_CLIENT_RESULTS` names a file that all of it is written to."""

    def say(client: str, version: str, operation: str, result: str = "works") -> None:
        said = {"client": client, "version": version, "operation": operation, "result": result}
        record_property("proved", said)

    return say


class Results:
    """Writes what a run of the tests has proved of clients, and which tests failed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.proved: list[dict[str, str]] = []
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.proved += [said for name, said in report.user_properties if name == "proved"]
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        result = {
            "date": time.strftime("%Y-%m-%d"),
            "failed": sorted(self.failed),
            "proved": sorted(self.proved, key=lambda each: list(each.values())),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(result, indent=1) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    if path := os.environ.get("HYTHE_CLIENT_RESULTS"):
        config.pluginmanager.register(Results(Path(path)))


@pytest.fixture(scope="session")
def able() -> None:
    """Skip where containers can't run."""
    lacks = missing()
    if lacks:
        pytest.skip("no real containers here: " + ", ".join(lack.what for lack in lacks))


@pytest.fixture
def fresh(real: Running, tmp_path: Path) -> Iterator[Running]:
    """Give a service of its own, not yet up, which has the sample images from the other's cache."""
    service = Running(tmp_path / "data", free_port())
    (service.data_dir / "cache").mkdir(parents=True)
    for archive in (real.data_dir / "cache").iterdir():
        (service.data_dir / "cache" / archive.name).hardlink_to(archive)
    try:
        yield service
    finally:
        service.close()
        if (service.data_dir / "lock").exists():
            service.down("--purge")


@pytest.fixture(autouse=True)
def tidy(request: pytest.FixtureRequest) -> Iterator[None]:
    """Delete what a test made on the common service: what goes on there slows all later ones down."""
    if "real" not in request.fixturenames:
        yield
        return
    service: Running = request.getfixturevalue("real")
    before = len(service.folders)
    yield
    for name in service.folders[before:]:
        with contextlib.suppress(NotFound):  # the test deleted it itself
            service.resources.resource_groups.begin_delete(name).result()
    del service.folders[before:]


@pytest.fixture(scope="session")
def real(able: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = Running(tmp_path_factory.mktemp("hythe"), free_port(), SETTINGS)
    service.up()
    try:
        yield service
    finally:
        service.down("--purge")
