"""The wheel, in an environment that has nothing else: the library and command line alone, then with the service."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from ..free_ports import free_port

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"
LIBRARY = """
import hythe, hythe.aio
from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file
from hythe.models import Container, ContainerGroup
for name in hythe.__all__:
    getattr(hythe, name)
with ContainerInstanceManagementClient("token", "subscription", base_url="https://localhost:1") as client:
    client.container_groups
print(hythe.__file__)
"""

pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]


class Bare:
    """An environment with what the wheel asks for and nothing else, away from the checkout."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.wheel = wheel
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        venv.create(folder / "venv", with_pip=True, symlinks=True)

    def run(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        unwanted = ("PYTHON", "HYTHE_", "AZURE_", "SSL_CERT_", "REQUESTS_CA_")
        variables = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        variables |= {"HYTHE_HOME": str(self.folder / "data"), "PATH": f"{self.bin}:{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=self.folder, env=variables, capture_output=True, text=True, timeout=200, check=False
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def install(self, extra: str = "") -> None:
        pip = (self.bin / "python", "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check")
        self.run(*pip, "install", "-c", ROOT / "constraints.txt", f"{self.wheel}{extra}")

    def hythe(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(self.bin / "hythe", *arguments, check=check)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("hythe-*-py3-none-any.whl")
    return made


def test_the_wheel_holds_the_package_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    written = {path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*") if path.is_file()}
    assert held == {name for name in written if "__pycache__" not in name}
    assert {"hythe/py.typed", "hythe/engines/containerd/samples/rootfs/wordcount/shakespeare.txt"} <= held


def test_the_library_and_the_command_line_alone_then_with_the_service(wheel: Path, tmp_path: Path) -> None:
    bare = Bare(wheel, tmp_path)
    bare.install()
    assert str(bare.bin.parent) in bare.run(bare.bin / "python", "-c", LIBRARY).stdout
    assert "run-with" in bare.hythe("--help").stdout

    doctor = bare.hythe("doctor", check=False)
    assert doctor.returncode == 1
    assert "missing  hythe[service]" in doctor.stdout
    assert f"{bare.bin / 'python'} -m pip install 'hythe[service]'" in doctor.stdout
    for command in (["up", "--engine", "sim"], ["down"]):
        refused = bare.hythe(*command, check=False)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
        assert refused.stderr.startswith("Error: cannot run a service: ")
        assert refused.stderr.endswith("Run: pip install 'hythe[service]'\n")

    bare.install("[service]")
    port = free_port()
    assert "Hythe answers" in bare.hythe("up", "--engine", "sim", "--detach", "--port", str(port)).stdout
    try:
        assert '"clientSecret"' in bare.hythe("sp", "create", "--sdk-auth").stdout
        assert "ok       hythe[service]" in bare.hythe("doctor", check=False).stdout
    finally:
        bare.hythe("down", "--purge")
    assert not (tmp_path / "data").exists()
