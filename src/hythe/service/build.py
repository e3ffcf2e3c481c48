"""Puts the parts of a service together: store, engine and identity go in, the application and its loop come out.

The one place for wiring: a service on a port, a test in a process and `hythe.testing` all get the same parts.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from .. import __version__
from ..engines.base import Engine, Joined, Refused
from ..engines.offers import Images, MountsShares
from ..models import AzureFileVolume, ContainerGroup, ContainerGroupProfile, ImageRegistryCredential
from ..wire.ids import ResourceId
from ..wire.tags import LIFETIME
from .admin import Admin, ImagePort
from .answers import Answer
from .call import Caller, Outer
from .control import (
    RUN_BY_ENGINE,
    DeploymentPass,
    FolderPass,
    GroupPass,
    Loop,
    NGroupPass,
    Pool,
    Prober,
    Reconciler,
    SandboxGroupPass,
)
from .control.prober import Sleep
from .control.reconcile import Pass
from .control.slots import Slots
from .control.status import Memory
from .deployer import Deployer
from .gate import App, Gate
from .handlers import Api
from .identity.metadata import MetadataEndpoint
from .identity.rights import Role
from .kinds import (
    CONTAINER_GROUPS,
    DEPLOYMENTS,
    N_GROUPS,
    PROFILES,
    RESOURCE_GROUPS,
    SANDBOX_GROUPS,
    SANDBOXES,
    Admission,
    Ports,
    any_port,
)
from .kinds.base import Profile
from .kinds.identities import assigned
from .kinds.subnets import place
from .locations import Locations, capacity
from .members import DeclaredMembers
from .metrics import Metrics
from .metrics.sampler import Sampler
from .quotas import Quotas
from .resource import Resources
from .sandboxes import Sandboxes
from .settings import ServiceSettings
from .shares import CannotShare, Shares
from .store import Row, SqlStore
from .store.history import History
from .streams import Streams
from .vault import Vault
from .workspaces import Collector

_PATIENCE = 5.0
"""Seconds that a PUT waits for a registry to say whether it has an image."""
SETS = (N_GROUPS.name, SANDBOX_GROUPS.name)


class IdentityPort(Protocol):
    """Who asks, and what they may."""

    authority: App

    def is_authority_path(self, path: str) -> bool:
        """Tell whether a path belongs to the token authority."""

    def verify(self, token: str) -> Caller:
        """Tell whose token it is.  Raises `Fault`."""

    def answers_for(self, host: str) -> bool:
        """Tell whether a Host header names this service."""

    def may(self, caller: Caller, action: str, scope: str) -> bool:
        """Tell whether a caller may do something."""

    def sees(self, caller: Caller, scope: str) -> bool:
        """Tell whether a caller has any role over a scope or over something in it."""

    def new_principal(
        self, display_name: str, subscription: str, url: str, role: Role | None, scopes: Sequence[str]
    ) -> bytes:
        """Make a principal with a role over scopes, or without one, and give its auth file."""

    def host_variables(self, name: str) -> dict[str, str] | None:
        """Give what a program on this machine needs to be a user-assigned identity; None if there is no such one."""

    def managed_token(self, client_id: str, object_id: str, audience: str) -> tuple[str, int]:
        """Sign a token for a managed identity; give it with the second of the epoch in which it expires."""

    def intercept(self) -> dict[str, object]:
        """Give a certificate for Azure's names that lasts for one run."""


class Built(Struct, kw_only=True):
    """The parts that somebody outside needs."""

    gate: Gate
    loop: Loop
    api: Api
    groups: GroupPass
    pool: Pool
    sampler: Sampler
    collector: Collector | None = None
    """Only where logs are posted."""

    def start(self) -> None:
        """Begin to work, with a look at everything."""
        self.sampler.start()
        if self.collector is not None:
            self.collector.start()
        self.loop.start()
        self.loop.wake_all()
        self.pool.start()

    async def stop(self) -> None:
        """End, in the opposite order."""
        await self.pool.stop()
        await self.loop.stop()
        if self.collector is not None:
            await self.collector.stop()
        await self.sampler.stop()


def now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def _accessible(engine: Engine) -> Callable[[str, str, Sequence[ImageRegistryCredential]], Any]:
    async def accessible(
        image: str, subscription: str, credentials: Sequence[ImageRegistryCredential]
    ) -> tuple[str, str] | None:
        if not isinstance(engine, Images):
            return None
        return await engine.admits(image, subscription, credentials, _PATIENCE)

    return accessible


def _profiles(store: SqlStore, vault: Vault) -> Profile:
    def profile(identity: ResourceId, revision: int | None) -> ContainerGroupProfile | None:
        row = store.get(identity.key)
        if row is None or row.kind != PROFILES.name or row.desired == "gone":
            return None
        held = store.revision(row, row.generation if revision is None else revision)
        if held is None:
            return None
        spec = vault.open(held.secrets, held.uid) if held.secrets else held.spec
        found: ContainerGroupProfile = PROFILES.read_again(spec)
        return replace(found, revision=held.generation)

    return profile


def _joined(store: SqlStore, row: Row) -> Joined | None:
    found = place(store, row)
    return Joined(network=found.network, address=found.address, ranges=found.ranges) if found else None


