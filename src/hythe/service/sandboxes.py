"""Sandboxes: isolated throw-away containers, made and used over a small API of our own (docs/reference/sandboxes.md).

Whoever may connect to a sandbox group gets a token that opens this group's sandboxes, and nothing else, for a while.
A sandbox is a container group in the store and for the loop: so it is found again after a crash, and nothing is left.
"""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from ..engines.base import EngineError, Refused, Uid
from ..engines.offers import STDERR, STDOUT, Exec, Process
from ..models import (
    Container,
    ContainerGroup,
    ContainerGroupSubnetId,
    ContainerPropertiesInstanceView,
    EnvironmentVariable,
    ResourceRequests,
    ResourceRequirements,
    SandboxGroupAccessToken,
    SecurityContextCapabilitiesDefinition,
    SecurityContextDefinition,
)
from ..wire.faults import Fault, invalid_content
from ..wire.ids import ResourceId
from ..wire.tags import LIFETIME, NETWORK
from .answers import Answer, empty, plain, shown
from .call import Call
from .kinds import SANDBOX_GROUPS, SANDBOXES
from .kinds.sandbox_groups import subnets_of
from .resource import Resources
from .settings import ServiceSettings
from .store import Row, SqlStore, Status
from .vault import Vault

PATH = "/hythe/sandboxes"
_OWNER = "hythe.sandbox-tokens"
"""Whom tokens are sealed for: no resource has this uid."""
_CONTAINER = "sandbox"
_IDLE = ["sleep", "2147483647"]
"""What a sandbox does between commands unless its maker says otherwise."""
_NONE = 404


