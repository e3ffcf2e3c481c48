"""Bad luck, caused on purpose: every group ends as its definition asks, or in Failed with the reason.

One installation of its own, on a disk of its own that a test can fill.  `test_kill.py` kills the service itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest

from hythe.errors import ServiceError
from hythe.models import ContainerGroup

from ..free_ports import free_port
from ..soak import cycles
from .conftest import TOOLS, Running, container, group, traces, wait_for, web
from .test_kill import held_still, neighbour, undisturbed
from .test_life import put
from .test_registry import Handler, Registry

pytestmark = pytest.mark.containers
SETTINGS = """\
[engine]
pool = 0
grace_seconds = 3
backoff = { first = 0.5, most = 2 }
images = { stalled_seconds = 5, local_registries = ["127.0.0.1"] }
[gateway]
port = 0
"""
DISK = 600 << 20
"""Bytes."""


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a small disk with a file system of its own.

    Not a tmpfs: where that is full, a program ends that reads what it has not written yet of a file that it has mapped,
    as containerd has its database.
    """
    image, folder = tmp_path_factory.mktemp("image") / "ext4", tmp_path_factory.mktemp("disk")
    with image.open("wb") as file:
        file.truncate(DISK)
    try:
        subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-F", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be made: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        image.unlink()


@pytest.fixture(scope="module")
def unlucky(real: Running, disk: Path) -> Iterator[Running]:
    """Give a service on a small disk, whose groups may suffer, with a neighbour that may not."""
    service = Running(disk / "data", free_port(), SETTINGS)
    service.data_dir.mkdir()
    shutil.copytree(real.data_dir / "cache", service.data_dir / "cache")
    try:
        service.up()
        yield service
    finally:
        service.close()
        if (service.data_dir / "lock").exists():
            service.down("--purge")