def _share_problem(volume: AzureFileVolume) -> tuple[str, str]:
    return "FeatureNotSupported", "this service has no file shares."


def _find_share(shares: Shares) -> Callable[[AzureFileVolume], Awaitable[Path]]:
    async def find(volume: AzureFileVolume) -> Path:
        try:
            return await shares.find(volume)
        except CannotShare as error:
            raise Refused("FailedMount", str(error)) from None

    return find


def build(
    settings: ServiceSettings,
    *,
    store: SqlStore,
    engine: Engine,
    vault: Vault,
    identity: IdentityPort,
    tenant: str,
    images: ImagePort | None,
    pool_size: int = 0,
    ports: Ports = any_port,
    shares: Shares | None = None,
    history: History | None = None,
    workspaces: str = "",
    posted: Path | None = None,
    clock: Callable[[], datetime] = now,
    sleep: Sleep = asyncio.sleep,
) -> Built:
    """Put the parts together; nothing runs yet.

    ``workspaces`` is where logs are posted, ``posted`` a file that keeps how far; without the first none are.
    """

    def expire(row: Row) -> None:
        resources.expire(row)  # made below: it needs the loop, and the loop needs the passes

    slots = Slots()
    prober = Prober(engine, clock=clock, sleep=sleep)
    tokens = MetadataEndpoint(engine, identity.managed_token, partial(store.uids, *RUN_BY_ENGINE))
    groups = GroupPass(
        engine,
        vault,
        clock=clock,
        provisioning_seconds=settings.provisioning_seconds,
        prober=prober,
        tokens=tokens,
        expire=expire,
        slots=slots,
        joined=partial(_joined, store),
    )
    passes: dict[str, Pass] = {
        CONTAINER_GROUPS.name: groups,
        SANDBOXES.name: groups,
        RESOURCE_GROUPS.name: FolderPass(store, clock),
    }
    reconciler = Reconciler(store, passes, clock=clock)
    owner = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    loop = Loop(
        store,
        engine,
        reconciler.pass_over,
        owner=owner,
        clock=clock,
        kinds=RUN_BY_ENGINE,
        others=SETS,
        beside=(prober, tokens),
        slots=slots,
    )
    sampler = Sampler(store, engine, history or History(), clock=clock, sleep=sleep)
    loop.observers.append(sampler.look)
    collector = None
    if workspaces:

        def definition(key: str) -> ContainerGroup | None:
            row = store.opened(key)
            return groups.want(row, Memory()).group if row is not None else None

        collector = Collector(store, engine, definition, workspaces, path=posted, clock=clock, sleep=sleep)
        loop.observers.append(collector.look)
    if shares is not None and isinstance(engine, MountsShares):
        engine.find_share = _find_share(shares)
    admission = Admission(
        store=store,
        accessible=_accessible(engine),
        share=shares.problem if shares is not None else _share_problem,
        dns_suffix=settings.dns_suffix,
        tenant=tenant,
        ports=ports,
        profile=_profiles(store, vault),
        may=identity.may,
        allow_privileged=settings.allow_privileged,
        user_identity=partial(assigned, store),
        kept_ranges=engine.can.kept_ranges,
    )

    async def inside(
        caller: Caller,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes,
        base_url: str,
        outer: Outer | None = None,
    ) -> Answer:
        return await gate.inside(caller, method, path, query, body, base_url, outer)

    def offers(method: str, path: str) -> bool:
        return gate.offers(method, path)

    deployer = Deployer(store, vault, inside, offers)
    passes[DEPLOYMENTS.name] = DeploymentPass(deployer, clock)
    quotas = Quotas(store, settings.quotas)
    resources = Resources(
        store, vault, loop, settings, admission, quotas, identity.may, clock=lambda: clock().timestamp()
    )
    loop.observers.append(resources.look)
    members = DeclaredMembers(resources, store)
    # What sets ask for is declared by the verbs, which wake the loop, which runs the passes: the last link is here.
    passes[N_GROUPS.name] = NGroupPass(store, members, clock)
    passes[SANDBOX_GROUPS.name] = SandboxGroupPass(store, members, clock, LIFETIME)
    api = Api(
        store=store,
        resources=resources,
        locations=Locations(quotas, capacity(private_addresses=engine.can.subnets), images),
        metrics=Metrics(sampler, clock),
        streams=Streams(store, engine, settings.log_limit),
        sandboxes=Sandboxes(store, resources, engine, vault, settings),
        admin=Admin(store, identity.new_principal, identity.intercept, images, identity.host_variables, shares),
        rights=identity,
        deployer=deployer,
        derive=vault.derive,
        health={"status": "ok", "version": __version__, "engine": engine.name},
    )
    gate = Gate(
        api,
        authority=identity.authority,
        authority_paths=identity.is_authority_path,
        verify=identity.verify,
        hosts=identity.answers_for,
        may=identity.may,
        log_access=settings.access_log,
    )
    pool = Pool(store, engine, loop, pool_size)
    return Built(gate=gate, loop=loop, api=api, groups=groups, pool=pool, sampler=sampler, collector=collector)
