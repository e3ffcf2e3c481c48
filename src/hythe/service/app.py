"""The composition root: settings -> store, engine, loop, API.  The only place that knows everything."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import shutil
import signal
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop

from .. import __version__
from ..engines.base import Engine, EngineError, Images, Teardown
from ..engines.pod import Backoff
from ..models import ImageRegistryCredential
from .admin import Admin, ImagePort
from .control import Loop, Reconciler, show_lost, sweep
from .frugal import frugal
from .gate import Gate
from .handlers import Handlers
from .identity.desk import Identity
from .kinds import Admission
from .resource import Resources
from .settings import Settings, load
from .store import SqlStore, Subscription
from .streams import Streams
from .vault import Vault, load_key

__all__ = ["CannotStart", "load", "run", "take_down"]

log = logging.getLogger(__name__)

Say = Callable[[str], object]

_PATIENCE = 5.0
"""Seconds that a PUT waits for a registry to say whether it has an image."""
_SWEEP_SECONDS = 3600.0
_OURS = (
    "ca-bundle.pem", "ca.pem", "cache", "engine", "hythe.db", "hythe.db-shm", "hythe.db-wal", "installation", "lock",
    "my.azureauth", "secrets.key", "service.json", "service.log", "tls",
)  # fmt: skip
"""Everything that a service writes into its data dir."""


class CannotStart(Exception):
    """The service can't start; the sentence says why and what to do."""


def _now() -> datetime:
    return datetime.now(UTC)


# --- what a data dir holds --------------------------------------------------------------------------------------


@contextmanager
def _held(data_dir: Path) -> Iterator[None]:
    """Hold a data dir for this process alone.  Raises `CannotStart`."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data_dir / "lock").open("a+")
    except OSError as error:
        raise CannotStart(f"cannot use {data_dir}: {error.strerror}. Choose another folder with --data-dir.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"cannot use {data_dir}: another service runs there. "
                "Stop it with `hythe down`, or choose another folder with --data-dir."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _installation(data_dir: Path) -> str:
    """Give the installation's id, made on first start: owner label, links, subnet and chains carry it."""
    path = data_dir / "installation"
    if not path.exists():
        path.write_text(f"{uuid.uuid4().hex[:8]}\n")
    return path.read_text().strip()


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is done.  Raises `CannotStart`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(512)
    except OSError as error:
        taken.close()
        why = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror
        raise CannotStart(f"cannot listen on {host}:{port}: {why}. Choose another port with --port.") from None
    return taken


# --- the parts --------------------------------------------------------------------------------------------------


def _engine(settings: Settings, installation: str) -> Engine:
    """Make the engine that the settings name."""
    backoff = Backoff(**{name: getattr(settings.engine.backoff, name) for name in Backoff.__struct_fields__})
    if settings.engine.name == "sim":
        from ..engines.sim import SimulatedEngine

        return SimulatedEngine(backoff=backoff)
    if settings.engine.name != "containerd":
        raise CannotStart(f"cannot start: there is no engine '{settings.engine.name}'. Use containerd or sim.")
    if os.geteuid() != 0:
        raise CannotStart("cannot run containers: that needs root. Run it with sudo, or try it with --engine sim.")
    from ..engines.containerd import ContainerdEngine, Place
    from ..engines.containerd.samples import ALIASES

    place = Place(
        installation=installation,
        root=settings.data_dir / "engine",
        address=settings.engine.containerd.address,
    )
    return ContainerdEngine(place, aliases=ALIASES, backoff=backoff, runtime=settings.engine.containerd.runtime)


async def _prepare_images(shelf: ImagePort, data_dir: Path, say: Say) -> None:
    """See to it that the sandbox image and the samples are there; a sample that can't be made is left out."""
    from ..engines.containerd.samples import NAMES, PAUSE, CannotBuild, build

    there = {name for name, _ in await shelf.list_images()}
    for name in NAMES:
        if name in there:
            continue
        say(f"Making the image {name} from Debian packages")
        try:
            archive = await asyncio.to_thread(build, name, data_dir / "cache")
            await shelf.import_image(archive)
        except (CannotBuild, ValueError) as error:
            if name == PAUSE:
                raise CannotStart(str(error)) from None
            say(f"Left out: {error}")


def _accessible(engine: Engine) -> Callable[[str, str, Sequence[ImageRegistryCredential]], Any]:
    async def accessible(image: str, subscription: str, credentials: Sequence[ImageRegistryCredential]) -> bool:
        if not isinstance(engine, Images):
            return True
        return await engine.admits(image, subscription, credentials, _PATIENCE)

    return accessible


class _Parts(msgspec.Struct, kw_only=True):
    """What the server needs of a running service."""

    gate: Gate
    certificate: str
    key: str
    tenant: str
    subscription: str


