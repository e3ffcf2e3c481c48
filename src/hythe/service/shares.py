"""The file shares of an installation: accounts with keys, and in each of them directories that groups mount.

A share is a directory below the data dir that the service made, or a folder of this machine that the settings name.
It outlives the groups that mount it.  A quota is checked when files are copied in and when a group is about to mount
the share for writing; a container that runs is not stopped by it.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct

from ..models import AzureFileVolume, ContainerGroup, from_json
from .kinds.rules import share_named
from .settings import ShareSettings
from .sharefiles import Copied, copy, used_bytes
from .store import Share, ShareTable, SqlStore
from .vault import Vault

_KEY_BYTES = 64
_GB = 1 << 30


class CannotShare(Exception):
    """A share can't be used as was asked; the sentence says why and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Shown(Struct, kw_only=True, rename="camel"):
    """A share as its owner sees it."""

    account: str
    share: str
    path: str
    quota_gb: float
    used_bytes: int


class Shares:
    """Looks after the file shares."""

    def __init__(self, store: SqlStore, vault: Vault, root: Path, configured: Sequence[ShareSettings] = ()) -> None:
        self._store = store
        self._table = ShareTable(store)
        self._vault = vault
        self._root = root.resolve()
        self._configured = {(one.account, one.name): one for one in configured}
        for account, _ in self._configured:
            self._key(account)

    # --- accounts ---

    def _key(self, account: str, *, renew: bool = False) -> str:
        """Give the key of an account, made if there is none."""
        sealed = None if renew else self._table.key(account)
        owner = f"share-account:{account}"
        if sealed is None:
            key = base64.b64encode(os.urandom(_KEY_BYTES))
            self._table.put_key(account, self._vault.seal(key, owner))
            return key.decode()
        return self._vault.open(sealed, owner).decode()

    def has_account(self, account: str) -> bool:
        """Tell whether there is a storage account of this name."""
        return self._table.key(account) is not None

    def key(self, account: str, *, renew: bool = False) -> str:
        """Give the key of an account, a new one if so asked.  Raises `CannotShare`."""
        if not self.has_account(account):
            raise CannotShare("StorageAccountNotFound", f"cannot give a key: there is no storage account '{account}'.")
        return self._key(account, renew=renew)

    # --- shares ---

    def create(self, account: str, name: str, quota_gb: float) -> str:
        """Make a share, or change its quota, and give the key of its account.  Raises `CannotShare`."""
        what = f"cannot create the share {account}/{name}"
        if not share_named(account, name):
            raise CannotShare(
                "InvalidShareName",
                f"{what}: an account has 3 to 24 lowercase letters and numbers, a share 3 to 63 lowercase letters, "
                "numbers and single hyphens.",
            )
        if (account, name) in self._configured:
            raise CannotShare("ShareAlreadyExists", f"{what}: the settings name it. Change it there.")
        if not 0 <= quota_gb < float("inf"):
            raise CannotShare("InvalidQuota", f"{what}: a quota is a number of GB, 0 for none.")
        folder = self._root / account / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # for whatever user a container runs as, as on an SMB mount
        self._table.put(Share(account=account, name=name, quota_gb=quota_gb))
        return self._key(account)

    def remove(self, account: str, name: str) -> None:
        """Remove a share and what it holds; with its last share an account goes too.  Raises `CannotShare`."""
        what = f"cannot remove the share {account}/{name}"
        if (account, name) in self._configured:
            raise CannotShare("ShareInUse", f"{what}: the settings name it. Take it out there.")
        share = self._table.get(account, name)
        if share is None:
            raise CannotShare("ShareNotFound", f"{what}: there is none.")
        users = self._users(account, name)
        if users:
            raise CannotShare("ShareInUse", f"{what}: {', '.join(users)} mount it. Delete them first.")
        self._table.remove(share)
        shutil.rmtree(self._root / account / name, ignore_errors=True)
        left = {one.account for one in self._table.listed()} | {each for each, _ in self._configured}
        if account not in left:
            self._table.put_key(account, None)

    def _users(self, account: str, name: str) -> list[str]:
        """Name the groups whose definitions mount a share."""
        found = []
        for key in self._store.keys("containerGroups"):
            row = self._store.get(key)
            if row is None:
                continue
            for volume in from_json(ContainerGroup, row.spec).volumes or ():
                share = volume.azure_file
                if share and (share.storage_account_name, share.share_name) == (account, name):
                    found.append(row.id)
        return found

    async def listed(self) -> list[Shown]:
        """Give every share."""
        every = {(one.account, one.name): one.quota_gb for one in self._table.listed()}
        every |= {key: one.quota_gb for key, one in self._configured.items()}
        return [
            Shown(
                account=account, share=name, path=str(path := self._path(account, name)), quota_gb=quota,
                used_bytes=await asyncio.to_thread(used_bytes, path),
            )
            for (account, name), quota in sorted(every.items())
        ]  # fmt: skip

    def _path(self, account: str, name: str) -> Path:
        held = self._configured.get((account, name))
        return Path(held.path) if held else self._root / account / name

    def _known(self, account: str, name: str) -> Share:
        """Give a share.  Raises `CannotShare`."""
        held = self._configured.get((account, name))
        share = Share(account=account, name=name, quota_gb=held.quota_gb) if held else self._table.get(account, name)
        if share is None:
            raise CannotShare(
                "ShareNotFound",
                f"the account '{account}' has no share '{name}'. Make it: `hythe share create {account}/{name}`.",
            )
        return share

    # --- what groups may mount ---

    def _admitted(self, volume: AzureFileVolume) -> Share:
        """Give the share that a volume names with the right key.  Raises `CannotShare`."""
        account = volume.storage_account_name
        sealed = self._table.key(account)
        right = self._key(account) if sealed is not None else ""
        if not hmac.compare_digest(right.encode(), (volume.storage_account_key or "").encode()) or not right:
            raise CannotShare(
                "InvalidStorageAccountKey",
                f"the key is not that of the storage account '{account}', or there is no such account. "
                f"`hythe share key {account}` prints the key.",
            )
        return self._known(account, volume.share_name)

    def problem(self, volume: AzureFileVolume) -> tuple[str, str] | None:
        """Say by a code and a sentence why a share can't be mounted, or None if it can."""
        try:
            self._admitted(volume)
        except CannotShare as error:
            return error.code, str(error)
        return None

    async def find(self, volume: AzureFileVolume) -> Path:
        """Give the directory of a share that is about to be mounted.  Raises `CannotShare`."""
        share = self._admitted(volume)
        path = self._path(share.account, share.name)
        self._check(path)
        if share.quota_gb and not volume.read_only and await asyncio.to_thread(used_bytes, path) > share.quota_gb * _GB:
            raise CannotShare(
                "ShareFull", f"the share '{share.name}' holds more than its quota of {share.quota_gb:g} GB. Make room."
            )
        return path

    @staticmethod
    def _check(path: Path) -> None:
        """Refuse a folder that is away, or that a link has taken the place of.  Raises `CannotShare`."""
        if not path.is_dir() or os.path.realpath(path) != str(path):
            raise CannotShare("ShareNotFound", f"the folder {path} is not there, or a symbolic link is in its path.")

    # --- files ---

    async def copy(self, account: str, name: str, inside: str, local: str, *, into: bool) -> Copied:
        """Copy a file or a directory of this machine into a share, or out of it.  Raises `CannotShare`."""
        share, path = self._known(account, name), self._path(account, name)
        return await asyncio.to_thread(self._copied, share, path, inside, local, into)

    def _copied(self, share: Share, path: Path, inside: str, local: str, into: bool) -> Copied:
        self._check(path)
        here, there = Path(local), PurePosixPath(inside.strip("/"))
        if not here.is_absolute() or ".." in there.parts or ".." in here.parts:
            raise CannotShare("InvalidPath", f"cannot copy {local}: a path may not contain '..'.")
        place = here.resolve()  # the caller's own: its links are meant
        most = max(0, int(share.quota_gb * _GB) - used_bytes(path)) if share.quota_gb else None
        try:
            if into:
                return copy((place.parent, PurePosixPath(place.name)), (path, there), most)
            return copy((path, there), (place.parent, PurePosixPath(place.name)))
        except OSError as error:
            where = f"{share.account}/{share.name}:{inside}" if into else local
            raise CannotShare("CannotCopy", f"cannot copy to {where}: {error.strerror or error}.") from None
