"""Databases of older programs are brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hythe.service.store import Change, Row, SqlStore


def _row(name: str) -> Row:
    return Row(
        key=f"/{name}", kind="containerGroups", subscription="s", resource_group="g", name=name, id=f"/{name}",
        uid=name, spec=b"{}",
    )  # fmt: skip


def test_a_database_without_parents_and_revisions_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "hythe.db"
    store = SqlStore(path)
    store.declare(Change(row=_row("old")))
    store.close()
    older = sqlite3.connect(path)
    older.execute("DROP INDEX resources_of_parent")
    older.execute("ALTER TABLE resources DROP COLUMN parent")
    older.execute("ALTER TABLE resources DROP COLUMN parent_epoch")
    older.execute("DROP TABLE revisions")
    older.execute("PRAGMA user_version = 1")
    older.commit()
    older.close()

    store = SqlStore(path)

    old = store.get("/old")
    assert old is not None
    assert (old.parent, old.parent_epoch) == ("", 0)
    row = _row("new")
    row.parent = "/Old"
    store.declare(Change(row=row, keep_revision=True))
    assert [one.name for one in store.members("/Old")] == ["new"]
    assert [one.generation for one in store.revisions(row)] == [1]
    store.close()
