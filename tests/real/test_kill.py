"""`kill -9` of the service at five points, then `hythe up`: nothing is disturbed, nothing stays half done."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hythe.engines.containerd.config import Place
from hythe.engines.containerd.daemon import mount_namespace, running_pid
from hythe.errors import HytheError
from hythe.models import ContainerGroup

from .conftest import TOOLS, Running, container, group, page, traces, wait_for, web
from .test_life import put

pytestmark = pytest.mark.containers
FUSED = Path(__file__).with_name("fused.py")


@contextlib.contextmanager
def fused(service: Running, method: str, action: str, when: str) -> Iterator[None]:
    """Start a service that will kill itself; at the end it has."""
    process = subprocess.Popen(
        [
            sys.executable,
            FUSED,
            method,
            action,
            when,
            "up",
            "--data-dir",
            service.data_dir,
            "--port",
            str(service.port),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Hythe answers"):
                break
        service.sign_in()
        yield
        assert process.wait(60) == -9


def neighbour(service: Running) -> tuple[str, str]:
    """Start a group that counts, to be left alone; give its address and what containerd says of its processes."""
    folder = service.folder("neighbour")
    script = "busybox httpd -p 80; i=0; while true; do i=$((i+1)); echo $i; sleep 0.05; done"
    what = web()
    what.containers[0].image, what.containers[0].command = TOOLS, ["sh", "-c", script]
    made = put(service, folder, "counts", what)
    return folder, " ".join(tasks(service)) + " " + made.ip_address.ip


def tasks(service: Running) -> list[str]:
    """Name each process as containerd does, "id pid status"; its table's column widths vary with the longest number."""
    return [" ".join(line.split()) for line in service.ctr("tasks", "ls")[1:]]


@contextlib.contextmanager
def held_still(service: Running, seen: str) -> Iterator[None]:
    """Have the neighbour write nothing: a line that containerd has read and not yet written to the log dies with it."""

    def settled() -> bool:
        before = service.log("neighbour", "counts")
        time.sleep(0.1)
        return service.log("neighbour", "counts") == before

    pids = [int(line.split()[1]) for line in tasks(service) if line in seen]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(settled)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def undisturbed(service: Running, seen: str, *, lines: bool = True) -> None:
    """See that the same processes run as before, and that not one of their lines was lost."""
    view = service.aci.container_groups.get("neighbour", "counts")
    assert view.instance_view.state == "Running"
    assert view.containers[0].instance_view.restart_count == 0
    now = [line for line in tasks(service) if line.split()[0] in seen]
    assert all(line in seen for line in now)
    assert len(now) >= 2, "the sandbox and the container"
    assert seen.endswith(view.ip_address.ip)
    if not lines:
        return
    counted = [int(line) for line in service.log("neighbour", "counts").split()]
    assert counted == [*range(1, len(counted) + 1)]


POINTS = [
    ("before-the-sandbox", "act", "RunSandbox", "before"),
    ("between-sandbox-and-container", "act", "RunSandbox", "after"),
    ("after-start", "act", "RunContainer", "after"),
]


@pytest.mark.parametrize("point", POINTS, ids=[name for name, *_ in POINTS])
def test_killed_during_create(point: tuple[str, str, str, str], fresh: Running) -> None:
    fresh.up()
    _, seen = neighbour(fresh)
    fresh.end_service()
    folder = "rg"
    with fused(fresh, *point[1:]):
        fresh.folder(folder)
        with pytest.raises(HytheError):
            put(fresh, folder, "g", web())

    fresh.up()

    wait_for(lambda: fresh.state(folder, "g") == "Running")
    address = fresh.aci.container_groups.get(folder, "g").ip_address.ip
    assert b"<h1>" in page(address)
    assert fresh.aci.container_groups.get(folder, "g").provisioning_state == "Succeeded"
    assert len(fresh.ctr("containers", "ls", "-q")) == 4, "two groups, a sandbox and a container each"
    undisturbed(fresh, seen)
    nothing_is_left(fresh, folder)


def test_killed_while_running(fresh: Running) -> None:
    fresh.up()
    folder, seen = neighbour(fresh)
    ends = group(container(image=TOOLS, command=["sh", "-c", "sleep 1; exit 4"]), restart_policy="Never")
    put(fresh, folder, "ends", ends)

    fresh.kill()
    fresh.up()

    undisturbed(fresh, seen)
    wait_for(lambda: fresh.state(folder, "ends") == "Failed")
    ended = fresh.aci.container_groups.get(folder, "ends").containers[0].instance_view.current_state
    assert ended.exit_code == 4


@pytest.mark.parametrize(
    ("point", "known"),
    [
        (("forget", "", "before"), False),
        (("forget", "", "after"), False),
        (("_forget_files", "", "before"), True),
    ],
    ids=["before-the-end", "when-no-process-runs", "before-the-files-go"],
)
def test_killed_during_delete(point: tuple[str, str, str], known: bool, fresh: Running) -> None:
    fresh.up()
    _, seen = neighbour(fresh)
    folder = fresh.folder("rg")
    put(fresh, folder, "g", web())
    fresh.end_service()
    told = contextlib.suppress(HytheError) if known else pytest.raises(HytheError)  # it may be told before
    with fused(fresh, *point), told:
        fresh.aci.container_groups.begin_delete(folder, "g").result()

    fresh.up()

    wait_for(lambda: "g" not in [each.name for each in fresh.aci.container_groups.list_by_resource_group(folder)])
    wait_for(lambda: len(fresh.ctr("containers", "ls", "-q")) == 2)  # the neighbour's
    undisturbed(fresh, seen)
    nothing_is_left(fresh, folder)


