"""The verbs of ARM, the same for every kind: get, list, put, patch, delete, act.

A handler writes what should be (`SqlStore.declare`) and waits a moment for control to make it so; it never does
the work itself.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from ..models import ContainerGroup
from ..wire import faults, ids, older
from ..wire.faults import Fault
from ..wire.ids import ResourceId
from ..wire.versions import OPERATION_MONITOR
from . import paging
from .answers import Answer, Bodies, empty, page, plain
from .call import Call, Caller
from .kinds import BY_NAME, N_GROUPS, NETWORKS, RESOURCE_GROUPS, SANDBOXES, Admission, Kind, Shown, takes_warm
from .kinds.links import links
from .kinds.subnets import check, free_address
from .quotas import Quotas
from .settings import ServiceSettings
from .store import Change, Note, Operation, Row, SqlStore, Stale
from .vault import Vault

RETRY_AFTER = ("Retry-After", "1")
"""The one value that every client honours."""
_OK, _CREATED, _ACCEPTED = 200, 201, 202


class Worker(Protocol):
    """Control, as far as the API knows it."""

    def wake(self, key: str) -> None:
        """Work on a resource now."""

    async def wait(self, key: str, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until something holds."""


class Resources:
    """Carries out the verbs."""

    def __init__(
        self,
        store: SqlStore,
        vault: Vault,
        worker: Worker,
        settings: ServiceSettings,
        admission: Admission,
        quotas: Quotas,
        may: Callable[[Caller, str, str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._may = may
        self._store = store
        self._vault = vault
        self._worker = worker
        self._settings = settings
        self._admission = admission
        self._clock = clock
        self._bodies = Bodies()
        self._quotas = quotas

    # --- reading ---

    def subscription(self, call: Call) -> str:
        """Give the caller's subscription in lower case.  Raises SubscriptionNotFound."""
        if self._store.subscription(call.subscription) is None:
            raise faults.subscription_not_found(call.subscription)
        return call.subscription.lower()

    def folder(self, call: Call) -> Row:
        """Give the resource group of a call.  Raises ResourceGroupNotFound."""
        self.subscription(call)
        row = self._store.get(call.resource_group.key)
        if row is None:
            raise faults.resource_group_not_found(call.params["resourceGroupName"])
        return row

    def home(self, identity: ResourceId, call: Call) -> Row | None:
        """Check what a resource lies in; give its resource group if it is in one.  Raises that it is not there."""
        if identity.resource_group:
            return self.folder(call)
        if identity.subscription:
            self.subscription(call)
        return None

    def row(self, kind: Kind, identity: ResourceId, call: Call) -> Row:
        """Give a resource.  Raises ResourceNotFound, or that its resource group is not there."""
        row = self._store.get(identity.key)
        if row is None:
            self.home(identity, call)
            raise faults.resource_not_found(kind.type, identity.name, identity.resource_group)
        return row

    def get(self, kind: Kind, identity: ResourceId, call: Call) -> Answer:
        """Answer with one resource."""
        return self._shown(kind, self.row(kind, identity, call), call)

    def _shown(
        self, kind: Kind, row: Row, call: Call, status: int = 200, headers: Iterable[tuple[str, str]] = ()
    ) -> Answer:
        body = self._bodies.of(kind, row, Shown(api_version=call.api_version))
        return Answer(status=status, body=body, headers=[*headers])

    def list_(self, kind: Kind, call: Call, folder: str | None = None) -> Answer:
        """Answer with one page of the resources of a subscription or a resource group.

        Instance views are only there if they are asked for (``$expand=instanceView``) or set to be.
        """
        asked = "instanceview" in call.query.get("$expand", "").lower().replace(" ", "").split(",")
        how = Shown(api_version=call.api_version, instance_view=asked or self._settings.lists_with_instance_view)
        after = paging.key_after(call.query)
        rows = self._store.listed(kind.name, self.subscription(call), folder, after=after, limit=paging.SIZE + 1)
        rows, more = rows[: paging.SIZE], len(rows) > paging.SIZE
        bodies = [self._bodies.of(kind, row, how) for row in rows]
        return page(bodies, paging.next_link(call, rows[-1].key) if more else None)

    # --- writing ---

    async def put(self, kind: Kind, identity: ResourceId, call: Call) -> Answer:
        """Create or update a resource."""
        if kind is RESOURCE_GROUPS:
            self.subscription(call)
        else:
            self.home(identity, call)
            self._refuse_homeless(kind, identity)
        wanted = kind.read(older.request(call.body, call.api_version, identity.name), identity)
        row, operation = await self.promise(kind, wanted, identity, call.caller)
        return await self._answered(kind, row, operation, call, new=row.generation == 1)

    async def promise(
        self,
        kind: Kind,
        wanted: Any,
        identity: ResourceId,
        caller: Caller | None = None,
        *,
        parent: str = "",
        parent_epoch: int = 0,
        still: Callable[[], object] = lambda: None,
    ) -> tuple[Row, Operation]:
        """Check what a resource should be, and declare it.  Raises `Fault`.

        ``still`` raises what else is in the way, and is asked last.
        """
        wanted = kind.resolve(wanted, identity, self._admission, caller)
        kind.validate(wanted, identity)
        self._check_links(wanted, caller)
        held = self._store.get(identity.key)
        self._refuse_busy(held, identity)
        wanted = await kind.admit(wanted, held, identity, self._admission)
        held = self._store.get(identity.key)  # admission may have taken a while
        self._refuse_busy(held, identity)
        self._refuse_homeless(kind, identity)
        still()
        subnet = None
        if isinstance(wanted, ContainerGroup):
            self._quotas.refuse_beyond(wanted, identity)
            subnet = check(self._store, wanted, identity)
        warm = self._store.warm(ready=True) if held is None and takes_warm(wanted) else []
        row = self._row(kind, wanted, held, identity, warm[0] if warm else uuid.uuid4().hex)
        if held is None:
            row.parent, row.parent_epoch = parent, parent_epoch
            if subnet is not None:
                row.subnet, row.address = subnet[0], free_address(self._store, *subnet)
        operation = self._declare(
            row, identity, keep_secrets=False, from_warm=bool(warm), keep_revision=kind.keeps_revisions
        )
        return row, operation

    def _refuse_homeless(self, kind: Kind, identity: ResourceId) -> None:
        """Refuse what would lie in a resource group that is not there, or not for long."""
        if kind is RESOURCE_GROUPS or not identity.resource_group:
            return
        home = self._store.get(ids.resource_group(identity.subscription, identity.resource_group).key)
        if home is None:
            raise faults.resource_group_not_found(identity.resource_group)
        if home.desired == "gone":
            raise _being_deleted(identity.resource_group)

    async def wait(self, row: Row, *, gone: bool = False) -> Row:
        """Wait, as long as a request is held, until a resource is what its row says, or is gone; give it then."""
        over = (lambda: self._gone(row)) if gone else (lambda: self._settled(row))
        await self._worker.wait(row.key, over, self._settings.hold_seconds)
        return self._store.get(row.key) or row

    async def _answered(self, kind: Kind, row: Row, operation: Operation, call: Call, *, new: bool = False) -> Answer:
        """Wait a moment for a change to be carried out, and answer as the table of routes says."""
        patience = self._settings.hold_seconds if call.lro.hold else self._settings.answer_seconds
        patience = patience if call.patience is None else min(patience, call.patience)
        await self._worker.wait(row.key, lambda: self._settled(row), patience)
        current = self._store.get(row.key) or row
        settled = current.uid == row.uid and current.settled_generation >= row.generation
        # A failure is shown best through the monitor: clients print its error.
        done = settled and current.provisioning_state == "Succeeded"
        answer = self._shown(kind, current, call)
        return self._answer(call, operation, current, answer, done=done, new=new)

    def _answer(
        self, call: Call, operation: Operation | None, row: Row, answer: Answer, *, done: bool, new: bool = False
    ) -> Answer:
        """Give an answer the status and the headers that the table of routes says, or none of its body."""
        lro = call.lro
        ended = lro.hold or (done and not lro.always)
        status = lro.done if ended else lro.pending
        headers = [] if ended or operation is None else [*self._monitors(call, operation, row), RETRY_AFTER]
        if lro.body and status == _OK:
            return Answer(status=_CREATED if new else _OK, body=answer.body, headers=headers)
        return empty(status, headers)

    def _check_links(self, wanted: object, caller: Caller | None) -> None:
        """Refuse what a caller may ask for but not with the identities and subnets that it names."""
        for action, link in links(wanted):
            if caller is not None and not self._may(caller, action, link.lower()):
                raise faults.link_forbidden(caller.app_id, caller.object_id, action, link)

    def _row(self, kind: Kind, wanted: object, held: Row | None, identity: ResourceId, new_uid: str) -> Row:
        """Write down what a PUT asks for.  A group that was stopped or has ended runs anew."""
        uid = held.uid if held else new_uid
        whole = kind.whole(wanted)
        row = Row(
            key=identity.key,
            kind=kind.name,
            subscription=identity.subscription.lower(),
            resource_group=identity.resource_group.lower(),
            name=held.name if held else identity.name.rpartition("/")[2] or identity.resource_group,
            id=held.id if held else identity.text,
            uid=uid,
            spec=kind.public(wanted),
            secrets=self._vault.seal(whole, uid) if whole else None,
        )
        if held is not None:
            row = replace(
                row,
                epoch=held.epoch + kind.idle(held),
                generation=held.generation + 1,
                provisioning_state="Pending",
                status=held.status,
                settled_generation=held.settled_generation,
                parent=held.parent,
                parent_epoch=held.parent_epoch,
                subnet=held.subnet,
                address=held.address,
            )
        return row

    def _declare(
        self,
        row: Row,
        identity: ResourceId,
        *,
        keep_secrets: bool = True,
        with_contents: bool = False,
        from_warm: bool = False,
        keep_revision: bool = False,
        note: Note | None = None,
    ) -> Operation:
        """Write a change in one transaction, and wake control."""
        now = self._clock()
        row.changed_at = row.wake_at = now
        operation = Operation(
            id=str(uuid.uuid4()),
            key=row.key,
            resource_id=row.id,
            subscription=row.subscription,
            generation=row.generation,
            started_at=now,
        )
        change = Change(
            row=row,
            operation=operation,
            keep_secrets=keep_secrets,
            with_contents=with_contents,
            from_warm=from_warm,
            keep_revision=keep_revision,
            note=note,
        )
        try:
            self._store.declare(change)
        except Stale:
            raise _busy(row.kind, identity) from None
        self._worker.wake(row.key)
        return operation

    def _settled(self, row: Row) -> bool:
        current = self._store.get(row.key)
        return current is None or current.uid != row.uid or current.settled_generation >= row.generation

    def _refuse_busy(self, held: Row | None, identity: ResourceId) -> None:
        if held is not None and held.desired == "gone":
            if not identity.type:
                raise _being_deleted(identity.resource_group)
            raise _busy(held.kind, identity)
        if held is not None and held.settled_generation < held.generation and held.provisioning_state != "Failed":
            raise _busy(held.kind, identity)

    async def patch(self, kind: Kind, identity: ResourceId, call: Call) -> Answer:
        """Change the parts of a resource that its kind lets be patched; tags alone are done at once."""
        row = self.row(kind, identity, call)
        before = kind.read_again(row.spec)
        after = kind.patched(before, call.body)
        if replace(after, tags=None) != replace(before, tags=None):
            row, operation = await self.promise(kind, after, identity, call.caller)
            return await self._answered(kind, row, operation, call)
        kind.admit_tags(before, after, identity, self._admission)
        row.spec = kind.public(after)
        self._store.annotate(row.key, row.uid, row.spec, wake_at=self._clock())
        self._worker.wake(row.key)
        return self._shown(kind, row, call)

    def expire(self, seen: Row) -> None:
        """Declare that a container group is to be gone because its time is over; nobody waits for it."""
        held = self._store.get(seen.key)
        if held is None or (held.uid, held.generation, held.spec) != (seen.uid, seen.generation, seen.spec):
            return  # it may run once more, or have more time
        if held.desired != "gone":
            identity = ids.container_group(held.subscription, held.resource_group, held.name)
            with contextlib.suppress(Fault):  # changed meanwhile: it is looked at again
                self._declare(_next(held, desired="gone", provisioning_state="Deleting"), identity)

    async def delete(self, kind: Kind, identity: ResourceId, call: Call) -> Answer:
        """Delete a resource; 204 if there was none."""
        held = self._store.get(identity.key)
        if held is None:
            self.home(identity, call)
            return empty(204)
        if held.desired != "gone":
            kind.refuse_removal(held, self._store)
        answer = self._shown(kind, held, call)
        operation = self.remove(held, identity, note=self._one_less(held))
        patience = self._settings.hold_seconds if call.lro.hold else self._settings.answer_seconds
        gone = await self._worker.wait(held.key, lambda: self._gone(held), patience)
        return self._answer(call, operation, held, answer, done=gone)

    def remove(self, held: Row, identity: ResourceId, *, note: Note | None = None) -> Operation | None:
        """Declare that a resource should be gone; gives the operation, also if that was declared before."""
        if held.desired == "gone":
            before = self._store.open_operation(held.key)
            return self._store.operation(before) if before else None
        return self._declare(_next(held, desired="gone", provisioning_state="Deleting"), identity, note=note)

    def _one_less(self, held: Row) -> Note | None:
        """Lower the count of the set that a resource is deleted from, unless the set maintains it."""
        parent = self._store.get(held.parent.lower()) if held.parent and held.desired != "gone" else None
        if parent is None or parent.kind != N_GROUPS.name:
            return None
        return Note(key=parent.key, uid=parent.uid, spec=N_GROUPS.one_less(parent.spec))

    async def look(self, key: str) -> None:
        """Let go of what is kept of a resource that is gone, after it was worked on."""
        if self._store.get(key) is None:
            self._bodies.forget(key)

    def _gone(self, row: Row) -> bool:
        current = self._store.get(row.key)
        return current is None or current.uid != row.uid

    def delete_folder(self, call: Call) -> Answer:
        """Delete a resource group and everything in it; the answer names where the end can be seen."""
        held = self.folder(call)
        if held.desired != "gone":
            self._refuse_used(held)
            row = _next(held, desired="gone", provisioning_state="Deleting")
            operation = self._declare(row, call.resource_group, with_contents=True).id
            for inside in self._store.listed(None, held.subscription, held.resource_group):
                self._worker.wake(inside.key)
        else:
            operation = self._store.open_operation(held.key) or ""
        where = f"{call.base_url}/subscriptions/{call.subscription}/operationresults/{operation}"
        return empty(202, [("Location", f"{where}?api-version={call.api_version}"), RETRY_AFTER])

    def _refuse_used(self, folder: Row) -> None:
        """Refuse to delete a resource group of which others need something.  Raises `Fault`."""
        for network in self._store.listed(NETWORKS.name, folder.subscription, folder.resource_group):
            users = [row for row in self._store.in_subnet(network.key) if row.resource_group != folder.resource_group]
            if users:
                raise Fault(
                    409,
                    "ResourceGroupDeletionBlocked",
                    f"Deletion of resource group '{folder.name}' failed as resources with identifiers "
                    f"'{NETWORKS.type}/{network.name}' could not be deleted: {users[0].id} is in one of its subnets. "
                    "Delete it first.",
                )

    async def act(self, kind: Kind, identity: ResourceId, verb: str, call: Call) -> Answer:
        """Start, stop or restart a resource."""
        held = self._able(kind, identity, verb, call)
        nothing_to_do = (verb == "start" and not kind.idle(held)) or (verb == "stop" and kind.idle(held))
        if nothing_to_do and call.lro.idle:
            # Clients that take nothing but a 202 follow it wherever it leads: here to the resource, which runs.
            where = f"{call.base_url}{quote(held.id)}?api-version={call.api_version}"
            return empty(call.lro.idle, [("Location", where)] if call.lro.idle == _ACCEPTED else [])
        if verb != "stop":
            await kind.admit_again(self._whole(kind, held), verb, identity, self._admission)
            held = self._able(kind, identity, verb, call)  # that may have taken a while
        row, operation = self.turn(kind, held, identity, verb)
        return await self._answered(kind, row, operation, call)

    def _able(self, kind: Kind, identity: ResourceId, verb: str, call: Call) -> Row:
        """Read a resource that can be started, stopped or restarted now.  Raises `Fault`."""
        held = self.row(kind, identity, call)
        busy = held.settled_generation < held.generation
        if held.desired == "gone" or (busy and verb != "stop"):
            raise _busy(held.kind, identity)
        if verb == "restart" and held.desired == "stop":
            raise faults.stopped(identity.name, identity.resource_group)
        return held

    def turn(
        self, kind: Kind, held: Row, identity: ResourceId, verb: str, *, parent_epoch: int | None = None
    ) -> tuple[Row, Operation]:
        """Declare that a resource should start, stop or restart, perhaps because its parent did."""
        row = _next(
            held,
            desired="stop" if verb == "stop" else "run",
            epoch=held.epoch + (verb == "restart" or (verb == "start" and kind.idle(held))),
            provisioning_state="Updating",
            parent_epoch=held.parent_epoch if parent_epoch is None else parent_epoch,
        )
        return row, self._declare(row, identity)

    def _whole(self, kind: Kind, held: Row) -> Any:
        """Read a stored definition with its secrets."""
        opened = self._store.opened(held.key) or held
        return kind.read_again(self._vault.open(opened.secrets, opened.uid) if opened.secrets else opened.spec)

    def end(self, row: Row, identity: ResourceId) -> None:
        """Have control give up what it is doing for a resource."""
        self._declare(_next(row, desired="stop"), identity)

    # --- operations ---

    def _monitors(self, call: Call, operation: Operation, row: Row) -> list[tuple[str, str]]:
        """Name the operation in the headers that the table of routes asks for."""
        location = msgspec.json.decode(row.spec).get("location", "global")
        version = OPERATION_MONITOR if call.lro.word == "operations" else call.api_version
        urls = {
            "Azure-AsyncOperation": f"{call.base_url}/subscriptions/{call.subscription}/providers/"
            f"Microsoft.ContainerInstance/locations/{location}/{call.lro.word}/{operation.id}?api-version={version}",
            "Location": f"{call.base_url}/subscriptions/{call.subscription}/operationresults/{operation.id}"
            f"?api-version={call.api_version}",
        }
        return [(name, urls[name]) for name in call.lro.headers]

    async def _ended(self, call: Call) -> Operation:
        """Wait for the end of an operation as long as a request is held, and give it as it is then."""
        identity = call.params["operationId"]
        operation = self._store.operation(identity)
        if operation is None or operation.subscription != call.subscription.lower():
            raise Fault(404, "OperationNotFound", f"The operation '{identity}' was not found.")
        if operation.status == "Pending":

            def ended() -> bool:
                current = self._store.operation(identity)
                return current is None or current.status != "Pending"

            hold = self._settings.hold_seconds
            await self._worker.wait(operation.key, ended, hold if call.patience is None else min(hold, call.patience))
            operation = self._store.operation(identity) or operation
        return operation

    async def operation(self, call: Call) -> Answer:
        """Answer how an operation stands; held until it has ended."""
        operation = await self._ended(call)
        started = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(operation.started_at))
        fraction = f"{operation.started_at % 1:.7f}"[1:]
        document: dict[str, object] = {
            "id": operation.resource_id,
            "status": operation.status,
            "startTime": f"{started}{fraction}Z",
            "properties": {"events": msgspec.Raw(operation.events)},
        }
        if operation.error_message:
            document["error"] = {
                "code": operation.error_code or "ContainerGroupFailed",
                "message": operation.error_message,
            }
        return plain(document, headers=[RETRY_AFTER] if operation.status == "Pending" else [])

    async def operation_result(self, call: Call) -> Answer:
        """Answer 202 while a deletion goes on, then 200."""
        operation = await self._ended(call)
        if operation.status == "Pending":
            where = f"{call.base_url}/subscriptions/{call.subscription}/operationresults/{operation.id}"
            return empty(202, [("Location", f"{where}?api-version={call.api_version}"), RETRY_AFTER])
        return empty(200)


def _next(held: Row, **changes: object) -> Row:
    """Give the row of the next generation."""
    return replace(held, generation=held.generation + 1, **changes)


def _busy(kind: str, identity: ResourceId) -> Fault:
    """Report a resource that is busy, in the words of its kind."""
    held = BY_NAME.get(kind, SANDBOXES)
    return faults.transitioning(identity.name or identity.resource_group, held.noun, code=held.busy_code)


def _being_deleted(name: str) -> Fault:
    return Fault(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{name}' is in deprovisioning state and cannot perform this operation.",
    )
