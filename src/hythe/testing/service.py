"""Runs a whole service, with TLS, tokens and a database in memory, on simulated containers in this process."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import uvicorn
from websockets.exceptions import InvalidState

import hythe
from hythe.client.auth_file import read_auth_file
from hythe.engines.base import Uid
from hythe.engines.pod import Backoff
from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.engines.sim_streams import SimulatedProcess
from hythe.models import AzureFileVolume
from hythe.service.build import Built, build
from hythe.service.settings import ServiceSettings
from hythe.service.shares import Shares
from hythe.service.sockets import MOST_FRAME, without_tickets
from hythe.service.store import Row, SqlStore, Subscription
from hythe.service.vault import Vault

from .ground import Ground, ground

if TYPE_CHECKING:
    from hythe import aio

T = TypeVar("T")

_ADFS = "adfs"
"""The one name of a tenant for which Microsoft's libraries ask no other host than the authority they are given."""
_GROUPS = "containerGroups"
_GRACE = 2.0
"""Seconds for requests that are still answered when the service ends."""


class _EasyShares(Shares):
    """Are the file shares of a service, and those of all accounts that it does not know besides.

    That a share is there is nothing that a simulated container could notice, so a test need not make the shares of
    its groups.  Those that it makes are as strict as any service's.
    """

    def problem(self, volume: AzureFileVolume) -> tuple[str, str] | None:
        """Say by a code and a sentence why a share can't be mounted, or None if it can."""
        return super().problem(volume) if self.has_account(volume.storage_account_name) else None

    async def find(self, volume: AzureFileVolume) -> Path:
        """Give the directory of a share; what is not there has none, and simulated containers look into none."""
        known = self.has_account(volume.storage_account_name)
        return await super().find(volume) if known else Path(volume.share_name)


class RunningService:
    """Is one service and what tests need to reach it and to script it.

    ``outcomes`` says what containers do, by container name, volume name or image; it can be changed at any time and
    counts for containers that start later.  A container that is in it under no name runs until it is stopped.
    """

    def __init__(self, url: str, data_dir: Path, engine: SimulatedEngine, store: SqlStore, place: Ground) -> None:
        auth = read_auth_file(data_dir / "my.azureauth")
        self.url = url
        self.data_dir = data_dir
        self.subscription_id: str = auth.subscription_id
        self.tenant_id: str = auth.tenant_id
        self.client_id: str = auth.client_id
        self.outcomes: dict[str, Outcome] = engine.outcomes
        self.processes: list[SimulatedProcess] = engine.processes
        """Commands that exec ran in containers, oldest first: each has its terminal's ``size`` and ``closed``."""
        self._auth = auth
        self._engine = engine
        self._store = store
        self._place = place

    def __repr__(self) -> str:
        return f"RunningService({self.url!r})"

    # --- reaching it ---

    @property
    def auth_file(self) -> Path:
        """Name the auth file, for ``get_client_from_auth_file`` of any library."""
        return self.data_dir / "my.azureauth"

    @property
    def ca(self) -> Path:
        """Name the file with the authorities to trust: the system's and this service's."""
        return self.data_dir / "ca-bundle.pem"

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables by which Hythe's and Microsoft's libraries and command lines find this service.

        With them azure-identity's ``DefaultAzureCredential()`` signs in here.  They hold the secret.
        """
        trusted = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "WEBSOCKET_CLIENT_CA_BUNDLE")
        return {
            "AZURE_AUTH_LOCATION": str(self.auth_file),
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_TENANT_ID": _ADFS,
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_CLIENT_SECRET": self._auth.client_secret,
            "AZURE_SUBSCRIPTION_ID": self.subscription_id,
            "HYTHE_HOME": str(self.data_dir),
            "HYTHE_URL": self.url,
            **dict.fromkeys(trusted, str(self.ca)),
        }

    @contextmanager
    def in_environment(self) -> Iterator[None]:
        """Set the variables of `environment` until the block ends."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def client(self, **options: Any) -> hythe.ContainerInstanceManagementClient:
        """Make a client of this library; close it, or use it as a context manager."""
        return hythe.ContainerInstanceManagementClient.from_auth(self._auth, **options)

    def async_client(self, **options: Any) -> aio.ContainerInstanceManagementClient:
        """Make an asynchronous client of this library."""
        return hythe.aio.ContainerInstanceManagementClient.from_auth(self._auth, **options)

    def credential(self) -> hythe.ClientSecretCredential:
        """Make a credential that Microsoft's synchronous clients take as well."""
        return hythe.ClientSecretCredential(
            self.tenant_id, self.client_id, self._auth.client_secret, authority=self.url, ca=str(self.ca)
        )

    def async_credential(self) -> aio.ClientSecretCredential:
        """Make a credential that Microsoft's asynchronous clients take as well."""
        return hythe.aio.ClientSecretCredential(
            self.tenant_id, self.client_id, self._auth.client_secret, authority=self.url, ca=str(self.ca)
        )

    def arguments(self, *, asynchronous: bool = False) -> dict[str, Any]:
        """Give the arguments with which a client of Microsoft's (or this library's) reaches this service.

        ``azure.mgmt.containerinstance.ContainerInstanceManagementClient(**service.arguments())``
        """
        return {
            "credential": self.async_credential() if asynchronous else self.credential(),
            "subscription_id": self.subscription_id,
            "base_url": self.url,
            "credential_scopes": [f"{self.url}/.default"],
            "connection_verify": str(self.ca),
        }

    # --- scripting it ---

    def say(self, group: str, text: str, container: str | None = None) -> None:
        """Have a running container (the first unless one is named) write something."""
        self._with(group, container, lambda uid, name: self._engine.say(uid, name, text))

    def end(self, group: str, container: str | None = None, *, exit_code: int = 0, reason: str = "") -> None:
        """Have a running container end now: exit code 137 and reason ``OOMKilled``, or ``Evicted``, for instance.

        What follows is up to the group's restart policy.
        """
        self._with(group, container, lambda uid, name: self._engine.end(uid, name, exit_code, reason))

    def _with(self, group: str, container: str | None, do: Callable[[Uid, str], T]) -> T:
        async def work() -> T:
            row = self._find(group)
            uid = Uid(row.uid)
            names = [each.name for each in self._engine.groups[uid].containers.values()]
            if not names or container not in (None, *names):
                raise LookupError(f"cannot find the container {container or ''} in group {group!r}: none has started")
            return do(uid, container or names[0])

        return self._place.call(work())

    def _find(self, group: str) -> Row:
        rows = (self._store.get(key) for key in self._store.keys(_GROUPS))
        found = next((row for row in rows if row is not None and row.name.lower() == group.lower()), None)
        if found is None or Uid(found.uid) not in self._engine.groups:
            raise LookupError(f"cannot find group {group!r}: it is not there, or nothing of it has started yet")
        return found


