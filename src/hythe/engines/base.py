"""The boundary between what a container group should be and whatever runs it.

An engine is asked four things about one group at a time: what is there (`observe`), what should be done next
(`plan`, pure), to do one small step (`act`), and what it owns at all (`owned`).  Everything else that an engine
may offer - logs, exec, a stream of hints - is a small protocol of its own, found with `isinstance`.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NewType, Protocol, runtime_checkable

from msgspec import Struct

from ..models import AzureFileVolume, ContainerGroup, ContainerProbe, ImageRegistryCredential

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


@runtime_checkable
class Logs(Protocol):
    """Gives what containers wrote."""

    async def logs(
        self, uid: Uid, container: str, *, tail: int | None, timestamps: bool, limit: int, previous: bool = False
    ) -> str | None:
        """Give the newest ``limit`` bytes of the newest attempt (or the one before), oldest line first.

        None if it never started (or there was none before).
        """


@runtime_checkable
class Follow(Protocol):
    """Gives what a container writes as it writes it."""

    def follow(
        self, uid: Uid, container: str, *, tail: int | None, timestamps: bool, previous: bool, limit: int | None
    ) -> AsyncGenerator[bytes, None]:
        """Give what `Logs.logs` gives (all that is kept if ``limit`` is None), then more, until the attempt has ended.

        Raises `Refused` (LogNotAvailable) if it never started; `Transient` if what was not given yet is gone.
        """


STDOUT, STDERR = 1, 2


class Size(Struct, frozen=True, kw_only=True):
    """Size of a terminal, in characters."""

    rows: int = 24
    columns: int = 80


class Process(Protocol):
    """A process that was started in a container.  `close` it, whatever happened."""

    async def read(self) -> tuple[int, bytes] | None:
        """Give the next output with `STDOUT` or `STDERR`; None once the process has ended and all was given."""

    async def write(self, data: bytes) -> None:
        """Write to its standard input, waiting while that is full; no error if it has ended."""

    async def end_input(self) -> None:
        """End its standard input."""

    async def resize(self, size: Size) -> None:
        """Give its terminal another size."""

    async def wait(self) -> int:
        """Wait for its end and give its exit code."""

    async def close(self) -> None:
        """Kill it if it runs, and let go of what it needed."""


@runtime_checkable
class Exec(Protocol):
    """Runs commands in running containers."""

    async def exec(self, uid: Uid, container: str, command: Sequence[str], *, tty: Size | None, stdin: bool) -> Process:
        """Start a command; with ``tty`` in a terminal of that size, else with its two outputs apart.

        Raises `Refused`: ContainerNotRunning, CommandNotFound, CommandNotExecutable.
        """


class Input(Protocol):
    """The standard input of a container."""

    async def write(self, data: bytes) -> None:
        """Write to it, waiting while it is full; no error if the container has ended."""

    def close(self) -> None:
        """Let go of it: the container's standard input stays open."""


@runtime_checkable
class Attach(Protocol):
    """Reaches the standard input of running containers."""

    async def attach(self, uid: Uid, container: str) -> Input:
        """Open it.  Raises `Refused`: ContainerNotRunning, NoInput if it has none."""


@runtime_checkable
class Forward(Protocol):
    """Reaches ports inside a group."""

    async def connect(self, uid: Uid, port: int) -> socket.socket:
        """Connect to 127.0.0.1 inside a group; the socket does not block.

        Raises `Refused`: GroupNotRunning, PortNotReached.
        """


@runtime_checkable
class Copy(Protocol):
    """Copies files into and out of running containers.  No link leads it out of the container's own files."""

    def copy_out(self, uid: Uid, container: str, path: str, limit: int) -> AsyncGenerator[bytes, None]:
        """Give a tar stream of a file or folder, of at most ``limit`` bytes.

        Raises `Refused`: ContainerNotRunning, PathNotFound, ArchiveTooLarge.
        """

    async def copy_in(self, uid: Uid, container: str, path: str, archive: AsyncIterator[bytes], limit: int) -> None:
        """Unpack a tar stream of at most ``limit`` bytes into a folder.

        Raises `Refused`: ContainerNotRunning, PathNotFound, ArchiveTooLarge, InvalidArchive.
        """


