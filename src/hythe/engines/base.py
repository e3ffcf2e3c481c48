"""The boundary between what a container group should be and whatever runs it.

An engine is asked four things about one group at a time: what is there (`observe`), what should be done next
(`plan`, pure), to do one small step (`act`), and what it owns at all (`owned`).  Everything else that an engine
may offer - logs, exec, a stream of hints - is in `offers`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NewType, Protocol

from msgspec import Struct

from ..models import ContainerGroup

Uid = NewType("Uid", str)
"""Identity of one life of a group: 32 hex digits, stored before anything is created."""


# --- what should be ---------------------------------------------------------------------------------------------


class Finished(Struct, frozen=True, kw_only=True):
    """How a container ended."""

    exit_code: int
    reason: str = ""
    """Empty, or why the runtime says it ended: ``OOMKilled``, ``StartError`` ..."""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Record(Struct, kw_only=True, omit_defaults=True):
    """What must be remembered of one container although the engine may have lost it.

    Written by: control, from what `Engine.plan` returns and from what `Engine.act` raised.
    """

    epoch: int = 0
    ran_as: str = ""
    """Digest of the definition that the newest attempt was made from; empty before the first."""
    attempt: int = 0
    """Number of the newest attempt in this epoch, from 0: how often it was restarted."""
    running: bool = False
    started_at: datetime | None = None
    last: Finished | None = None
    """How the newest attempt ended; None while it runs or before it ever ran."""
    previous: Finished | None = None
    """How the attempt before ended."""
    backoff: float = 0.0
    """Seconds between the end of the newest attempt and the next one."""
    stopped: bool = False
    """Ended because the caller stopped the group."""
    unhealthy: bool = False
    """Ended because its liveness probe failed: it is to run again whatever its exit code was."""
    waiting: str = ""
    """Why it does not run though it should, for example ``ErrImagePull: ...``."""
    failures: int = 0
    """Steps for it that failed in a row."""
    retry_at: datetime | None = None
    """When the failed step is tried again."""


class Joined(Struct, frozen=True, kw_only=True):
    """Where a group is in a virtual network."""

    network: str
    """Identity of the network: groups of one reach each other, and no others."""
    address: str
    """The group's address there."""
    ranges: tuple[str, ...]
    """What is reached in the network, as ``10.0.0.0/16``."""


class Want(Struct, kw_only=True):
    """What one group should be: a row of the store, opened."""

    uid: Uid
    name: str
    subscription: str
    group: ContainerGroup
    """The definition, with its secrets."""
    desired: str = "run"
    """run or stop; for a group that is to be gone nothing is planned, `Engine.forget` ends it."""
    epoch: int = 0
    """Raised by every start and restart: containers of an older epoch are replaced."""
    records: dict[str, Record] = {}
    """By container name, init containers too."""
    joined: Joined | None = None
    """The virtual network that it is in; it has an address of the machine's besides."""


# --- what is ----------------------------------------------------------------------------------------------------


class SandboxSeen(Struct, frozen=True, kw_only=True):
    """The shared part of a group: its namespaces and its address."""

    id: str
    ready: bool
    attempt: int = 0
    ip: str | None = None
    created_at: datetime | None = None


class ContainerSeen(Struct, frozen=True, kw_only=True):
    """One attempt of one container, as the engine has it."""

    name: str
    id: str
    state: str
    """created, running, exited or unknown."""
    epoch: int = 0
    attempt: int = 0
    spec: str = ""
    """Digest of the definition that it was made from."""
    image: str = ""
    started_at: datetime | None = None
    finished: Finished | None = None
    cut_short: bool = False
    """Whether its start failed while nobody heard why: most often because whoever asked for it died."""
    live: bool = True
    """False once its liveness probe has failed often enough.  Filled in by control, which has it probed."""
    ready: bool = True
    """False while its readiness probe fails, or has not succeeded yet.  Filled in by control."""


class VolumeSeen(Struct, frozen=True, kw_only=True):
    """A volume that was made ready."""

    spec: str
    """Digest of the definition that it was made from."""
    epoch: int = 0
    """The newest epoch that it was made ready for."""


class Observed(Struct, frozen=True, kw_only=True):
    """All that the engine has of one group; nothing at all is an ordinary answer."""

    sandbox: SandboxSeen | None = None
    stale: tuple[str, ...] = ()
    """Ids of further sandboxes of the same group that should not be there."""
    containers: tuple[ContainerSeen, ...] = ()
    volumes: dict[str, VolumeSeen] = {}
    """By name: the volumes that can be mounted."""
    config_maps: dict[str, str] = {}
    """By container: the digest of the files of its config map; a container without such files is not named."""


# --- what to do -------------------------------------------------------------------------------------------------


