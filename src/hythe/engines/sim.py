"""Simulates containers: outcomes and delays are data.  For unit tests and for people without containers.

It goes through the same planner as containerd, so the sequence of a group's life is the real one; only the processes
are pretended.  Never chosen silently: somebody has to name it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ..models import AzureFileVolume, ContainerProbe, ImageRegistryCredential
from . import pod
from .base import (
    VOLUMES,
    Action,
    Capabilities,
    ContainerSeen,
    Finished,
    Happened,
    Observed,
    Plan,
    PrepareVolume,
    PullImage,
    Refused,
    RemoveContainer,
    RemoveSandbox,
    RemoveVolumes,
    RunContainer,
    RunSandbox,
    SandboxSeen,
    StartContainer,
    StopContainer,
    Uid,
    VolumeSeen,
    Want,
    WriteConfigMap,
)
from .offers import Checked, FindShare, Reading, Usage
from .pod.volumes import failed_mount
from .sim_streams import Pretended, Scripted, SimulatedStreams


class Outcome(Struct, frozen=True, kw_only=True):
    """What a simulated container does."""

    runs_for: float | None = None
    """Seconds until it ends by itself; None for never."""
    exit_code: int = 0
    reason: str = ""
    log: str = ""
    exec: dict[str, Scripted] = {}
    """What commands do in it, by their words with a blank between them; no others are there."""
    ports: frozenset[int] = frozenset()
    """Ports that give back what they are sent."""
    stops_with: int = 137
    """Its exit code when it is asked to end."""
    probes: tuple[bool, ...] = (True,)
    """What its probes find, one after the other; the last stays."""
    pull_error: str = ""
    """If not empty, its image can't be had, for this reason; ``RegistryErrorResponse``: its registry fails."""
    pull_seconds: float = 0.0
    """How long the pull of its image takes."""
    mount_error: str = ""
    """If not empty, the volume of this name can't be mounted, for this reason."""
    millicores: float = 0.0
    """How much CPU it uses."""
    memory: int = 0
    """Its working set, in bytes."""
    receives: float = 0.0
    """Bytes a second that its group receives for it."""
    sends: float = 0.0


FOREVER = Outcome()
_ADDRESSES = ipaddress.ip_network("198.18.0.0/16")  # set aside for benchmarks: nothing real answers there


class _Group(Struct, kw_only=True):
    sandbox: SandboxSeen | None = None
    containers: dict[str, ContainerSeen] = {}
    volumes: dict[str, VolumeSeen] = {}
    config_maps: dict[str, str] = {}


class SimulatedMeter:
    """Reads what is scripted, as long as it is open."""

    def __init__(self, running: list[tuple[ContainerSeen, Outcome]], clock: Callable[[], datetime]) -> None:
        self._running = running
        self._clock = clock

    def read(self) -> Reading:
        """Multiply what is scripted with how long each container has run."""
        now = self._clock()
        usage, received, sent = {}, 0.0, 0.0
        for one, outcome in self._running:
            seconds = (now - (one.started_at or now)).total_seconds()
            usage[one.name] = Usage(id=one.id, cpu=int(1e6 * outcome.millicores * seconds), memory=outcome.memory)
            received += outcome.receives * seconds
            sent += outcome.sends * seconds
        return Reading(at=now.timestamp(), containers=usage, received=int(received), sent=int(sent))

    def close(self) -> None:
        """Forget the containers."""
        self._running = []


async def _any_share(volume: AzureFileVolume) -> Path:
    """Pretend that every share is there, until the service says which are."""
    return Path(volume.share_name)


def _now() -> datetime:
    return datetime.now(UTC)