class Usage(Struct, frozen=True, kw_only=True):
    """What one run of a container has used and holds."""

    id: str
    """Of the run: the counts of another one begin anew."""
    cpu: int
    """Nanoseconds of CPU since it began."""
    memory: int
    """Working set in bytes: what is held, without files that the kernel may drop."""


class Reading(Struct, frozen=True, kw_only=True):
    """What a group uses at one moment."""

    at: float
    """That moment, in seconds of a clock that is never set."""
    containers: dict[str, Usage] = {}
    """By name, those that run."""
    received: int | None = None
    """Bytes since the group's network was made; None if that can't be read."""
    sent: int | None = None


class Meter(Protocol):
    """Reads what one group uses, as long as the same containers run."""

    def read(self) -> Reading:
        """Read now.  It costs some microseconds, and raises nothing: what has ended is left out."""

    def close(self) -> None:
        """Let go of what it reads from."""


@runtime_checkable
class Stats(Protocol):
    """Measures what groups use."""

    async def meter(self, uid: Uid) -> Meter:
        """Give a meter for the containers of a group that run now; another is needed once others run."""


@runtime_checkable
class Watch(Protocol):
    """Tells when a look at a group would show something new.  A hint: it may be lost or come twice."""

    def watch(self) -> AsyncIterator[Uid]:
        """Give the uid of every group in which something happened, until closed."""


@runtime_checkable
class Glances(Protocol):
    """Looks at all groups at once, which costs little more than a look at one."""

    async def glance(self) -> dict[Uid, frozenset[tuple[str, int]]]:
        """Give for each group a mark of what there is of it: once that is another, a look would show something new."""


class Checked(Struct, frozen=True, kw_only=True):
    """What one run of a probe found."""

    ok: bool | None
    """None if it could not be found out: that says nothing about the container."""
    output: str = ""
    """What the command wrote, or what was wrong with the answer."""


@runtime_checkable
class Probing(Protocol):
    """Runs the probes of containers."""

    async def probe(self, container: str, address: str | None, ask: ContainerProbe, seconds: float) -> Checked:
        """Run a probe once: a command in the container with this id, or a request to the group's address.

        Taking longer than ``seconds`` is a failure of the probe.
        """


@runtime_checkable
class Listens(Protocol):
    """Lets the service answer inside the network of a group."""

    async def listen(self, uid: Uid, address: str, port: int) -> socket.socket:
        """Give a listening socket that is reached at this address by the containers of a group, and by nobody else.

        May be called again after the first socket was closed.  No port of the containers is taken by it.
        """

    def listen_outside(self) -> socket.socket | None:
        """Give a listening socket that groups reach where they ask for tokens, unless `listen` gave them their own.

        None if there is no way to have one.
        """


@runtime_checkable
class Collects(Protocol):
    """Makes room by removing images."""

    async def collect(self) -> list[str]:
        """Remove images that nothing uses, if the disk is fuller than it may be; give their names."""


@runtime_checkable
class Images(Protocol):
    """Knows which images can be had."""

    async def admits(
        self, image: str, subscription: str, credentials: Sequence[ImageRegistryCredential], patience: float
    ) -> tuple[str, str] | None:
        """Say why a subscription can't have an image, None if it can, or if that is not known after ``patience`` s.

        InaccessibleImage with a sentence more or none; RegistryErrorResponse with the registry that failed;
        OsVersionNotSupported for an image that is not for this kind of machine.
        """


@runtime_checkable
class WarmPool(Protocol):
    """Makes sandboxes ahead of the groups that will use them."""

    async def warm(self, uid: Uid) -> None:
        """Make the sandbox of a group that nothing is known of yet but its uid.  "Already so" is success.

        It has only what every group has; a group that needs more in its sandbox must not be given this uid.
        """


@runtime_checkable
class KeepsFiles(Protocol):
    """Keeps files of groups, which outlive what runs."""

    def kept(self) -> set[Uid]:
        """Give every group of which files are kept."""


FindShare = Callable[[AzureFileVolume], Awaitable[Path]]
"""Port: gives the directory of a file share.  Raises `Refused` if it can't be mounted, with a plain reason."""


@runtime_checkable
class MountsShares(Protocol):
    """Mounts file shares, which somebody else looks after."""

    find_share: FindShare


@runtime_checkable
class Teardown(Protocol):
    """Removes an installation."""

    async def teardown(self, *, purge: bool) -> None:
        """Stop every group and the engine's own processes; with ``purge`` also its files, rules and images."""
