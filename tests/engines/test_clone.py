"""What is told of a clone that failed, against a containerd that is pretended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hythe.engines.base import Refused, SandboxSeen, Uid, Want
from hythe.engines.containerd.clone import Cloner, GitLimits
from hythe.engines.containerd.config import Place
from hythe.engines.containerd.proto import cri_pb2 as cri
from hythe.engines.containerd.samples import GIT
from hythe.models import ContainerGroup, GitRepoVolume


class Shelf:
    """Has the image with git."""

    async def every(self, _: object) -> list[tuple[str, str]]:
        """Give it."""
        return [(GIT, "")]


class Runtime:
    """Has no profile."""

    seccomp = cri.SecurityProfile()


class Slow:
    """A containerd in which git has ended at once, and whose log gets git's last words after some looks."""

    def __init__(self, log: Path) -> None:
        log.parent.mkdir(parents=True)
        self.log = log
        self.looks = 0

    async def call(self, method: str, request: Any, answer: Any) -> Any:
        """Answer a call of CRI."""
        if method == "StartContainer":
            self.file = self.log.open("a")
        if method != "ContainerStatus":
            return answer()
        self.looks += 1
        if self.looks == 3:
            self.file.write("2026-11-25T06:53:06.62303184Z stderr F fatal: Authentication failed\n")
            self.file.close()
        status = cri.ContainerStatus(state=cri.CONTAINER_EXITED, exit_code=128, log_path=str(self.log))
        return cri.ContainerStatusResponse(status=status)


async def test_the_reason_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "state", property(lambda _: tmp_path / "state"))
    place = Place(installation="0000000i", root=tmp_path / "root")
    containerd = Slow(place.logs / "u" / ".clone" / "v.log")
    cloner = Cloner(place, Shelf(), Runtime(), GitLimits())  # type: ignore[arg-type]
    wanted = Want(uid=Uid("u"), name="g", subscription="s", group=ContainerGroup(containers=[]))
    source = GitRepoVolume(repository="http://git.example/page.git")
    sandbox = SandboxSeen(id="s", ready=True)

    with pytest.raises(Refused, match="Authentication failed"):
        await cloner.clone(containerd, wanted, sandbox, "v", source, tmp_path / "volume")  # type: ignore[arg-type]