class SimulatedEngine(SimulatedStreams):
    """An engine whose containers are rows in memory."""

    name = "sim"

    def __init__(
        self,
        outcomes: dict[str, Outcome] | None = None,
        *,
        clock: Callable[[], datetime] = _now,
        backoff: pod.Backoff | None = None,
        grace: int = pod.GRACE,
    ) -> None:
        super().__init__()
        self.outcomes: dict[str, Outcome] = outcomes or {}
        """By container name, volume name or image; a container that is in none runs until it is stopped."""
        self.find_share: FindShare = _any_share
        self.can: Capabilities = Capabilities(
            engine=self.name,
            runtime="simulated",
            volumes=VOLUMES,
            init_containers=True,
            probes=True,
            subnets=True,
            kept_ranges=(str(_ADDRESSES),),
        )
        self.groups: dict[Uid, _Group] = {}
        self._clock = clock
        self._backoff = backoff or pod.Backoff()
        self._grace = grace
        self._outcomes_of: dict[str, Outcome] = {}
        """By container id."""
        self._probed: dict[str, int] = {}
        self.listeners: dict[Uid, tuple[str, int]] = {}
        """Where it is listened for groups: on ports of 127.0.0.1."""
        self._hints: asyncio.Queue[Uid] = asyncio.Queue()
        self._count = 0
        self._timers: set[asyncio.TimerHandle] = set()

    async def open(self) -> None:
        """Have nothing to do."""

    async def close(self) -> None:
        """Forget the timers of this event loop; the pretended containers stay."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for echo in self._echoes:
            echo.cancel()

    async def teardown(self, *, purge: bool) -> None:
        """Remove every group."""
        self.groups.clear()

    def _outcome(self, want: Want, name: str) -> Outcome:
        every = [*(want.group.init_containers or ()), *(want.group.containers or ())]
        image = next((one.image for one in every if one.name == name), "") or ""
        return self.outcomes.get(name) or self.outcomes.get(image) or FOREVER

    def _identity(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count}"

    def container(self, uid: Uid, name: str) -> ContainerSeen | None:
        """Give the newest attempt of a container."""
        group = self.groups.get(uid)
        mine = [one for one in group.containers.values() if one.name == name] if group else []
        return mine[-1] if mine else None

    async def observe(self, uid: Uid) -> Observed:
        """Give what is pretended."""
        group = self.groups.get(uid)
        if group is None:
            return Observed()
        return Observed(
            sandbox=group.sandbox,
            containers=tuple(group.containers.values()),
            volumes={**group.volumes},
            config_maps={**group.config_maps},
        )

    def plan(self, want: Want, seen: Observed, now: datetime) -> Plan:
        """Decide by the common planner."""
        return pod.plan(want, seen, now, self._backoff, grace=self._grace)

    async def act(self, want: Want, seen: Observed, action: Action) -> tuple[Happened, ...]:
        """Pretend one step."""
        group = self.groups.setdefault(want.uid, _Group())
        match action:
            case RunSandbox(attempt=attempt):
                self._run_sandbox(group, attempt)
            case RemoveSandbox():
                del self.groups[want.uid]
            case PrepareVolume():
                await self._prepare(group, want, action)
            case RemoveVolumes(names=names):
                for name in names:
                    group.volumes.pop(name, None)
            case WriteConfigMap(container=container, spec=spec):
                group.config_maps[container] = spec
            case PullImage(container=container, image=image):
                outcome = self._outcome(want, container)
                await asyncio.sleep(outcome.pull_seconds)
                if outcome.pull_error:
                    raise Refused("ErrImagePull", f'Failed to pull image "{image}": {outcome.pull_error}', container)
            case RunContainer():
                return self._run(group, want, action)
            case StartContainer() | RemoveContainer() if action.id not in group.containers:
                return ()
            case RemoveContainer(id=identity):
                del group.containers[identity]
            case StopContainer(id=identity, name=name):
                self._end(want.uid, identity, self._outcome(want, name).stops_with, "")
                return (Happened(container=name, name="Killing", message=f"Killing container with id {identity}."),)
        return ()

    def _run_sandbox(self, group: _Group, attempt: int) -> None:
        if group.sandbox is None:
            self._count += 1
            address = str(_ADDRESSES[self._count % _ADDRESSES.num_addresses])
            group.sandbox = SandboxSeen(
                id=self._identity("sandbox"), ready=True, attempt=attempt, ip=address, created_at=self._clock()
            )

    async def warm(self, uid: Uid) -> None:
        """Pretend a sandbox ahead of its group."""
        self._run_sandbox(self.groups.setdefault(uid, _Group()), 0)

    async def _prepare(self, group: _Group, want: Want, action: PrepareVolume) -> None:
        volume = next(one for one in want.group.volumes or () if one.name == action.volume)
        outcome = self.outcomes.get(action.volume)
        try:
            if outcome is not None and outcome.mount_error:
                raise Refused("FailedMount", outcome.mount_error)
            if volume.azure_file is not None:
                await self.find_share(volume.azure_file)
        except Refused as error:
            raise failed_mount(action.volume, str(error)) from None
        group.volumes[action.volume] = VolumeSeen(spec=action.spec, epoch=want.epoch)

    def _run(self, group: _Group, want: Want, action: RunContainer) -> tuple[Happened, ...]:
        if any(
            (one.name, one.epoch, one.attempt) == (action.name, want.epoch, action.attempt)
            for one in group.containers.values()
        ):
            return ()
        outcome = self._outcome(want, action.name)
        identity = self._identity("container")
        group.containers[identity] = ContainerSeen(
            name=action.name,
            id=identity,
            state="running",
            epoch=want.epoch,
            attempt=action.attempt,
            spec=action.spec,
            started_at=self._clock(),
        )
        inside = self.inside.setdefault(want.uid, Pretended())
        inside.scripts[action.name] = outcome
        inside.logs.setdefault(action.name, []).append(outcome.log)
        self._outcomes_of[identity] = outcome
        inside.begun.setdefault(action.name, []).append(self._clock())
        self._tell()
        if outcome.runs_for is not None:
            loop = asyncio.get_running_loop()
            self._timers.add(
                loop.call_later(outcome.runs_for, self._end, want.uid, identity, outcome.exit_code, outcome.reason)
            )
        return (Happened(container=action.name, name="Started", message="Started container"),)

    def end(self, uid: Uid, name: str, exit_code: int, reason: str) -> None:
        """Have a running container end now; one that does not run stays as it is."""
        seen = self.container(uid, name)
        if seen is not None:
            self._end(uid, seen.id, exit_code, reason)

    def _end(self, uid: Uid, identity: str, exit_code: int, reason: str) -> None:
        group = self.groups.get(uid)
        container = group.containers.get(identity) if group else None
        if group is None or container is None or container.state != "running":
            return
        finished = Finished(
            exit_code=exit_code, reason=reason, started_at=container.started_at, finished_at=self._clock()
        )
        group.containers[identity] = replace(container, state="exited", finished=finished)
        self._hints.put_nowait(uid)
        self._tell()

    async def meter(self, uid: Uid) -> SimulatedMeter:
        """Give a meter that reads what is scripted for the containers that run now."""
        group = self.groups.get(uid)
        running = [one for one in group.containers.values() if one.state == "running"] if group else []
        return SimulatedMeter([(one, self._outcomes_of[one.id]) for one in running], self._clock)

    async def owned(self, *, ready: bool = False) -> AsyncIterator[Uid]:
        """Give every group that is pretended."""
        for uid, group in [*self.groups.items()]:
            if not ready or (group.sandbox is not None and group.sandbox.ready):
                yield uid

    async def forget(self, uid: Uid) -> None:
        """Drop the group."""
        self.groups.pop(uid, None)
        self.inside.pop(uid, None)
        self._tell()

    async def watch(self) -> AsyncIterator[Uid]:
        """Give the group of every container that ended by itself."""
        while True:
            yield await self._hints.get()

    async def probe(self, container: str, address: str | None, ask: ContainerProbe, seconds: float) -> Checked:
        """Give the next scripted result."""
        found = self._outcomes_of[container].probes
        number = self._probed[container] = self._probed.get(container, -1) + 1
        ok = found[min(number, len(found) - 1)]
        return Checked(ok=ok, output="" if ok else "scripted")

    async def listen(self, uid: Uid, address: str, port: int) -> socket.socket:
        """Listen on any port of 127.0.0.1 instead."""
        held = socket.create_server(("127.0.0.1", 0))
        held.setblocking(False)
        self.listeners[uid] = held.getsockname()
        return held

    def listen_outside(self) -> socket.socket | None:
        """Give none: nothing leads to it."""
        return None

    async def admits(
        self, image: str, subscription: str, credentials: Sequence[ImageRegistryCredential], patience: float
    ) -> tuple[str, str] | None:
        """Say nothing: a pretended image can be had, unless its outcome says otherwise."""
        outcome = self.outcomes.get(image)
        if outcome is None or not outcome.pull_error:
            return None
        code, _, words = outcome.pull_error.partition(" ")
        return (
            (code, words) if code in ("RegistryErrorResponse", "OsVersionNotSupported") else ("InaccessibleImage", "")
        )
