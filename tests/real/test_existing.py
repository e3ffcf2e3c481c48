"""A containerd that was there before Hythe is used if it is nobody else's, and left running."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from hythe.engines.containerd.proto import cri_pb2 as cri
from hythe.engines.containerd.rpc import Containerd

from .conftest import Running, hythe, page, reach, traces, wait_for, web
from .test_life import put

pytestmark = pytest.mark.containers

CONFIG = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  # Nobody has this one: Hythe's own stands for it.
  sandbox_image = "localhost:1/pause:3.6"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/net.d"
"""


class Other(Struct):
    """A containerd that is not Hythe's."""

    socket: str
    process: subprocess.Popen[bytes]


@pytest.fixture
def other(able: None, tmp_path: Path) -> Iterator[Other]:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG.format(folder=folder))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["containerd", "--config", str(folder / "config.toml")], stdout=log, stderr=log, start_new_session=True
        )
    with process:
        socket = folder / "containerd.sock"
        wait_for(lambda: b"containerd successfully booted" in (folder / "log").read_bytes())
        try:
            yield Other(socket=str(socket), process=process)
        finally:
            asyncio.run(_remove_all(str(socket)))
            process.terminate()


def use(service: Running, socket: str) -> None:
    service.settings = f'[engine]\npool = 0\n[engine.containerd]\naddress = "{socket}"\n'
    (service.data_dir / "hythe.toml").write_text(service.settings)


def refusal(service: Running) -> str:
    done = hythe("up", "--detach", "--port", str(service.port), data_dir=service.data_dir)
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("Error: cannot use the containerd at ") and done.stderr.count("\n") == 1
    return done.stderr


def test_an_existing_containerd(other: Other, fresh: Running) -> None:
    before = traces(fresh)
    use(fresh, other.socket + "-not")
    assert "there is no such socket" in refusal(fresh)

    use(fresh, other.socket)
    said = refusal(fresh)
    assert "it has no network. Give it Hythe's: mkdir -p " in said
    subprocess.run(["sh", "-c", said.partition("Give it Hythe's: ")[2]], check=True)
    wait_for(lambda: hythe("up", "--detach", "--port", str(fresh.port), data_dir=fresh.data_dir).returncode == 0)
    fresh.sign_in()

    folder = fresh.folder("rg")
    made = put(fresh, folder, "web", web())
    assert "has our groups. Start it and try again" in _down_without(fresh, other.socket)
    assert b"<h1>" in page(made.ip_address.ip)
    assert fresh.run(folder, "asks", reach(str(made.ip_address.ip))).strip() == "apart"
    fresh.down("--purge")

    assert other.process.poll() is None
    assert _sandboxes(other.socket) == []
    assert traces(fresh) == before
    assert [each.name for each in fresh.data_dir.iterdir()] == ["hythe.toml"]


def test_a_containerd_of_a_kubelet_is_refused(other: Other, fresh: Running) -> None:
    asyncio.run(_run_as_a_kubelet(other.socket, fresh))
    use(fresh, other.socket)

    assert "a kubelet uses it and would remove our groups. Take engine.containerd.address out" in refusal(fresh)

    fresh.down("--purge")
    assert len(_sandboxes(other.socket)) == 1, "it is left alone"


def _down_without(service: Running, socket: str) -> str:
    """Try to take a service down while its containerd seems gone."""
    service.end_service()
    use(service, socket + "-not")
    done = hythe("down", "--purge", data_dir=service.data_dir)
    assert done.returncode == 1
    use(service, socket)
    service.up()
    return done.stderr


def _sandboxes(socket: str) -> list[str]:
    command = ["ctr", "--address", socket, "--namespace", "k8s.io", "containers", "ls", "-q"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


async def _run_as_a_kubelet(socket: str, service: Running) -> None:
    ctr = ["ctr", "--address", socket, "--namespace", "k8s.io", "images"]
    archive = next((service.data_dir / "cache").glob("pause-*.tar"))
    subprocess.run([*ctr, "import", str(archive)], check=True, capture_output=True)
    subprocess.run([*ctr, "tag", "hythe.local/pause:1", "localhost:1/pause:3.6"], check=True, capture_output=True)
    config = cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(name="pod", uid="u", namespace="default"),
        labels={"io.kubernetes.pod.uid": "u"},
        linux=cri.LinuxPodSandboxConfig(
            security_context=cri.LinuxSandboxSecurityContext(namespace_options=cri.NamespaceOption(network=cri.NODE))
        ),
    )
    containerd = Containerd(socket)
    known = cri.ImageStatusRequest(image=cri.ImageSpec(image="localhost:1/pause:3.6"))
    try:
        while not (await containerd.call("ImageStatus", known, cri.ImageStatusResponse)).image.id:
            await asyncio.sleep(0.01)  # CRI hears of it by an event
        await containerd.call("RunPodSandbox", cri.RunPodSandboxRequest(config=config), cri.RunPodSandboxResponse)
    finally:
        await containerd.close()


async def _remove_all(socket: str) -> None:
    containerd = Containerd(socket)
    known = cri.ImageStatusRequest(image=cri.ImageSpec(image="localhost:1/pause:3.6"))
    try:
        while not (await containerd.call("ImageStatus", known, cri.ImageStatusResponse)).image.id:
            await asyncio.sleep(0.01)  # CRI hears of it by an event
        for each in (
            await containerd.call("ListPodSandbox", cri.ListPodSandboxRequest(), cri.ListPodSandboxResponse)
        ).items:
            stop = cri.StopPodSandboxRequest(pod_sandbox_id=each.id)
            await containerd.call("StopPodSandbox", stop, cri.StopPodSandboxResponse)
            remove = cri.RemovePodSandboxRequest(pod_sandbox_id=each.id)
            await containerd.call("RemovePodSandbox", remove, cri.RemovePodSandboxResponse)
    finally:
        await containerd.close()
