"""The composition root: settings -> store, engine, loop, API.  The only place that knows everything."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import uvicorn
import uvloop

from .. import machine
from ..engines.base import Engine, EngineError
from ..engines.offers import Collects, Teardown
from ..engines.pod import Backoff
from .admin import ImagePort
from .build import build
from .control import show_lost, sweep
from .frugal import frugal, give_back, many_files
from .gate import Gate
from .gateway import Doors
from .identity.desk import Identity
from .identity.host import HostEndpoint
from .installation import CannotStart, held, installation_id, listen, remove_files
from .settings import Settings, load
from .shares import Shares
from .sockets import MOST_FRAME, without_tickets
from .store import SqlStore, StoreFailed, Subscription
from .store.history import History
from .vault import Vault, load_key

__all__ = ["CannotStart", "load", "run", "take_down"]

log = logging.getLogger(__name__)

Say = Callable[[str], object]

_SWEEP_SECONDS = 600.0
_TRIM_SECONDS = 10.0
_COLLECT_SECONDS = 300.0
_GOODBYE_SECONDS = 0.1
"""For which a peer may take in that its connection is closed."""


# --- the parts --------------------------------------------------------------------------------------------------


def _engine(settings: Settings, installation: str) -> Engine:
    """Make the engine that the settings name."""
    backoff = Backoff(**{name: getattr(settings.engine.backoff, name) for name in Backoff.__struct_fields__})
    if settings.engine.name == "sim":
        from ..engines.sim import SimulatedEngine

        return SimulatedEngine(backoff=backoff, grace=settings.engine.grace_seconds)
    if settings.engine.name != "containerd":
        raise CannotStart(f"cannot start: there is no engine '{settings.engine.name}'. Use containerd or sim.")
    if os.geteuid() != 0:
        raise CannotStart("cannot run containers: that needs root. Run it with sudo, or try it with --engine sim.")
    from ..engines.containerd import ContainerdEngine, DiskLimits, GitLimits, Place
    from ..engines.containerd.samples import ALIASES

    place = Place(
        installation=installation,
        root=settings.data_dir / "engine",
        address=settings.engine.containerd.address,
    )
    how = settings.engine.containerd
    limits = settings.engine.images
    return ContainerdEngine(
        place,
        aliases=ALIASES,
        backoff=backoff,
        runtime=how.runtime,
        foreign=how.foreign,
        git=GitLimits(seconds=settings.engine.git.seconds, megabytes=settings.engine.git.megabytes),
        grace=settings.engine.grace_seconds,
        disk=DiskLimits(high=limits.high, low=limits.low) if limits.high else None,
        stalled=limits.stalled_seconds,
        local_registries=limits.local_registries,
    )


def _check_machine() -> None:
    """See that nothing lacks without which no group can run.  Raises `CannotStart`."""
    lacks = machine.required()
    if lacks:
        what = " and ".join(filter(None, (", ".join(each.what for each in lacks[:-1]), lacks[-1].what)))
        raise CannotStart(f"cannot run containers: this machine lacks {what}. Run: {machine.mend(lacks)}")


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


class _Parts(msgspec.Struct, kw_only=True):
    """What the server needs of a running service."""

    gate: Gate
    certificate: str
    key: str
    tenant: str
    subscription: str
    host: HostEndpoint
    gateway_port: int | None


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
    identity = Identity(data_dir, store, tenant=tenant, names=settings.service.names, url=url)
    identity.first_principal(url, subscription)
    engine = _engine(settings, installation)
    if engine.name == "containerd":
        _check_machine()
    try:
        await engine.open()
        images: ImagePort | None = getattr(engine, "shelf", None)
        if images is not None:
            await _prepare_images(images, data_dir, say)
    except EngineError as error:
        await engine.close()
        raise CannotStart(str(error)) from None
    doors = Doors(settings.gateway, store, settings.service.dns_suffix, identity.certificate_for)
    built = build(
        settings.service,
        store=store,
        engine=engine,
        vault=vault,
        identity=identity,
        tenant=tenant,
        images=images,
        pool_size=settings.engine.pool,
        ports=doors.publisher.check,
        history=History(data_dir / "metrics.db"),
        workspaces=settings.log_analytics.url,
        posted=data_dir / "posted.json",
        shares=Shares(store, vault, data_dir / "shares", settings.shares),
    )
    store.free_leases()  # whoever held them held this data dir, and does not any more
    await built.pool.open()
    await sweep(store, engine)
    await show_lost(store, engine)
    if engine.name != "sim":  # what is simulated has no address that anybody could reach
        await doors.open()
        built.loop.observers.append(doors.publisher.refresh)
    built.start()
    chores = [asyncio.create_task(_sweep_now_and_then(store, engine)), asyncio.create_task(_trim_now_and_then())]
    if isinstance(engine, Collects):
        chores.append(asyncio.create_task(_collect_now_and_then(engine)))
    try:
        yield _Parts(
            gate=built.gate,
            certificate=str(identity.certificate),
            key=str(identity.certificate_key),
            tenant=tenant,
            subscription=subscription,
            host=identity.host,
            gateway_port=doors.port,
        )
    finally:
        for chore in chores:
            chore.cancel()
        await doors.close()
        await built.stop()
        await engine.close()
        store.close()


async def _sweep_now_and_then(store: SqlStore, engine: Engine) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            await sweep(store, engine)
        except (EngineError, StoreFailed) as error:
            log.warning("cannot look for what nobody knows: %s", error)


async def _trim_now_and_then() -> None:
    while True:
        await asyncio.sleep(_TRIM_SECONDS)
        give_back()


async def _collect_now_and_then(engine: Collects) -> None:
    while True:
        await asyncio.sleep(_COLLECT_SECONDS)
        try:
            await engine.collect()
        except (EngineError, OSError) as error:  # the disk is full, maybe: there is all the more to collect
            log.warning("cannot remove images that nobody uses: %s", error)


# --- running ----------------------------------------------------------------------------------------------------


def run(settings: Settings, say: Say) -> None:
    """Run a service until it is told to end.  Raises `CannotStart`."""
    frugal()
    many_files()
    os.environ["PATH"] = machine.search_path()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # that it starts and ends is said here
    with held(settings.data_dir):
        listener = listen(settings.service.host, settings.service.port)
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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection, without waiting for goodbyes: an idle TLS client never says it."""
        closing = asyncio.create_task(self._let_go())
        try:
            await super().shutdown(sockets)
        finally:
            closing.cancel()

    async def _let_go(self) -> None:
        while True:
            await asyncio.sleep(_GOODBYE_SECONDS)
            for each in [*self.server_state.connections]:
                transport = getattr(each, "transport", None)
                if transport is not None and transport.is_closing() and not transport.get_write_buffer_size():
                    transport.abort()