class _Server(uvicorn.Server):
    """A server that neither takes signals nor counts seconds."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.over = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait for the end."""
        await self.over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the connections without the tenth of a second that a real service gives them."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            with suppress(InvalidState):  # a websocket that is closing already
                connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_GRACE)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


class _Parts(msgspec.Struct):
    built: Built
    server: _Server
    serving: asyncio.Task[None]


async def _start(
    place: Ground, engine: SimulatedEngine, store: SqlStore, data_dir: Path, listener: socket.socket
) -> _Parts:
    vault = Vault(os.urandom(32))
    built = build(
        ServiceSettings(answer_seconds=0.25),
        store=store,
        engine=engine,
        vault=vault,
        identity=place.identity,
        tenant=place.tenant,
        images=None,
        shares=_EasyShares(store, vault, data_dir / "shares"),
    )
    config = without_tickets(
        uvicorn.Config(
            built.gate, lifespan="off", log_config=None, access_log=False, server_header=False, date_header=False,
            ssl_certfile=str(place.identity.certificate), ssl_keyfile=str(place.identity.certificate_key),
            ws="websockets-sansio", ws_max_size=MOST_FRAME, ws_per_message_deflate=False, ws_ping_interval=None,
            timeout_keep_alive=75,
        )
    )  # fmt: skip
    server = _Server(config)
    await engine.open()
    built.loop.start()
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0)
    return _Parts(built, server, serving)


async def _stop(parts: _Parts, engine: SimulatedEngine, store: SqlStore) -> None:
    parts.built.gate.end()
    parts.server.over.set()
    await parts.serving
    await parts.built.loop.stop()
    await engine.close()
    store.close()


@contextmanager
def running_service(
    outcomes: Mapping[str, Outcome] | None = None, *, backoff_seconds: float = 0.05
) -> Iterator[RunningService]:
    """Run a service of its own on simulated containers until the block ends.

    ``outcomes`` says what containers do, by container name, volume name or image; see `Outcome`.  ``backoff_seconds``
    is how long the first restart of a container waits (10 s on Azure).  The first service of a process takes some
    tenths of a second, further ones some hundredths.
    """
    place = ground()
    engine = SimulatedEngine(dict(outcomes or {}), backoff=Backoff(first=backoff_seconds, most=backoff_seconds * 8))
    store = SqlStore(None)
    store.add_subscription(Subscription(id=place.subscription, name="testing", tenant=place.tenant))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://localhost:{listener.getsockname()[1]}"
        data_dir = place.data_dir(url)
        described = {
            "url": url, "pid": os.getpid(), "tenant": place.tenant, "subscription": place.subscription,
            "installation": "testing", "engine": engine.name,
        }  # fmt: skip
        (data_dir / "service.json").write_bytes(msgspec.json.encode(described))
        parts = place.call(_start(place, engine, store, data_dir, listener))
        try:
            yield RunningService(url, data_dir, engine, store, place)
        finally:
            place.call(_stop(parts, engine, store))
            shutil.rmtree(data_dir)
