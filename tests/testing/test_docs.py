"""Runs the Python of the how-to pages on a service of `hythe.testing`."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import pytest

import hythe
from hythe.models import Container, ContainerGroup, ResourceRequests, ResourceRequirements
from hythe.testing import Outcome, RunningService, Scripted

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


def blocks(page: str) -> list[str]:
    """Give the blocks that need nothing of Microsoft's."""
    found = re.findall(r"```python\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)
    return [each for each in found if not each.startswith("# needs")]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.toml").write_text("a = 1\n")
    (tmp_path / "logs").mkdir()
    (tmp_path / "compose.yaml").write_text("services: {web: {image: nginx, ports: [80]}}")


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        made.addfile(tarfile.TarInfo("app"))
    return file.getvalue()


def test_working_inside_a_group(
    hythe_service: RunningService, hythe_client: hythe.ContainerInstanceManagementClient
) -> None:
    shell = Scripted(out=b"$ ", exit_code=3)
    hythe_service.outcomes["web"] = Outcome(
        runs_for=1.0, log="hello\n", ports=frozenset({8080}), exec={"ls -l": Scripted(out=b"total 0\n"), "sh": shell}
    )
    needs = ResourceRequirements(requests=ResourceRequests(cpu=1.0, memory_in_gb=1.0))
    web = Container(name="web", image="i", resources=needs)
    hythe_client.apply(
        ContainerGroup(name="web", location="eastus", os_type="Linux", restart_policy="Never", containers=[web])
    )
    known: dict[str, object] = {}
    connecting, command, session, following, copying = blocks("work-inside-a-group.md")
    for block in (connecting, command, session):
        exec(block, known)  # noqa: S102 - our own pages
    inside = next(iter(hythe_service._engine.inside.values()))
    inside.files["web", "/var/log/app"] = tar()
    exec(copying, known)  # noqa: S102
    assert ("web", "/etc/app") in inside.files and (Path("logs") / "app").exists()
    exec(following, known)  # noqa: S102
    known["client"].close()  # type: ignore[attr-defined]


def test_applying_files(hythe_service: RunningService, capsys: pytest.CaptureFixture[str]) -> None:
    known: dict[str, object] = {}
    for block in blocks("apply-compose-and-pods.md"):
        exec(block, known)  # noqa: S102
    said = capsys.readouterr().out
    assert "would be created" in said and "USD for 24 h in eastus" in said
    known["client"].close()  # type: ignore[attr-defined]


def test_testing(hythe_service: RunningService, capsys: pytest.CaptureFixture[str]) -> None:
    marked, plain = blocks("test-your-aci-code.md")
    exec(plain, {})  # noqa: S102
    assert capsys.readouterr().out == "hello\n\n"
    known: dict[str, object] = {}
    exec(marked, known)  # noqa: S102
    (mark,) = known["test_a_failed_task_is_reported"].pytestmark  # type: ignore[attr-defined]
    hythe_service.outcomes.update(mark.kwargs["outcomes"])
    with hythe_service.client() as client:
        known["test_a_failed_task_is_reported"](client)  # type: ignore[operator]
