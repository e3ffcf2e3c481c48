"""The store on SQLite: one file, one writer, a row is the queue.

Calls are synchronous and short: a point read takes some 50 microseconds, which is less than handing it to a thread.
Rows that were read stay in memory until anything is written: the one process that holds the data dir is the only
writer, and its connection counts the changes that it made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict, replace

from .records import Change, Operation, Outcome, Principal, Row, Subscription
from .tables import facts, migrate, operations, principals, resources, revisions, subscriptions, warm

_OPEN_FIELDS = tuple(name for name in Row.__struct_fields__)
_READ_FIELDS = tuple(name for name in _OPEN_FIELDS if name != "secrets")
_OPEN_COLUMNS = [resources.c[name] for name in _OPEN_FIELDS]
_READ_COLUMNS = [resources.c[name] for name in _READ_FIELDS]
_KEPT_OPERATIONS = 86400.0
"""Seconds for which an ended operation can still be asked for."""
_REMEMBERED, _LARGEST_REMEMBERED = 2048, 16 << 10
"""Most rows kept in memory, and most bytes of one of them."""

# Made once: putting a statement together takes longer than running it.
_KEY: sa.BindParameter[str] = sa.bindparam("key")
_GET = sa.select(*_READ_COLUMNS).where(resources.c.key == _KEY)
_OPENED = sa.select(*_OPEN_COLUMNS).where(resources.c.key == _KEY)
_SPECS = sa.select(resources.c.key, resources.c.spec).where(
    resources.c.subscription == sa.bindparam("subscription"), resources.c.kind == sa.bindparam("kind")
)
_SUBSCRIPTION = sa.select(subscriptions).where(subscriptions.c.id == _KEY)


class Stale(Exception):
    """The row changed since it was read: read it again and decide anew."""


class StoreFailed(Exception):
    """The database can't be written, for example because the disk is full; nothing was changed."""


_PRAGMAS = (
    "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000",
    "cache_size=-1024",  # KiB: what is read often is remembered as rows, and the kernel has the file
)  # fmt: skip


def _inside(subnet: str) -> tuple[Any, ...]:
    """Give the conditions for being in a subnet, or in any of a network."""
    below = sa.and_(resources.c.subnet > f"{subnet}/", resources.c.subnet < f"{subnet}0")
    return resources.c.subnet != "", sa.or_(resources.c.subnet == subnet, below)


def _holding(kind: str, text: str, apart_from: str) -> tuple[Any, ...]:
    """Give the conditions for a definition of a kind to hold a piece of JSON."""
    held = sa.func.instr(resources.c.spec, text.encode()) > 0
    return resources.c.kind == kind, resources.c.key != apart_from, held


