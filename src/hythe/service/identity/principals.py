"""Makes service principals and checks their secrets, which nobody keeps: only a salted scrypt hash is stored."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import string
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from ..store.records import Principal

_ALPHABET = string.ascii_letters + string.digits
"""Letters and digits only: a secret is typed into shells, and one that began with a dash would be an option."""
_SECRET_LENGTH = 40
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
_SALT = 16
_REMEMBERED = 1024
_AT_ONCE = 2
"""Secrets checked side by side: each takes 16 MB and a core, so that a flood of wrong ones only delays sign-ins."""


class UnknownPrincipal(Exception):
    """Says that nobody has this id."""


class WrongSecret(Exception):
    """Says that the principal exists and its secret is another one."""


class PrincipalStore(Protocol):
    """Keeps principals.  Ids are compared without regard to case."""

    def principal(self, app_id: str) -> Principal | None:
        """Read one; None if there is none."""

    def add_principal(self, principal: Principal) -> None:
        """Write a new one; it is there for `principal` as soon as this returns."""


def hash_secret(secret: str) -> str:
    """Hash a secret, slowly and with a salt of its own: ``scrypt$n$r$p$salt$hash``."""
    salt = os.urandom(_SALT)
    digest = _scrypt(secret, salt, _COST, _BLOCK, _PARALLEL)
    numbers = f"scrypt${_COST}${_BLOCK}${_PARALLEL}"
    return f"{numbers}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def matches(secret: str, hashed: str) -> bool:
    """Tell whether a secret is the hashed one."""
    _, cost, block, parallel, salt, digest = hashed.split("$")
    found = _scrypt(secret, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(found, base64.b64decode(digest))


def _scrypt(secret: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=64 << 20, dklen=32)


class Principals:
    """Makes principals and checks who signs in."""

    def __init__(self, store: PrincipalStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._key = os.urandom(32)
        self._verified: OrderedDict[bytes, None] = OrderedDict()
        self._nobody = hash_secret("")
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def create(self, display_name: str, tenant: str) -> tuple[Principal, str]:
        """Make and store a principal; the secret that comes with it can't be had again."""
        secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
        principal = Principal(
            app_id=str(uuid.uuid4()),
            object_id=str(uuid.uuid4()),
            tenant=tenant,
            display_name=display_name,
            secret_hash=hash_secret(secret),
            created_at=self._clock(),
        )
        self._store.add_principal(principal)
        return principal, secret

    async def sign_in(self, app_id: str, secret: str) -> Principal:
        """Check who signs in: slowly (some 50 ms of one core) unless this very secret was right before.

        It takes as long where there is nobody.  Raises `UnknownPrincipal` or `WrongSecret`.
        """
        principal = self._store.principal(app_id)
        mark = self._mark(principal, secret) if principal else b""
        if principal and mark in self._verified:
            self._verified.move_to_end(mark)
            return principal
        async with self._turns:
            right = await asyncio.to_thread(matches, secret, principal.secret_hash if principal else self._nobody)
        if principal is None:
            raise UnknownPrincipal
        if not right:
            raise WrongSecret
        self._verified[mark] = None
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return principal

    def _mark(self, principal: Principal, secret: str) -> bytes:
        """Give what is remembered of a checked secret: useless without this process's key, void with a new hash."""
        said = "\0".join((principal.app_id, principal.secret_hash, secret))
        return hmac.digest(self._key, said.encode(), "sha256")
