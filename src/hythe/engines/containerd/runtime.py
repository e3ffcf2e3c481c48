"""Chooses the program that starts containers: crun, or runc where crun does not work."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import platform
import shutil
from pathlib import Path

from ..base import EngineError, Transient
from . import tasks
from .config import Place
from .proto import cri_pb2 as cri
from .rpc import NAMESPACE, Containerd, NotFound

log = logging.getLogger(__name__)


_PAUSES = (0.05, 0.2, 1.0, 3.0, 9.0)
"""Seconds between tries to remove a sandbox."""
_PASSING = ("ttrpc: closed", "is in starting state")
"""What CRI says of a shim that has just ended with its container, under CRI's own kill, and of a container whose start
was asked for by a service that ended meanwhile."""


async def remove_sandbox(containerd: Containerd, identity: str) -> None:
    """End everything in a sandbox and remove it; gone already is fine.

    CRI ends one container after the other, and waits for each.  So all of them are killed at once before; not the
    sandbox's own process, whose end CRI would take for a failure.
    """
    mine = cri.ContainerFilter(pod_sandbox_id=identity)
    inside = await containerd.call("ListContainers", cri.ListContainersRequest(filter=mine), cri.ListContainersResponse)
    await asyncio.gather(
        *(tasks.kill(containerd, one.id) for one in inside.containers if one.state == cri.CONTAINER_RUNNING)
    )
    with contextlib.suppress(NotFound):
        for pause in (*_PAUSES, None):
            try:
                await containerd.call(
                    "StopPodSandbox", cri.StopPodSandboxRequest(pod_sandbox_id=identity), cri.StopPodSandboxResponse
                )
                for one in inside.containers:
                    await remove_container(containerd, one.id)
                await containerd.call(
                    "RemovePodSandbox",
                    cri.RemovePodSandboxRequest(pod_sandbox_id=identity),
                    cri.RemovePodSandboxResponse,
                )
                break
            except Transient as error:
                if pause is None or not any(word in str(error) for word in _PASSING):
                    raise
                await asyncio.sleep(pause)


async def remove_container(containerd: Containerd, identity: str) -> None:
    """Remove a container that does not run; gone already is fine."""
    request = cri.RemoveContainerRequest(container_id=identity)
    with contextlib.suppress(NotFound):
        try:
            await containerd.call("RemoveContainer", request, cri.RemoveContainerResponse)
        except Transient as error:
            if "cannot delete running task" not in str(error):
                raise
            # A start was cut short: containerd gives up what a service that died had asked for.
            await tasks.discard(containerd, identity)
            await containerd.call("RemoveContainer", request, cri.RemoveContainerResponse)


_NATIVE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}


class Runtime:
    """The runtime of one installation, found out once a boot, and the seccomp profile for its containers.

    The profile is containerd's own default one, for programs of this machine's architecture only: compiling it for the
    older ones too, which hardly any image has programs of, takes a third of the time that a container needs to start.
    """

    def __init__(self, place: Place, wanted: str, *, foreign: bool = False) -> None:
        self._place = place
        self._wanted = wanted
        self._foreign = foreign
        self._chosen = ""
        self._choosing = asyncio.Lock()
        """Two that try at once would be in each other's way, and both would believe that it does not work."""

    @property
    def _profile(self) -> Path:
        return self._place.state / "seccomp.json"

    @property
    def seccomp(self) -> cri.SecurityProfile:
        """The profile that sandboxes and containers get unless they ask for another."""
        if self._foreign or not self._profile.exists():
            return cri.SecurityProfile(profile_type=cri.SecurityProfile.RuntimeDefault)
        return cri.SecurityProfile(profile_type=cri.SecurityProfile.Localhost, localhost_ref=str(self._profile))

    async def choose(self, containerd: Containerd) -> str:
        """Take crun where it works, else runc; needs the sandbox image."""
        if self._chosen:
            return self._chosen
        async with self._choosing:
            return self._chosen or await self._find_out(containerd)

    async def _find_out(self, containerd: Containerd) -> str:
        remembered = self._place.state / "runtime"
        if remembered.exists():
            self._chosen = remembered.read_text()
            return self._chosen
        candidates = [self._wanted] if self._wanted != "auto" else ["crun"] if shutil.which("crun") else []
        works = [name for name in candidates if await self._works(containerd, name)]
        self._chosen = works[0] if works else "runc"
        if not works:
            await self._works(containerd, self._chosen)  # for the profile; what is wrong is said when it is used
        self._place.state.mkdir(parents=True, exist_ok=True)
        remembered.write_text(self._chosen)
        return self._chosen

    async def _works(self, containerd: Containerd, runtime: str) -> bool:
        """Try a runtime on a sandbox without a network."""
        security = cri.LinuxSandboxSecurityContext(
            namespace_options=cri.NamespaceOption(network=cri.NODE),
            seccomp=cri.SecurityProfile(profile_type=cri.SecurityProfile.RuntimeDefault),
        )
        config = cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name="probe", uid="probe", namespace=self._place.network),
            log_directory=str(self._place.logs / "probe"),
            linux=cri.LinuxPodSandboxConfig(security_context=security),
        )
        try:
            request = cri.RunPodSandboxRequest(config=config, runtime_handler=runtime)
            answer = await containerd.call("RunPodSandbox", request, cri.RunPodSandboxResponse)
        except EngineError as error:
            log.info("%s does not work here: %s", runtime, error)
            return False
        self._keep_profile(answer.pod_sandbox_id)
        await remove_sandbox(containerd, answer.pod_sandbox_id)
        shutil.rmtree(self._place.logs / "probe", ignore_errors=True)
        return True

    def _keep_profile(self, sandbox: str) -> None:
        """Keep the profile that containerd gave a sandbox, narrowed; another one's bundles are not ours to read."""
        bundle = self._place.state / "containerd" / "io.containerd.runtime.v2.task" / NAMESPACE / sandbox
        architecture = _NATIVE.get(platform.machine())
        try:
            profile = json.loads((bundle / "config.json").read_bytes())["linux"]["seccomp"]
        except (OSError, KeyError):
            return
        if architecture is not None:
            profile["architectures"] = [architecture]
            self._profile.write_text(json.dumps(profile))
