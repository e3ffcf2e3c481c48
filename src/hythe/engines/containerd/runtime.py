"""Chooses the program that starts containers: crun, or runc where crun does not work."""

from __future__ import annotations

import contextlib
import logging
import shutil

from ..base import EngineError
from .config import Place
from .proto import cri_pb2 as cri
from .rpc import Containerd, NotFound

log = logging.getLogger(__name__)


async def remove_sandbox(containerd: Containerd, identity: str) -> None:
    """End everything in a sandbox and remove it; gone already is fine."""
    with contextlib.suppress(NotFound):
        await containerd.call(
            "StopPodSandbox", cri.StopPodSandboxRequest(pod_sandbox_id=identity), cri.StopPodSandboxResponse
        )
        await containerd.call(
            "RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=identity), cri.RemovePodSandboxResponse
        )


class Runtime:
    """The runtime of one installation, found out once a boot."""

    def __init__(self, place: Place, wanted: str) -> None:
        self._place = place
        self._chosen = wanted

    async def choose(self, containerd: Containerd) -> str:
        """Take crun where it works, else runc; needs the sandbox image."""
        if self._chosen != "auto":
            return self._chosen
        remembered = self._place.state / "runtime"
        if remembered.exists():
            self._chosen = remembered.read_text()
            return self._chosen
        self._chosen = "crun" if shutil.which("crun") and await self._works(containerd, "crun") else "runc"
        self._place.state.mkdir(parents=True, exist_ok=True)
        remembered.write_text(self._chosen)
        return self._chosen

    async def _works(self, containerd: Containerd, runtime: str) -> bool:
        """Try a runtime on a sandbox without a network."""
        config = cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name="probe", uid="probe", namespace=self._place.network),
            log_directory=str(self._place.logs / "probe"),
            linux=cri.LinuxPodSandboxConfig(
                security_context=cri.LinuxSandboxSecurityContext(
                    namespace_options=cri.NamespaceOption(network=cri.NODE)
                )
            ),
        )
        try:
            request = cri.RunPodSandboxRequest(config=config, runtime_handler=runtime)
            answer = await containerd.call("RunPodSandbox", request, cri.RunPodSandboxResponse)
        except EngineError as error:
            log.info("%s does not work here: %s", runtime, error)
            return False
        await remove_sandbox(containerd, answer.pod_sandbox_id)
        shutil.rmtree(self._place.logs / "probe", ignore_errors=True)
        return True
