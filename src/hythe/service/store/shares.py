"""The file shares and the keys of their accounts, in the store's database."""

from __future__ import annotations

import sqlalchemy as sa

from .records import Share
from .sql import SqlStore
from .tables import share_accounts, shares


class ShareTable:
    """Keeps shares and accounts; keys come and go encrypted."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def listed(self) -> list[Share]:
        """Read every share, by account and name."""
        found = self._store._rows(sa.select(shares).order_by(shares.c.account, shares.c.name))
        return [Share(**one._mapping) for one in found]

    def get(self, account: str, name: str) -> Share | None:
        """Read a share."""
        where = sa.select(shares).where(shares.c.account == account, shares.c.name == name)
        found = self._store._rows(where)
        return Share(**found[0]._mapping) if found else None

    def put(self, share: Share) -> None:
        """Write a share, new or changed."""
        with self._store._transaction() as connection:
            self._delete(connection, share)
            connection.execute(shares.insert().values(account=share.account, name=share.name, quota_gb=share.quota_gb))

    def remove(self, share: Share) -> None:
        """Remove a share."""
        with self._store._transaction() as connection:
            self._delete(connection, share)

    @staticmethod
    def _delete(connection: sa.Connection, share: Share) -> None:
        where = (shares.c.account == share.account, shares.c.name == share.name)
        connection.execute(shares.delete().where(*where))

    def key(self, account: str) -> bytes | None:
        """Read the key of an account, encrypted."""
        found = self._store._rows(sa.select(share_accounts.c.key).where(share_accounts.c.name == account))
        return bytes(found[0].key) if found else None

    def put_key(self, account: str, key: bytes | None) -> None:
        """Write the key of an account, or with None remove the account."""
        with self._store._transaction() as connection:
            connection.execute(share_accounts.delete().where(share_accounts.c.name == account))
            if key is not None:
                connection.execute(share_accounts.insert().values(name=account, key=key))