class New(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The body of a request for a sandbox."""

    image: str
    command: list[str] = []
    cpu: float = 1.0
    memory_in_gb: float = msgspec.field(default=1.0, name="memoryInGB")
    env: dict[str, str] = {}
    network: bool = False
    lifetime: int | None = None
    """Seconds."""


class Command(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The body of a request to run something."""

    command: list[str]
    stdin: str = ""
    timeout: float = 30.0
    """Seconds."""


class _Pass(Struct, kw_only=True):
    """What a token holds."""

    key: str
    uid: str
    until: float


class Sandboxes:
    """Gives tokens, and answers those who have one."""

    def __init__(
        self,
        store: SqlStore,
        resources: Resources,
        engine: object,
        vault: Vault,
        settings: ServiceSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._resources = resources
        self._engine = engine
        self._vault = vault
        self._settings = settings
        self._clock = clock

    # --- tokens ---

    def connect(self, group: Row, call: Call) -> Answer:
        """Give an endpoint and a token for the sandboxes of a group."""
        if group.desired == "gone":
            raise Fault(409, "SandboxGroupDeleting", f"The sandbox group '{group.name}' is being deleted.")
        until = float(int(self._clock() + self._settings.sandboxes.token_seconds))
        sealed = self._vault.seal(msgspec.json.encode(_Pass(key=group.key, uid=group.uid, until=until)), _OWNER)
        return shown(
            SandboxGroupAccessToken(
                endpoint=f"{call.base_url}{PATH}",
                access_token=base64.urlsafe_b64encode(sealed).decode().rstrip("="),
                not_after=datetime.fromtimestamp(until, UTC),
            )
        )

    def _group(self, call: Call) -> Row:
        """Give the group whose sandboxes a token opens.  Raises 401."""
        try:
            sealed = base64.urlsafe_b64decode(call.bearer + "=" * (-len(call.bearer) % 4))
            claim = msgspec.json.decode(self._vault.open(sealed, _OWNER), type=_Pass)
        except ValueError:
            raise _unauthorized("The token is none of a sandbox group.") from None
        row = self._store.get(claim.key)
        if claim.until <= self._clock() or row is None or row.uid != claim.uid or row.desired == "gone":
            raise _unauthorized("The token has expired, or its sandbox group is gone. Connect again.")
        return row

    # --- sandboxes ---

    async def create(self, call: Call) -> Answer:
        """Make a sandbox and wait until it runs."""
        group = self._group(call)
        asked = _read(New, call.body)
        limits = self._settings.sandboxes
        lifetime = limits.lifetime_seconds if asked.lifetime is None else asked.lifetime
        if not 1 <= lifetime <= limits.lifetime_seconds:
            raise _bad(f"The lifetime must be between 1 and {limits.lifetime_seconds:g} seconds, not {lifetime:g}.")
        self._refuse_more(call)
        identity = _identity(group, uuid.uuid4().hex)
        row, _ = await self._resources.promise(
            SANDBOXES, _definition(asked, round(lifetime), group), identity, parent=group.id,
            still=lambda: self._refuse_more(call),
        )  # fmt: skip
        row = await self._resources.wait(row)
        if row.provisioning_state == "Failed":
            view = msgspec.json.decode(row.status, type=Status).view
            self._resources.remove(row, identity)
            raise Fault(409, "SandboxFailed", f"The sandbox could not be started: {_why(view.containers)}")
        return plain(self._shown(row), 201)

    def _refuse_more(self, call: Call) -> None:
        """Refuse one more sandbox if the group is gone by now, or has as many as it may."""
        group, most = self._group(call), self._settings.sandboxes.most
        if len(self._store.members(group.id)) >= most:
            raise Fault(
                429, "TooManySandboxes", f"The sandbox group '{group.name}' has {most} sandboxes, which is the "
                "most. Delete some, or wait until their time is up.", headers=[("Retry-After", "1")],
            )  # fmt: skip

    def list_(self, call: Call) -> Answer:
        """List the sandboxes of a group."""
        group = self._group(call)
        rows = [row for row in self._store.members(group.id) if row.desired != "gone"]
        return plain({"value": [self._shown(row) for row in rows]})

    def get(self, call: Call) -> Answer:
        """Show a sandbox."""
        return plain(self._shown(self._row(call)))

    async def delete(self, call: Call) -> Answer:
        """Delete a sandbox."""
        row = self._row(call)
        self._resources.remove(row, _identity(self._group(call), row.name))
        await self._resources.wait(row, gone=True)
        return empty(204)

    async def exec(self, call: Call) -> Answer:
        """Run a command in a sandbox, and give what it wrote and how it ended."""
        row = self._row(call)
        asked = _read(Command, call.body)
        most = self._settings.sandboxes.exec_seconds
        if not asked.command or not asked.command[0]:
            raise _bad("The command must not be empty.")
        if not 0 < asked.timeout <= most:
            raise _bad(f"The timeout must be more than 0 and at most {most:g} seconds, not {asked.timeout:g}.")
        if not isinstance(self._engine, Exec):
            raise Fault(501, "NotSupported", "The engine of this service runs no commands.")
        try:
            return plain(await self._run(self._engine, Uid(row.uid), asked))
        except Refused as error:
            raise Fault(409, error.reason, str(error)) from None
        except EngineError as error:
            raise Fault(503, "EngineUnavailable", str(error), headers=[("Retry-After", "1")]) from None

    async def _run(self, engine: Exec, uid: Uid, asked: Command) -> dict[str, object]:
        outputs: dict[int, bytearray] = {}
        limit = self._settings.sandboxes.output_bytes
        truncated = timed_out = False
        code: int | None = None
        process = await engine.exec(uid, _CONTAINER, asked.command, tty=None, stdin=bool(asked.stdin))
        feeding = asyncio.create_task(_feed(process, asked.stdin.encode())) if asked.stdin else None
        try:
            async with asyncio.timeout(asked.timeout):
                while (some := await process.read()) is not None:
                    held = outputs.setdefault(some[0], bytearray())
                    room = limit - len(held)
                    held += some[1][:room]
                    truncated = truncated or len(some[1]) > room
                code = await process.wait()
        except TimeoutError:
            timed_out = True
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
            await process.close()
        out, err = (outputs.get(one, b"").decode(errors="replace") for one in (STDOUT, STDERR))
        return {"exitCode": code, "stdout": out, "stderr": err, "timedOut": timed_out, "truncated": truncated}

    def _row(self, call: Call) -> Row:
        group = self._group(call)
        name = call.params["sandboxId"]
        row = self._store.get(_identity(group, name).key)
        if row is None or row.parent != group.id or row.desired == "gone":
            raise Fault(_NONE, "SandboxNotFound", f"There is no sandbox '{name}' in this sandbox group.")
        return row

    def _shown(self, row: Row) -> dict[str, object]:
        group = SANDBOXES.read_again(row.spec)
        view = msgspec.json.decode(row.status, type=Status).view if row.status else None
        tags = group.tags or {}
        return {
            "id": row.name,
            "image": group.containers[0].image,
            "state": view.state if view else "Pending",
            "network": tags.get(NETWORK) != "none",
            "expiresAt": datetime.fromtimestamp(row.changed_at + float(tags[LIFETIME]), UTC),
        }


def _identity(group: Row, name: str) -> ResourceId:
    _, _, subscription, _, folder, *_ = group.id.split("/")
    return ResourceId(
        subscription=subscription, resource_group=folder, type=f"{SANDBOX_GROUPS.type}/sandboxes",
        name=f"{group.name}/{name}",
    )  # fmt: skip


def _definition(asked: New, lifetime: int, group: Row) -> ContainerGroup:
    """Define the group behind a sandbox, with no right that it can do without."""
    size = ResourceRequests(cpu=asked.cpu, memory_in_gb=asked.memory_in_gb)
    of = SANDBOX_GROUPS.read_again(group.spec)
    return ContainerGroup(
        location=of.location,
        subnet_ids=[ContainerGroupSubnetId(id=each) for each in subnets_of(of)] if asked.network else None,
        os_type="Linux",
        restart_policy="Never",
        tags={LIFETIME: str(lifetime)} | ({} if asked.network else {NETWORK: "none"}),
        containers=[
            Container(
                name=_CONTAINER,
                image=asked.image,
                command=asked.command or _IDLE,
                resources=ResourceRequirements(requests=size),
                environment_variables=[
                    EnvironmentVariable(name=name, secure_value=value) if value else
                    EnvironmentVariable(name=name, value="")
                    for name, value in asked.env.items()
                ],
                security_context=SecurityContextDefinition(
                    allow_privilege_escalation=False,
                    capabilities=SecurityContextCapabilitiesDefinition(drop=["ALL"]),
                ),
            )
        ],
    )  # fmt: skip


async def _feed(process: Process, data: bytes) -> None:
    await process.write(data)
    await process.end_input()


def _why(containers: dict[str, ContainerPropertiesInstanceView]) -> str:
    states = [one.current_state for one in containers.values()]
    return "; ".join(state.detail_status for state in states if state and state.detail_status) or "it ended at once"


T = TypeVar("T")


def _read(model: type[T], body: bytes) -> T:
    try:
        return msgspec.json.decode(body or b"{}", type=model)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise invalid_content(str(error)) from None


def _bad(why: str) -> Fault:
    return Fault(400, "InvalidRequest", why)


def _unauthorized(why: str) -> Fault:
    return Fault(401, "InvalidAuthenticationToken", why, headers=[("WWW-Authenticate", 'Bearer realm="sandboxes"')])