class Action(Struct, frozen=True, kw_only=True, tag_field="do"):
    """One small step, safe to repeat."""


class RunSandbox(Action, frozen=True, kw_only=True):
    """Make namespaces and address."""

    attempt: int = 0


class RemoveSandbox(Action, frozen=True, kw_only=True):
    """End everything in a sandbox and remove it."""

    id: str


class PrepareVolume(Action, frozen=True, kw_only=True):
    """Make a volume ready to be mounted: its directory, its files, its clone."""

    volume: str
    spec: str
    containers: tuple[str, ...]
    """Those that mount it, and that wait if it can't be had."""


class RemoveVolumes(Action, frozen=True, kw_only=True):
    """Remove what volumes of a group hold; shares stay as they are."""

    names: tuple[str, ...]


class WriteConfigMap(Action, frozen=True, kw_only=True):
    """Write the files of a container's config map; a container that runs sees the change."""

    container: str
    spec: str


class PullImage(Action, frozen=True, kw_only=True):
    """See to it that an image is there."""

    container: str
    image: str


class RunContainer(Action, frozen=True, kw_only=True):
    """Create a container and start it."""

    name: str
    attempt: int
    spec: str


class StartContainer(Action, frozen=True, kw_only=True):
    """Start a container that was created and not started."""

    name: str
    id: str


class StopContainer(Action, frozen=True, kw_only=True):
    """End a container: politely, then for good after ``grace`` seconds."""

    name: str
    id: str
    grace: int = 30


class RemoveContainer(Action, frozen=True, kw_only=True):
    """Remove an ended container; its log stays."""

    name: str
    id: str


class Happened(Struct, frozen=True, kw_only=True):
    """Something worth an event: ``Pulling``, ``Pulled``, ``Started``, ``Killing``, ``Failed``, ``BackOff`` ..."""

    container: str
    name: str
    message: str
    type: str = "Normal"


class Plan(Struct, frozen=True, kw_only=True):
    """What comes next: actions in order; else wait until a time; else nothing, the group is as it should be."""

    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    records: dict[str, Record] = {}
    """The records as they are after this look: what the caller stores."""
    happened: tuple[Happened, ...] = ()


# --- what can go wrong ------------------------------------------------------------------------------------------


class EngineError(Exception):
    """Base of the four errors that an engine may raise."""


class Transient(EngineError):
    """Not now: try again after ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(Transient):
    """What was asked for has begun and goes on by itself; `Watch` tells when it is over."""

    def __init__(self, message: str, happened: tuple[Happened, ...] = ()) -> None:
        super().__init__(message, retry_after=10.0)
        self.happened = happened


class Refused(EngineError):
    """This will not work as it is defined: bad command, image that can't be had."""

    def __init__(self, reason: str, message: str, container: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.container = container


class Unsupported(EngineError):
    """This engine can't do that."""


class Lost(EngineError):
    """The engine does not answer; nothing is known."""


VOLUMES = frozenset({"azureFile", "emptyDir", "gitRepo", "secret"})
"""Every source of a volume that there is, apart from key vaults."""


class Capabilities(Struct, frozen=True, kw_only=True):
    """What an engine can do, as data: read by admission, shown by `hythe doctor`."""

    engine: str
    runtime: str = ""
    volumes: frozenset[str] = frozenset()
    probes: bool = False
    init_containers: bool = False
    subnets: bool = False
    """Groups can be in virtual networks."""
    kept_ranges: tuple[str, ...] = ()
    """Ranges of which groups get their addresses on this machine."""


class Engine(Protocol):
    """Runs container groups.  Every method may be called again at any time and from any state."""

    name: str
    can: Capabilities

    async def open(self) -> None:
        """Connect, starting what the engine needs.  Raises `Lost` with a sentence if that can't be."""

    async def close(self) -> None:
        """Let go of connections; containers keep running."""

    async def observe(self, uid: Uid) -> Observed:
        """Look at one group now.  Missing is empty, never an error."""

    def plan(self, want: Want, seen: Observed, now: datetime) -> Plan:
        """Decide what comes next.  Pure: same arguments, same answer."""

    async def act(self, want: Want, seen: Observed, action: Action) -> tuple[Happened, ...]:
        """Do one step and say what happened.  "Already so" is success.  Raises the four errors above, no others."""

    def owned(self, *, ready: bool = False) -> AsyncIterator[Uid]:
        """Give every group that this installation has anything of, and no other's.

        With ``ready`` only those whose sandbox works: after a reboot there is none, though the engine may know them.
        """

    async def forget(self, uid: Uid) -> None:
        """End every process of a group: none runs, and no port answers, when this returns.

        What they leave - namespaces, address, logs, files - is removed by then or right after, and `owned` does not
        give it.  Nothing there is an ordinary case.
        """