@pytest.fixture
def beside(unlucky: Running, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give what is known of the processes of a neighbour, and see afterwards that nothing befell them."""
    _, seen = neighbour(unlucky)
    yield seen
    undisturbed(unlucky, seen, lines="full_disk" not in request.node.name)  # what does not fit is not there
    for each in [*unlucky.aci.container_groups.list()]:
        unlucky.aci.container_groups.begin_delete(each.id.split("/")[4], each.name).result()
    wait_for(lambda: not unlucky.ctr("containers", "ls", "-q"))
    left = wait_for(lambda: not (now := traces(unlucky)).links and now)
    assert not left.namespaces


def inside(service: Running, folder: str, name: str) -> tuple[str, dict[str, str]]:
    """Give the id of the sandbox of a group, and the first processes of that and of its containers by their ids."""
    address = service.aci.container_groups.get(folder, name).ip_address.ip
    tasks = Path(f"/run/hythe/{service.installation}/containerd/io.containerd.runtime.v2.task/k8s.io")
    found: dict[str, dict[str, str]] = {}
    for identity, pid in running(service).items():
        notes = json.loads((tasks / identity / "config.json").read_bytes())["annotations"]
        if address in Path(f"/proc/{pid}/net/fib_trie").read_text().split():
            found.setdefault(notes["io.kubernetes.cri.sandbox-id"], {})[identity] = pid
    ((sandbox, processes),) = found.items()
    return sandbox, processes


def shim(identity: str) -> int:
    """Give the process of the shim of a sandbox."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = each.read_bytes().split(b"\0")
            if b"containerd-shim" in words[0] and identity.encode() in words:
                return int(each.parent.name)
    raise AssertionError("it has none")


def running(service: Running) -> dict[str, str]:
    """Give the first process of each container and sandbox that runs, by its id."""
    lines = [line.split() for line in service.ctr("tasks", "ls")[1:]]
    return {identity: pid for identity, pid, state in lines if state == "RUNNING"}


def process_of(processes: dict[str, str], script: str) -> str:
    """Give the one of some processes that runs a script of the shell."""
    (found,) = [pid for pid in processes.values() if script.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return found


def serves(service: Running, folder: str, name: str) -> bool:
    """Tell whether a group runs and its page can be had."""
    view = service.aci.container_groups.get(folder, name)
    if view.instance_view.state != "Running" or view.ip_address.ip is None:
        return False
    try:
        return b"<h1>" in urlopen(f"http://{view.ip_address.ip}/", timeout=2).read()
    except OSError:
        return False


def fates(service: Running, folder: str) -> None:
    """Make a group of each kind: one that serves, one that must not run twice."""
    put(service, folder, "web", web())
    once = web()
    once.restart_policy = "Never"
    once.containers[0].image, once.containers[0].command = TOOLS, ["sh", "-c", "echo ran; sleep 1000"]
    put(service, folder, "once", once)


@pytest.mark.parametrize("victim", ["shim", "pause"])
def test_a_dead_part_of_a_group_is_noticed_and_replaced(unlucky: Running, beside: str, victim: str) -> None:
    folder = unlucky.folder(victim)
    fates(unlucky, folder)
    before = traces(unlucky)
    assert len(before.links) >= 3
    for name in ("web", "once"):
        sandbox, old = inside(unlucky, folder, name)
        assert len(old) == 2, "the sandbox and its container"
        os.kill(shim(sandbox) if victim == "shim" else int(old[sandbox]), signal.SIGKILL)

        wait_for(lambda gone=old: not gone.keys() & running(unlucky).keys(), 15)
        if name == "web":
            wait_for(lambda: serves(unlucky, folder, "web"), 15)
        else:
            wait_for(lambda: unlucky.state(folder, "once") == "Failed", 15)
            (held,) = unlucky.aci.container_groups.get(folder, "once").containers
            end = held.instance_view.current_state
            assert (end.state, held.instance_view.restart_count) == ("Terminated", 0) and end.exit_code > 128
            assert unlucky.log(folder, "once") == "ran\n"
        wait_for(lambda gone=old: not any(Path(f"/proc/{pid}").exists() for pid in gone.values()))


def test_containerd_is_started_again_and_no_container_notices(unlucky: Running, beside: str) -> None:
    folder = unlucky.folder("containerd")
    fates(unlucky, folder)
    script = "echo said; until test -e /go; do sleep 0.1; done; exit 4"
    put(unlucky, folder, "ends", group(container(image=TOOLS, command=["sh", "-c", script]), restart_policy="Never"))
    before = running(unlucky)
    pid = Path(f"/run/hythe/{unlucky.installation}/containerd.pid")
    killed = pid.read_text()

    go_on = Path("/proc", process_of(before, script), "root", "go")
    with held_still(unlucky, beside):
        os.kill(int(killed), signal.SIGKILL)
    go_on.touch()

    wait_for(lambda: pid.read_text() != killed)
    put(unlucky, folder, "later", web())
    wait_for(lambda: serves(unlucky, folder, "later"))
    wait_for(lambda: unlucky.state(folder, "ends") == "Failed")
    ended = unlucky.aci.container_groups.get(folder, "ends").containers[0].instance_view.current_state
    assert (ended.exit_code, unlucky.log(folder, "ends")) == (4, "said\n")
    assert serves(unlucky, folder, "web")
    assert unlucky.state(folder, "once") == "Running"
    now = running(unlucky)
    assert len(before.keys() - now.keys()) == 1, "the one that ended"
    assert all(before[each] == now[each] for each in before.keys() & now.keys())


class Stalling(Handler):
    """Sends a part of every layer, and then nothing more."""

    held: threading.Event

    def do_GET(self) -> None:
        """Answer."""
        self.path = self.path.replace("/manifests/2", "/manifests/1")
        wanted = self.path.rpartition("/")[2]
        blob = self.server.blobs.get(wanted, b"")
        if self.command == "GET" and len(blob) > 100_000:
            self.send_response(200)
            self.send_header("Content-Length", str(len(blob)))
            self.end_headers()
            self.wfile.write(blob[:50_000])
            self.wfile.flush()
            self.held.wait()
            self.close_connection = True
            return
        self.headers["Authorization"] = "Basic YW5uOnA0WnctcmVnaXN0cnktcGFzc3dvcmQ="
        super().do_GET()

    do_HEAD = do_GET


@pytest.fixture
def stalling(unlucky: Running) -> Iterator[str]:
    """Give an image of a registry that stops sending."""
    held = threading.Event()
    registry = Registry(next((unlucky.data_dir / "cache").glob("helloworld-*.tar")))
    # Its layer is there already under its digest, from the sample: another one, that must be fetched.
    manifest = json.loads(registry.blobs[registry.digest])
    config = json.loads(registry.blobs[manifest["config"]["digest"]])
    config["rootfs"]["diff_ids"].append("sha256:" + "0" * 64)
    manifest["config"] |= {"digest": registry.keep(config), "size": len(json.dumps(config))}
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": 1_000_000}
    content = os.urandom(1_000_000)
    layer["digest"] = "sha256:" + hashlib.sha256(content).hexdigest()
    registry.blobs[layer["digest"]] = content
    manifest["layers"].append(layer)
    registry.digest = registry.keep(manifest)
    registry.RequestHandlerClass = type("Held", (Stalling,), {"held": held})
    thread = threading.Thread(target=registry.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield registry.image
    finally:
        held.set()
        registry.shutdown()
        thread.join()
        registry.server_close()


def events(service: Running, folder: str, name: str) -> list[str]:
    view = service.aci.container_groups.get(folder, name).containers[0].instance_view
    return [each.name for each in (view.events if view else None) or ()]


def test_a_registry_that_stops_sending(unlucky: Running, stalling: str, beside: str) -> None:
    folder = unlucky.folder("registry")
    what, unwanted = web(), web()
    what.containers[0].image, unwanted.containers[0].image = f"{stalling}:1", f"{stalling}:2"
    what.provisioning_timeout_in_seconds = 5
    begin = unlucky.aci.container_groups.begin_create_or_update
    with ThreadPoolExecutor() as threads:
        [*threads.map(lambda one: begin(folder, *one), [("web", what), ("unwanted", unwanted)])]
    wait_for(lambda: "Pulling" in events(unlucky, folder, "unwanted"))
    begun = time.monotonic()

    unlucky.aci.container_groups.begin_delete(folder, "unwanted").result()

    assert time.monotonic() - begun < 4, "a delete does not wait for a pull"
    held = wait_for(
        lambda: (
            (now := unlucky.aci.container_groups.get(folder, "web")).provisioning_state == "Failed"
            and (said := now.containers[0].instance_view.current_state.detail_status).startswith("ErrImagePull")
            and said
        )
    )
    assert "has sent nothing for 5 s" in held


def test_a_full_disk(unlucky: Running, beside: str) -> None:
    folder = unlucky.folder("full")
    fates(unlucky, folder)
    put(unlucky, folder, "ends", group(container(image=TOOLS, command=["sh", "-c", "sleep 2; exit 4"]),
                                       restart_policy="Never"))  # fmt: skip
    filler = unlucky.data_dir.parent / "filler"
    try:
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
            while True:
                file.write(b"0")
        with pytest.raises(ServiceError, match="Make room on the disk") as why:
            for number in range(200):  # a few may still fit
                unlucky.aci.container_groups.begin_create_or_update(folder, f"more-{number}", web())
        assert (why.value.status, why.value.code) == (507, "InsufficientStorage")
        time.sleep(2.5)
        assert serves(unlucky, folder, "web")
        assert unlucky.state(folder, "once") == "Running"
    finally:
        filler.unlink()

    # containerd tries to write the end down again after ever longer waits.
    wait_for(lambda: unlucky.state(folder, "ends") == "Failed", 90)
    put(unlucky, folder, "after", web())
    pages = {each.name for each in groups(unlucky, folder)} - {"once", "ends"}
    wait_for(lambda: all(serves(unlucky, folder, name) for name in pages))
    assert unlucky.state(folder, "once") == "Running"
    for name in ("web", "once"):
        (held,) = unlucky.aci.container_groups.get(folder, name).containers
        assert held.instance_view.restart_count == 0


def groups(service: Running, folder: str) -> list[ContainerGroup]:
    return [*service.aci.container_groups.list_by_resource_group(folder)]


def test_a_reboot(unlucky: Running) -> None:
    folder = unlucky.folder("reboot")
    fates(unlucky, folder)
    put(unlucky, folder, "stopped", web())
    unlucky.aci.container_groups.stop(folder, "stopped")
    task = group(container(image=TOOLS, command=["sh", "-c", "echo ran"]), restart_policy="Never")
    put(unlucky, folder, "task", task)
    wait_for(lambda: unlucky.state(folder, "task") == "Succeeded")
    traces(unlucky)

    reboot(unlucky)
    gone = traces(unlucky)
    assert not (gone.links or gone.namespaces or gone.folders or gone.rules or gone.routes)
    unlucky.up()

    wait_for(lambda: serves(unlucky, folder, "web"))
    wait_for(lambda: unlucky.state(folder, "once") == "Failed")
    assert (unlucky.state(folder, "stopped"), unlucky.state(folder, "task")) == ("Stopped", "Succeeded")
    ran = unlucky.aci.container_groups.get(folder, "once").containers[0].instance_view
    assert (ran.current_state.state, ran.restart_count) == ("Terminated", 0)
    unlucky.resources.resource_groups.begin_delete(folder).result()
    wait_for(lambda: not unlucky.ctr("containers", "ls", "-q"))


def reboot(service: Running) -> None:
    """Let one installation look as it does after the machine was started anew."""
    first = running(service).values()
    service.close()
    mine = f"/run/hythe/{service.installation}".encode()
    root = str(service.data_dir).encode()
    ours = [service.pid]
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            said = each.read_bytes()
            if b"containerd" in said.split(b"\0")[0] and (mine in said or root in said):
                ours.append(int(each.parent.name))
    for pid in (*sorted(ours), *map(int, first)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for space in service.namespaces:
        subprocess.run(["umount", "--lazy", space], check=False, stderr=subprocess.DEVNULL)
        Path(space).unlink(missing_ok=True)
    for link in service.links:
        subprocess.run(["ip", "link", "del", link], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["ip", "route", "del", "unreachable", str(service.subnet)], check=False)
    chain = f"HYTHE-{service.installation}"
    for table, parent, name in (
        ("filter", "FORWARD", chain), ("nat", "POSTROUTING", chain), ("nat", "PREROUTING", f"{chain}-IN"),
    ):  # fmt: skip
        for words in (("-D", parent, "-j", name), ("-F", name), ("-X", name)):
            subprocess.run(["iptables", "-w", "-t", table, *words], check=False)
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        where = line.split()[1]
        if where.startswith(mine.decode()):
            subprocess.run(["umount", "--lazy", where], check=False)
    # What crun and the shims keep is below /run too, for all installations in one place.
    for status in Path("/run/containerd/runc/k8s.io").glob("*/status"):
        if mine in status.read_bytes():
            shutil.rmtree(status.parent)
    for address in Path(mine.decode()).glob("containerd/*/*/*/address"):
        Path(address.read_text().removeprefix("unix://")).unlink(missing_ok=True)
    shutil.rmtree(mine.decode())


def test_nothing_is_left_of_200_groups(unlucky: Running) -> None:
    before, after = cycles(unlucky, 200, warming=8)

    assert not after.grown(before, share=0.5), "`make soak` measures memory; this many cycles only show what is large"