async def _serve(settings: Settings, listener: socket.socket, say: Say) -> None:
    begun = time.monotonic()
    data_dir = settings.data_dir
    installation = installation_id(data_dir)
    async with _service(settings, installation, say) as parts:
        config = without_tickets(
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
                # What clients send is typed by people, or the input of a command; it is bounded, and not compressed.
                ws="websockets-sansio",
                ws_max_size=MOST_FRAME,
                ws_per_message_deflate=False,
                ws_ping_interval=30.0,
                ws_ping_timeout=None,  # a client that sends more than its process reads is slow, not dead
            )
        )
        server = _Server(config)

        def end() -> None:
            server.end()
            parts.gate.end()

        tokens_listener = listen("127.0.0.1", settings.service.identity_port)
        parts.host.port = tokens_listener.getsockname()[1]
        tokens = _Server(
            uvicorn.Config(
                parts.host, lifespan="off", log_config=None, access_log=False, server_header=False, ws="none"
            )
        )
        serving_tokens = asyncio.create_task(tokens.serve([tokens_listener]))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, end)
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
                "gateway_port": parts.gateway_port,
            }
        )
        partial = data_dir / "service.partial"
        partial.write_bytes(described)
        partial.replace(data_dir / "service.json")
        say(f"Hythe answers at {url} ({settings.engine.name}, {time.monotonic() - begun:.1f} s). `hythe down` ends it.")
        try:
            await serving
            tokens.end()
            await serving_tokens
        finally:
            tokens_listener.close()
            with contextlib.suppress(FileNotFoundError):
                (data_dir / "service.json").unlink()


# --- taking down ------------------------------------------------------------------------------------------------


def take_down(data_dir: Path, *, purge: bool) -> None:
    """End every container of an installation whose service has ended; with ``purge`` remove all that it made."""
    settings = load(data_dir)
    os.environ["PATH"] = machine.search_path()
    if (data_dir / "engine").exists():  # an installation that only simulated has none
        engine = _engine(settings, installation_id(data_dir))
        if isinstance(engine, Teardown):
            try:
                asyncio.run(engine.teardown(purge=purge))
            except EngineError as error:
                raise CannotStart(f"cannot remove the containers: {error}") from None
    if purge:
        remove_files(data_dir)
