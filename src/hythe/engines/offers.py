"""What an engine may offer besides running groups: each thing a small protocol of its own, found with `isinstance`."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from msgspec import Struct

from ..models import AzureFileVolume, ContainerProbe, ImageRegistryCredential
from .base import Observed, Uid, Want


@runtime_checkable
class Logs(Protocol):
    """Gives what containers wrote."""

    async def logs(
        self, uid: Uid, container: str, *, tail: int | None, timestamps: bool, limit: int, previous: bool = False
    ) -> str | None:
        """Give the newest ``limit`` bytes of the newest attempt (or the one before), oldest line first.

        None if it never started (or there was none before).
        """


Run = tuple[int, int]
"""One run of a container: later ones are greater."""


@runtime_checkable
class Follow(Protocol):
    """Gives what a container writes as it writes it."""

    async def runs(self, uid: Uid, container: str) -> list[Run]:
        """Give the runs of which something is kept, oldest first; none if it never started."""

    def follow(
        self, uid: Uid, container: str, *, tail: int | None, timestamps: bool, run: Run | None, limit: int | None
    ) -> AsyncGenerator[bytes, None]:
        """Give what is kept of a run (the newest if it is None), oldest line first, then more, until it has ended.

        At most its last ``tail`` lines and ``limit`` bytes of what is kept, all of it where they are None.
        Raises `Refused` (LogNotAvailable) if there is no such run; `Transient` if what was not given yet is gone.
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
class Rejoins(Protocol):
    """Puts groups into virtual networks, which may grow."""

    async def rejoin(self, want: Want, seen: Observed) -> None:
        """See to it that a group that runs reaches all that its virtual network covers now.

        May be called at any time, and costs nothing where that is so.  Raises `Transient`.
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