def _on_connect(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class SqlStore:
    """Keeps everything in one database."""

    def __init__(self, path: Path | None) -> None:
        """Open a file, or with None a database in memory."""
        self._engine = sa.create_engine(
            f"sqlite:///{path}" if path else "sqlite://",
            poolclass=sa.pool.StaticPool,
            connect_args={"check_same_thread": False},
        )
        sa.event.listen(self._engine, "connect", _on_connect)
        self._connection = self._engine.connect()
        self._changes: Counter[str] = Counter()
        self._driver: Any = self._connection.connection.driver_connection
        self._remembered: dict[str, Row] = {}
        self._remembered_at = 0
        if path:
            path.chmod(0o600)
        with self._transaction() as connection:
            migrate(connection)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._connection.begin():
                yield self._connection
        except sa.exc.OperationalError as error:
            raise StoreFailed(f"the database cannot be written: {error.orig}") from None

    def _rows(self, statement: Any, **parameters: object) -> Sequence[Any]:
        with self._transaction() as connection:
            return connection.execute(statement, parameters).all()

    # --- resources ---

    def get(self, key: str) -> Row | None:
        """Read a resource without its secrets."""
        changes: int = self._driver.total_changes
        if changes != self._remembered_at or len(self._remembered) > _REMEMBERED:
            self._remembered.clear()
            self._remembered_at = changes
        row = self._remembered.get(key)
        if row is None:
            found = self._rows(_GET, key=key)
            if not found:
                return None
            row = Row(**found[0]._mapping)
            if len(row.spec) + len(row.status) <= _LARGEST_REMEMBERED:
                self._remembered[key] = row
        return copy(row)  # callers may change what they get

    def opened(self, key: str) -> Row | None:
        """Read a resource with its secrets, still encrypted.  For control."""
        found = self._rows(_OPENED, key=key)
        return Row(**found[0]._mapping) if found else None

    def listed(
        self,
        kind: str | None,
        subscription: str,
        resource_group: str | None = None,
        *,
        after: str = "",
        limit: int | None = None,
    ) -> list[Row]:
        """Read the resources of a subscription or of one of its resource groups, ordered by key.

        With a limit only so many, of those whose key comes after one.
        """
        statement = sa.select(*_READ_COLUMNS).where(resources.c.subscription == subscription)
        if kind is not None:
            statement = statement.where(resources.c.kind == kind)
        if resource_group is not None:
            statement = statement.where(resources.c.resource_group == resource_group)
        if after:
            statement = statement.where(resources.c.key > after)
        statement = statement.limit(limit)
        return [Row(**found._mapping) for found in self._rows(statement.order_by(resources.c.key))]

    def members(self, parent: str) -> list[Row]:
        """Read the resources that were made for another one, by its id, ordered by key."""
        statement = sa.select(*_READ_COLUMNS).where(resources.c.parent == parent)
        return [Row(**found._mapping) for found in self._rows(statement.order_by(resources.c.key))]

    def in_subnet(self, subnet: str) -> list[Row]:
        """Read what is in a subnet, by its ARM id in lower case, or in any of a network; ordered by key."""
        statement = sa.select(*_READ_COLUMNS).where(*_inside(subnet)).order_by(resources.c.key)
        return [Row(**found._mapping) for found in self._rows(statement)]

    def keys_in(self, subnet: str) -> list[str]:
        """Give the keys of what is in a subnet, or in any of a network."""
        statement = sa.select(resources.c.key).where(*_inside(subnet)).order_by(resources.c.key)
        return [found.key for found in self._rows(statement)]

    def revisions(self, row: Row) -> list[Row]:
        """Read a resource as each of its kept generations defined it, oldest first, without secrets."""
        columns = (revisions.c.generation, revisions.c.spec)
        statement = sa.select(*columns).where(revisions.c.uid == row.uid).order_by(revisions.c.generation)
        return [replace(row, generation=found.generation, spec=found.spec) for found in self._rows(statement)]

    def revision(self, row: Row, generation: int) -> Row | None:
        """Read a resource as one of its kept generations defined it, with its secrets, still encrypted."""
        found = self._rows(sa.select(revisions).where(revisions.c.uid == row.uid, revisions.c.generation == generation))
        return replace(row, generation=generation, spec=found[0].spec, secrets=found[0].secrets) if found else None

    def every(self, kind: str) -> list[Row]:
        """Read all resources of a kind, in whatever subscription they are."""
        found = self._rows(sa.select(*_READ_COLUMNS).where(resources.c.kind == kind).order_by(resources.c.key))
        return [Row(**each._mapping) for each in found]

    def changes(self, kind: str) -> int:
        """Count the changes to what is wanted of a kind: who keeps a copy sees by it when the copy is old."""
        return self._changes[kind] + self._changes[""]

    def specs(self, kind: str, subscription: str) -> list[tuple[str, bytes]]:
        """Read key and definition of every resource of a kind in a subscription."""
        return [(found.key, found.spec) for found in self._rows(_SPECS, kind=kind, subscription=subscription)]

    def holding_text(self, kind: str, text: str, *, apart_from: str = "") -> Row | None:
        """Give a resource of a kind whose definition holds a piece of JSON, or None."""
        found = self._rows(sa.select(*_READ_COLUMNS).where(*_holding(kind, text, apart_from)).limit(1))
        return Row(**found[0]._mapping) if found else None

    def holders(self, kind: str, text: str, *, apart_from: str = "") -> list[bytes]:
        """Read the definitions of a kind that hold a piece of JSON."""
        statement = sa.select(resources.c.spec).where(*_holding(kind, text, apart_from))
        return [found.spec for found in self._rows(statement)]

    def key_of(self, uid: str) -> str | None:
        """Give the key of the resource with this uid."""
        found = self._rows(sa.select(resources.c.key).where(resources.c.uid == uid))
        return str(found[0].key) if found else None

    def declare(self, change: Change) -> None:
        """Write what a caller wants: row, operation and wake in one transaction.  Raises `Stale`."""
        row = change.row
        fields = {name: getattr(row, name) for name in _OPEN_FIELDS if name not in ("status", "settled_generation")}
        if change.keep_secrets:
            del fields["secrets"]
        self._changes["" if change.with_contents else row.kind] += 1
        with self._transaction() as connection:
            if change.from_warm:
                taken = connection.execute(warm.delete().where(warm.c.uid == row.uid, warm.c.ready))
                if taken.rowcount != 1:
                    raise Stale(row.key)
            if row.generation == 1:
                try:
                    connection.execute(resources.insert().values(fields | {"status": b"", "settled_generation": 0}))
                except sa.exc.IntegrityError:
                    raise Stale(row.key) from None
            else:
                changed = connection.execute(
                    resources.update()
                    .where(
                        resources.c.key == row.key,
                        resources.c.uid == row.uid,
                        resources.c.generation == row.generation - 1,
                    )
                    .values(fields)
                )
                if changed.rowcount != 1:
                    raise Stale(row.key)
            if change.operation is not None:
                connection.execute(operations.insert().values(asdict(change.operation)))
            if change.keep_revision:
                kept = {"uid": row.uid, "generation": row.generation, "spec": row.spec, "secrets": row.secrets}
                connection.execute(revisions.insert().values(kept))
            if change.note is not None:
                connection.execute(
                    resources.update()
                    .where(resources.c.key == change.note.key, resources.c.uid == change.note.uid)
                    .values(spec=change.note.spec, wake_at=row.wake_at)
                )
            if change.with_contents:
                inside = sa.and_(
                    resources.c.subscription == row.subscription,
                    resources.c.resource_group == row.resource_group,
                    resources.c.key != row.key,
                    resources.c.desired != "gone",
                )
                connection.execute(
                    resources.update()
                    .where(inside)
                    .values(
                        desired="gone",
                        generation=resources.c.generation + 1,
                        provisioning_state=row.provisioning_state,
                        changed_at=row.changed_at,
                        wake_at=row.wake_at,
                    )
                )

    def annotate(self, key: str, uid: str, spec: bytes, *, wake_at: float) -> None:
        """Write a definition in which only the tags are new, and have it looked at: one may set a time to live."""
        with self._transaction() as connection:
            connection.execute(
                resources.update()
                .where(resources.c.key == key, resources.c.uid == uid)
                .values(spec=spec, wake_at=wake_at)
            )
            newest = sa.select(resources.c.generation).where(resources.c.uid == uid).scalar_subquery()
            connection.execute(
                revisions.update().where(revisions.c.uid == uid, revisions.c.generation == newest).values(spec=spec)
            )

    # --- control ---

    def show(self, key: str, uid: str, status: bytes) -> None:
        """Write what a caller sees, and nothing else; for a row that nobody works on."""
        with self._transaction() as connection:
            connection.execute(
                resources.update().where(resources.c.key == key, resources.c.uid == uid).values(status=status)
            )

    def claim(self, now: float, owner: str, until: float, key: str) -> bool:
        """Lease a resource if it is due and nobody else works on it."""
        free = sa.or_(
            resources.c.lease_until.is_(None), resources.c.lease_until < now, resources.c.lease_owner == owner
        )
        with self._transaction() as connection:
            claimed = connection.execute(
                resources.update()
                .where(resources.c.key == key, resources.c.wake_at <= now, free)
                .values(lease_owner=owner, lease_until=until)
            )
        return bool(claimed.rowcount == 1)

    def due(self, now: float, limit: int = 100) -> list[str]:
        """Give the keys of resources that are due and that nobody works on, longest due first."""
        free = sa.or_(resources.c.lease_until.is_(None), resources.c.lease_until < now)
        statement = sa.select(resources.c.key).where(resources.c.wake_at <= now, free)
        return [str(found.key) for found in self._rows(statement.order_by(resources.c.wake_at).limit(limit))]

    def renew(self, owner: str, key: str, until: float) -> None:
        """Hold on to a lease."""
        with self._transaction() as connection:
            connection.execute(
                resources.update()
                .where(resources.c.key == key, resources.c.lease_owner == owner)
                .values(lease_until=until)
            )

    def free_leases(self) -> None:
        """End every lease: for a store that one service has alone, and that has just started."""
        with self._transaction() as connection:
            connection.execute(resources.update().values(lease_owner=None, lease_until=None))

    def wake(self, key: str, at: float) -> None:
        """Make a resource due at a time, if it is not due before."""
        with self._transaction() as connection:
            connection.execute(
                resources.update()
                .where(resources.c.key == key, sa.or_(resources.c.wake_at.is_(None), resources.c.wake_at > at))
                .values(wake_at=at)
            )

    def next_due(self, now: float) -> float | None:
        """Tell when the next resource is due that nobody works on."""
        statement = sa.select(sa.func.min(resources.c.wake_at)).where(
            sa.or_(resources.c.lease_until.is_(None), resources.c.lease_until < now)
        )
        found = self._rows(statement)[0][0]
        return None if found is None else float(found)

    def settle(self, outcome: Outcome, now: float) -> bool:
        """Write what a pass found: status, end of operations, next look, release of the lease; one transaction.

        False if the resource was changed meanwhile: then it stays due.
        """
        mine = (resources.c.key == outcome.key, resources.c.uid == outcome.uid)
        with self._transaction() as connection:
            if outcome.gone:
                removed = connection.execute(
                    resources.delete().where(*mine, resources.c.generation == outcome.generation)
                )
                current = removed.rowcount == 1
                if current:  # what lies below it, such as the roles over it, goes with it
                    below = (resources.c.key > f"{outcome.key}/", resources.c.key < f"{outcome.key}0")
                    if connection.execute(resources.delete().where(*below)).rowcount:
                        self._changes[""] += 1
                    connection.execute(revisions.delete().where(revisions.c.uid == outcome.uid))
            else:
                values: dict[str, Any] = {"status": outcome.status, "lease_owner": None, "lease_until": None}
                current_values = values | {
                    "provisioning_state": outcome.provisioning_state,
                    "wake_at": outcome.wake_at,
                }
                if outcome.done:
                    current_values["settled_generation"] = outcome.generation
                written = connection.execute(
                    resources.update().where(*mine, resources.c.generation == outcome.generation).values(current_values)
                )
                current = written.rowcount == 1
                if not current:
                    connection.execute(resources.update().where(*mine).values(values))
            if outcome.done or outcome.gone:
                connection.execute(
                    operations.update()
                    .where(
                        operations.c.key == outcome.key,
                        operations.c.status == "Pending",
                        operations.c.generation <= outcome.generation,
                    )
                    .values(
                        status="Failed" if outcome.error_message else "Succeeded",
                        error_code=outcome.error_code,
                        error_message=outcome.error_message,
                        events=outcome.events,
                    )
                )
                connection.execute(
                    operations.delete().where(
                        operations.c.status != "Pending", operations.c.started_at < now - _KEPT_OPERATIONS
                    )
                )
        return current

    # --- sandboxes made ahead ---

    def warm(self, *, ready: bool | None = None) -> list[str]:
        """Give the uids of sandboxes made ahead: all, or those that are ready, or those being made."""
        statement = sa.select(warm.c.uid)
        return [
            str(found.uid)
            for found in self._rows(statement if ready is None else statement.where(warm.c.ready == ready))
        ]

    def add_warm(self, uid: str) -> None:
        """Write down that a sandbox is going to be made: before it is, so that the sweep knows it."""
        with self._transaction() as connection:
            connection.execute(warm.insert().values(uid=uid, ready=False))

    def warmed(self, uid: str) -> None:
        """Write down that a sandbox can be taken."""
        with self._transaction() as connection:
            connection.execute(warm.update().where(warm.c.uid == uid).values(ready=True))

    def drop_warm(self, uid: str) -> None:
        """Write down that a sandbox is nobody's: the next sweep removes it."""
        with self._transaction() as connection:
            connection.execute(warm.delete().where(warm.c.uid == uid))

    def uids(self, *kinds: str) -> set[str]:
        """Give the uid of every resource of some kinds."""
        return {str(found.uid) for found in self._rows(sa.select(resources.c.uid).where(resources.c.kind.in_(kinds)))}

    def keys(self, *kinds: str) -> list[str]:
        """Give the key of every resource of some kinds."""
        return [str(found.key) for found in self._rows(sa.select(resources.c.key).where(resources.c.kind.in_(kinds)))]

    def operation(self, identity: str) -> Operation | None:
        """Read an operation."""
        found = self._rows(sa.select(operations).where(operations.c.id == identity))
        return Operation(**found[0]._mapping) if found else None

    def open_operation(self, key: str) -> str | None:
        """Give the id of the newest operation on a resource that has not ended."""
        statement = sa.select(operations.c.id).where(operations.c.key == key, operations.c.status == "Pending")
        found = self._rows(statement.order_by(operations.c.started_at.desc()).limit(1))
        return str(found[0].id) if found else None

    # --- who may ask ---

    def principal(self, app_id: str) -> Principal | None:
        """Read a principal."""
        found = self._rows(sa.select(principals).where(principals.c.app_id == app_id.lower()))
        return Principal(**found[0]._mapping) if found else None

    def add_principal(self, principal: Principal) -> None:
        """Write a new principal."""
        with self._transaction() as connection:
            connection.execute(principals.insert().values(asdict(principal)))

    def principals(self) -> list[Principal]:
        """Read all principals."""
        return [Principal(**found._mapping) for found in self._rows(sa.select(principals))]

    def subscription(self, identity: str) -> Subscription | None:
        """Read a subscription."""
        found = self._rows(_SUBSCRIPTION, key=identity.lower())
        return Subscription(**found[0]._mapping) if found else None

    def subscriptions(self) -> list[Subscription]:
        """Read all subscriptions, the oldest first."""
        found = self._rows(sa.select(subscriptions).order_by(sa.text("rowid")))
        return [Subscription(**each._mapping) for each in found]

    def add_subscription(self, subscription: Subscription) -> None:
        """Write a new subscription."""
        with self._transaction() as connection:
            connection.execute(subscriptions.insert().values(asdict(subscription)))

    def remove_subscription(self, identity: str) -> None:
        """Remove a subscription, and what extends it, such as the roles over it."""
        below = f"/subscriptions/{identity.lower()}"
        with self._transaction() as connection:
            connection.execute(subscriptions.delete().where(subscriptions.c.id == identity.lower()))
            connection.execute(resources.delete().where(resources.c.key > f"{below}/", resources.c.key < f"{below}0"))
        self._changes[""] += 1

    def fact(self, name: str) -> str | None:
        """Read a fact about the installation."""
        found = self._rows(sa.select(facts.c.value).where(facts.c.name == name))
        return str(found[0].value) if found else None

    def add_fact(self, name: str, value: str) -> None:
        """Write a fact about the installation."""
        with self._transaction() as connection:
            connection.execute(facts.insert().values(name=name, value=value))