@asynccontextmanager
async def _service(settings: Settings, installation: str, say: Say) -> AsyncIterator[_Parts]:
    """Put the parts together, start them, and end them in the opposite order."""
    data_dir = settings.data_dir
    store = SqlStore(data_dir / "hythe.db")
    vault = Vault(load_key(data_dir))
    tenant = store.fact("tenant")
    if tenant is None:
        tenant = str(uuid.uuid4())
        store.add_fact("tenant", tenant)
        store.add_subscription(Subscription(id=str(uuid.uuid4()), name="Hythe", tenant=tenant))
    subscription = store.subscriptions()[0].id
    url = f"https://localhost:{settings.service.port}"
    identity = Identity(data_dir, store, tenant=tenant, names=settings.service.names)
    identity.first_principal(url, subscription)
    engine = _engine(settings, installation)
    try:
        await engine.open()
        images: ImagePort | None = getattr(engine, "shelf", None)
        if images is not None:
            await _prepare_images(images, data_dir, say)
    except EngineError as error:
        await engine.close()
        raise CannotStart(str(error)) from None
    reconciler = Reconciler(
        store, engine, vault, clock=_now, provisioning_seconds=settings.service.provisioning_seconds
    )
    owner = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    loop = Loop(store, engine, reconciler.pass_over, owner=owner, clock=_now)
    admission = Admission(
        store=store, accessible=_accessible(engine), dns_suffix=settings.service.dns_suffix, tenant=tenant
    )
    resources = Resources(store, vault, loop, settings.service, admission)
    admin = Admin(store, identity.new_principal, identity.intercept, images)
    health = {"status": "ok", "version": __version__, "engine": engine.name}
    handlers = Handlers(store, resources, Streams(store, engine, settings.service.log_limit), admin, health)
    gate = Gate(
        handlers,
        authority=identity.authority,
        authority_paths=identity.is_authority_path,
        verify=identity.verify,
        hosts=identity.answers_for,
        may=identity.may,
        log_access=settings.service.access_log,
    )
    store.free_leases()  # whoever held them held this data dir, and does not any more
    await sweep(store, engine)
    await show_lost(store, engine)
    loop.start()
    loop.wake_all()
    sweeping = asyncio.create_task(_sweep_now_and_then(store, engine))
    try:
        yield _Parts(
            gate=gate,
            certificate=str(identity.certificate),
            key=str(identity.certificate_key),
            tenant=tenant,
            subscription=subscription,
        )
    finally:
        sweeping.cancel()
        await loop.stop()
        await engine.close()
        store.close()


async def _sweep_now_and_then(store: SqlStore, engine: Engine) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        with contextlib.suppress(EngineError):
            await sweep(store, engine)


# --- running ----------------------------------------------------------------------------------------------------


def run(settings: Settings, say: Say) -> None:
    """Run a service until it is told to end.  Raises `CannotStart`."""
    frugal()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # that it starts and ends is said here
    with _held(settings.data_dir):
        listener = _listen(settings.service.host, settings.service.port)
        with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, listener, say))


class _Server(uvicorn.Server):
    """A server that leaves signals to us: it would raise them again, and kill the process before it has cleaned up."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield

    def end(self) -> None:
        """Finish the requests under way, then end."""
        self.should_exit = True


async def _serve(settings: Settings, listener: socket.socket, say: Say) -> None:
    begun = time.monotonic()
    data_dir = settings.data_dir
    installation = _installation(data_dir)
    async with _service(settings, installation, say) as parts:
        server = _Server(
            uvicorn.Config(
                parts.gate,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                ssl_certfile=parts.certificate,
                ssl_keyfile=parts.key,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=5,
                ws="none",
            )
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.end)
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        url = f"https://localhost:{settings.service.port}"
        described = msgspec.json.encode(
            {
                "url": url,
                "pid": os.getpid(),
                "tenant": parts.tenant,
                "subscription": parts.subscription,
                "installation": installation,
                "engine": settings.engine.name,
            }
        )
        partial = data_dir / "service.partial"
        partial.write_bytes(described)
        partial.replace(data_dir / "service.json")
        say(f"Hythe answers at {url} ({settings.engine.name}, {time.monotonic() - begun:.1f} s). `hythe down` ends it.")
        try:
            await serving
        finally:
            with contextlib.suppress(FileNotFoundError):
                (data_dir / "service.json").unlink()


# --- taking down ------------------------------------------------------------------------------------------------


def take_down(data_dir: Path, *, purge: bool) -> None:
    """End every container of an installation whose service has ended; with ``purge`` remove all that it made."""
    settings = load(data_dir)
    if (data_dir / "engine").exists():  # an installation that only simulated has none
        engine = _engine(settings, _installation(data_dir))
        if isinstance(engine, Teardown):
            try:
                asyncio.run(engine.teardown(purge=purge))
            except EngineError as error:
                raise CannotStart(f"cannot remove the containers: {error}") from None
    if purge:
        for name in _OURS:
            path = data_dir / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            data_dir.rmdir()
