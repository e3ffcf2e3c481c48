"""What is there when a page is read: simulated containers that do what its programs would, and the reader's files."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

from msgspec import Struct

from hythe.models import Container, ContainerGroup, ResourceRequests, ResourceRequirements
from hythe.testing import Outcome, RunningService, Scripted

REAL = ("README.md", "docs/tutorial/first-group.md")
"""Pages that begin with `hythe up`: read on real containers, by tests/real/test_docs.py."""

ECHO = Outcome(runs_for=0.05, log="hello\n")


class Scene(Struct, frozen=True):
    """What a page takes for granted."""

    outcomes: dict[str, Outcome] = {}
    files: dict[str, str] = {}
    prepare: Callable[[RunningService], None] = lambda service: None
    ends: str = ""
    """Just before the block with these words the container of the group `web` ends."""


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        made.addfile(tarfile.TarInfo("app"))
    return file.getvalue()


def _web(service: RunningService) -> None:
    """Make the group that the page works inside of; its container has a log file."""
    needs = ResourceRequirements(requests=ResourceRequests(cpu=1.0, memory_in_gb=1.0))
    web = Container(name="web", image="i", resources=needs)
    with service.client() as client:
        client.apply(
            ContainerGroup(name="web", location="eastus", os_type="Linux", restart_policy="Never", containers=[web])
        )
    inside = next(iter(service._engine.inside.values()))
    inside.files["web", "/var/log/app"] = _tar()


def _folder(service: RunningService) -> None:
    with service.client() as client:
        client.ensure_resource_group("rg", "eastus")


SCENES = {
    "docs/how-to/come-from-azure-mgmt-containerinstance.md": Scene(outcomes={"task": ECHO}, prepare=_folder),
    "docs/how-to/come-from-az.md": Scene(outcomes={"alpine": ECHO}),
    "docs/how-to/come-from-docker-compose.md": Scene(outcomes={"names": Outcome(runs_for=0.0)}),
    "docs/how-to/test-your-aci-code.md": Scene(),
    "docs/how-to/apply-compose-and-pods.md": Scene(
        files={"compose.yaml": "services: {web: {image: nginx, ports: [80]}}"}
    ),
    "docs/how-to/work-inside-a-group.md": Scene(
        outcomes={
            "web": Outcome(
                log="hello\n", ports=frozenset({8080}),
                exec={"ls -l": Scripted(out=b"total 0\n"), "sh": Scripted(out=b"$ ", exit_code=3, reads=True)},
            )
        },
        files={"settings.toml": "a = 1\n", "logs/.keep": ""},
        prepare=_web,
        ends="logs(follow=True)",
    ),
}  # fmt: skip
