"""The tables, and the steps that lead an older database to them."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

metadata = sa.MetaData()

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subscription", sa.String, nullable=False),
    sa.Column("resource_group", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("uid", sa.String, nullable=False, unique=True),
    sa.Column("spec", sa.LargeBinary, nullable=False),
    sa.Column("secrets", sa.LargeBinary),
    sa.Column("desired", sa.String, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.Float, nullable=False),
    sa.Column("status", sa.LargeBinary, nullable=False),
    sa.Column("provisioning_state", sa.String, nullable=False),
    sa.Column("settled_generation", sa.Integer, nullable=False),
    sa.Column("wake_at", sa.Float),
    sa.Column("lease_owner", sa.String),
    sa.Column("lease_until", sa.Float),
    sa.Column("parent", sa.String, nullable=False, server_default=""),
    sa.Column("parent_epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("subnet", sa.String, nullable=False, server_default=""),
    sa.Column("address", sa.String, nullable=False, server_default=""),
    sa.Index("resources_of_group", "subscription", "resource_group", "kind"),
    sa.Index("resources_due", "wake_at"),
    sa.Index("resources_of_parent", "parent"),
    sa.Index("resources_of_subnet", "subnet", "address", unique=True, sqlite_where=sa.text("subnet != ''")),
)

revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("uid", sa.String, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("spec", sa.LargeBinary, nullable=False),
    sa.Column("secrets", sa.LargeBinary),
)

operations = sa.Table(
    "operations",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False, index=True),
    sa.Column("resource_id", sa.String, nullable=False),
    sa.Column("subscription", sa.String, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("error_code", sa.String, nullable=False),
    sa.Column("error_message", sa.String, nullable=False),
    sa.Column("events", sa.LargeBinary, nullable=False),
)

principals = sa.Table(
    "principals",
    metadata,
    sa.Column("app_id", sa.String, primary_key=True),
    sa.Column("object_id", sa.String, nullable=False),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("display_name", sa.String, nullable=False),
    sa.Column("secret_hash", sa.String, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("tenant", sa.String, nullable=False),
)

warm = sa.Table(
    "warm",
    metadata,
    sa.Column("uid", sa.String, primary_key=True),
    sa.Column("ready", sa.Boolean, nullable=False),
)

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)


share_accounts = sa.Table(
    "share_accounts",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
)

shares = sa.Table(
    "shares",
    metadata,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("quota_gb", sa.Float, nullable=False),
)


def _first(connection: sa.Connection) -> None:
    metadata.create_all(connection)


def _shares(connection: sa.Connection) -> None:
    for table in (share_accounts, shares):
        table.create(connection, checkfirst=True)


_WORD, _NUMBER = "VARCHAR NOT NULL DEFAULT ''", "INTEGER NOT NULL DEFAULT 0"


def _add(connection: sa.Connection, columns: dict[str, str]) -> None:
    """Add columns to the resources; a database made by `_first` of this program has them already."""
    there = {column["name"] for column in sa.inspect(connection).get_columns("resources")}
    for name, kind in columns.items():
        if name not in there:
            connection.exec_driver_sql(f"ALTER TABLE resources ADD COLUMN {name} {kind}")


def _parents_and_revisions(connection: sa.Connection) -> None:
    """Add what sets and profiles need."""
    _add(connection, {"parent": _WORD, "parent_epoch": _NUMBER})
    connection.exec_driver_sql("CREATE INDEX IF NOT EXISTS resources_of_parent ON resources (parent)")
    revisions.create(connection, checkfirst=True)


def _subnets(connection: sa.Connection) -> None:
    """Add where groups are in subnets; no two have one address there."""
    _add(connection, {"subnet": _WORD, "address": _WORD})
    connection.exec_driver_sql(
        "CREATE UNIQUE INDEX IF NOT EXISTS resources_of_subnet ON resources (subnet, address) WHERE subnet != ''"
    )


STEPS: tuple[Callable[[sa.Connection], None], ...] = (_first, _shares, _parents_and_revisions, _subnets)
"""Step n leads from version n to n + 1.  A step that was released is never changed: a new one follows it."""


def migrate(connection: sa.Connection) -> None:
    """Bring the database to the newest version.  Raises RuntimeError if it is newer than this program."""
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > len(STEPS):
        raise RuntimeError(
            f"cannot open the database: it has version {version}, this program knows {len(STEPS)}. "
            "Start the newer Hythe that wrote it."
        )
    for number, step in enumerate(STEPS[version:], start=version + 1):
        step(connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")