@contextlib.contextmanager
def crowd(service: Running) -> Iterator[tuple[str, dict[str, str]]]:
    """Ask for many groups; go on when half of them are there; give their folder, and by name what each is to be."""
    folder = service.folder("crowd")
    task = group(container(image=TOOLS, command=["true"]), restart_policy="Never")
    wanted = {f"g{number}": "Running" if number % 2 else "Succeeded" for number in range(30)}
    with ThreadPoolExecutor(len(wanted)) as threads:
        for name, state in wanted.items():
            what = web() if state == "Running" else task
            threads.submit(service.aci.container_groups.begin_create_or_update, folder, name, what, timeout=10)
        wait_for(lambda: len(service.ctr("containers", "ls", "-q")) > len(wanted), 90)
        yield folder, wanted


def test_killed_among_many_creates(fresh: Running) -> None:
    """What containerd was doing just then is given up by it, and half done."""
    fresh.up()
    with crowd(fresh) as (folder, wanted):
        fresh.kill()
    fresh.up()

    there = [one.name for one in fresh.aci.container_groups.list_by_resource_group(folder)]
    assert there
    wait_for(lambda: all(fresh.state(folder, name) == wanted[name] for name in there), 90)
    for name in there:
        assert fresh.aci.container_groups.get(folder, name).containers[0].instance_view.restart_count == 0
    nothing_is_left(fresh, folder)


def test_containerd_killed_among_many_creates(fresh: Running) -> None:
    fresh.up()
    with crowd(fresh) as (folder, wanted):
        os.kill(int(Path(f"/run/hythe/{fresh.installation}/containerd.pid").read_text()), signal.SIGKILL)

    there = [one.name for one in fresh.aci.container_groups.list_by_resource_group(folder)]
    assert there
    # How a task ended while nobody looked, nobody knows; then it has failed.
    ends = {"Running": ("Running",), "Succeeded": ("Succeeded", "Failed")}
    # A start that containerd does not come back from is given up after a minute.
    wait_for(lambda: all(fresh.state(folder, name) in ends[wanted[name]] for name in there), 90)
    for name in there:
        (held,) = fresh.aci.container_groups.get(folder, name).containers
        if fresh.state(folder, name) == "Failed":
            assert held.instance_view.current_state.detail_status == "Unknown"
        assert wanted[name] == "Running" or held.instance_view.restart_count == 0
    nothing_is_left(fresh, folder)
    # What containerd forgot goes while the service is up.
    bundles = Path(f"/run/hythe/{fresh.installation}/containerd/io.containerd.runtime.v2.task/k8s.io")
    wait_for(lambda: processes_of(fresh) == [] == [*bundles.iterdir()])
    fresh.down()
    assert not processes_of(fresh)


def test_what_containerd_does_not_know_goes_and_takes_no_pod_with_it(fresh: Running) -> None:
    """A pod's shim serves all its containers: one that is forgotten names the socket of one that runs."""
    fresh.up()
    folder, seen = neighbour(fresh)
    place = Place(installation=fresh.installation, root=fresh.data_dir / "engine")
    bundles = Path(f"/run/hythe/{fresh.installation}/containerd/io.containerd.runtime.v2.task/k8s.io")
    (pod, *_) = bundles.iterdir()
    finished, begun = bundles / ("e" * 64), bundles / ("f" * 64)
    for bundle in (finished, begun):
        (bundle / "rootfs").mkdir(parents=True)
        subprocess.run([*mount_namespace(place), "mount", "-t", "tmpfs", "none", bundle / "rootfs"], check=True)
    for name in ("config.json", "options.json", "runtime", "address"):
        shutil.copy(pod / name, finished / name)

    wait_for(lambda: not finished.exists() and not begun.exists(), 60)

    containerd = running_pid(place)
    assert "e" * 64 not in (mounts := Path(f"/proc/{containerd}/mountinfo").read_text()) and "f" * 64 not in mounts
    assert containerd is not None
    with held_still(fresh, seen):
        os.kill(containerd, signal.SIGKILL)
    wait_for(lambda: running_pid(place) not in (None, containerd))
    wait_for(lambda: len(fresh.ctr("containers", "ls", "-q")) == 2)
    undisturbed(fresh, seen)
    nothing_is_left(fresh, folder)


def test_taken_down_among_many_creates(fresh: Running) -> None:
    fresh.up()
    with crowd(fresh):
        fresh.down()  # which fails if anything can't be removed

    assert not traces(fresh).links
    assert not processes_of(fresh)


def processes_of(service: Running) -> list[str]:
    """Give every process that was started with a path of the installation's state: shims and runtimes, too."""
    every = subprocess.run(["ps", "-eo", "stat,args", "-ww"], capture_output=True, text=True, check=True).stdout
    return [line for line in every.splitlines() if f"/run/hythe/{service.installation}/" in line]


def nothing_is_left(service: Running, folder: str) -> None:
    """Delete everything, and see that no container, network namespace or link stays."""
    links = len(traces(service).links)
    groups: list[ContainerGroup] = [*service.aci.container_groups.list()]
    for name in {one.id.split("/")[4] for one in groups} | {folder}:
        service.resources.resource_groups.begin_delete(name).result()
    wait_for(lambda: service.ctr("containers", "ls", "-q") == [], 90)
    wait_for(lambda: len(traces(service).links) == links - len(groups))
