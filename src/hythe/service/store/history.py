"""The minutes of the groups' metrics, packed by hours, in a database of their own: it may be lost without harm."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

_TABLE = """
CREATE TABLE IF NOT EXISTS hours (
  uid TEXT NOT NULL, hour INTEGER NOT NULL, block BLOB NOT NULL, PRIMARY KEY (uid, hour)
)
"""


_PRAGMAS = (
    # A block takes 1 to 3 KB: on small pages a third of the room would stay empty.
    "page_size=16384", "auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL",
    "wal_autocheckpoint=64", "cache_size=-512",
)  # fmt: skip


def _opened(path: Path | None) -> sqlite3.Connection:
    connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
    try:
        if path:
            path.chmod(0o600)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        with connection:
            connection.execute(_TABLE)
    except BaseException:
        connection.close()
        raise
    return connection


class History:
    """Keeps blocks of bytes, one for each hour of each group.  Any thread may call it."""

    def __init__(self, path: Path | None = None) -> None:
        """Open a file, or with None a database in memory."""
        self._turn = threading.Lock()
        try:
            self._connection = _opened(path)
        except sqlite3.DatabaseError as error:
            if path is None:
                raise
            log.warning("cannot read %s: %s. It begins anew.", path, error)
            for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
                each.unlink(missing_ok=True)
            self._connection = _opened(path)

    def put(self, blocks: Iterable[tuple[str, int, bytes]]) -> None:
        """Write blocks, each with the group's uid and its hour, counted from 1970."""
        with self._turn, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO hours VALUES (?, ?, ?)", blocks)

    def get(self, uid: str, first: int, last: int) -> list[tuple[int, bytes]]:
        """Read the blocks of a group from one hour to another, both included, oldest first."""
        statement = "SELECT hour, block FROM hours WHERE uid = ? AND hour BETWEEN ? AND ? ORDER BY hour"
        with self._turn:
            return self._connection.execute(statement, (uid, first, last)).fetchall()

    def forget(self, uid: str) -> None:
        """Remove what is known of a group."""
        with self._turn, self._connection:
            self._connection.execute("DELETE FROM hours WHERE uid = ?", (uid,))

    def prune(self, before: int) -> None:
        """Remove the hours before one, and give their room back to the disk."""
        with self._turn, self._connection:
            self._connection.execute("DELETE FROM hours WHERE hour < ?", (before,))
        with self._turn:
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()

    def close(self) -> None:
        """Close the database."""
        with self._turn:
            self._connection.close()
