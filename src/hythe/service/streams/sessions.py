"""One-time passwords: what was asked for with a token is then done over a websocket that can't carry one."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable
from hashlib import sha256

from msgspec import Struct

from ...engines.base import Uid
from ...engines.offers import Size

PASSWORD_BYTES = 24
SECONDS = 60.0
MOST = 1000


class Session(Struct, frozen=True, kw_only=True):
    """What a password opens."""

    uid: Uid
    """Of the group: one that is made again under the same name is another."""
    container: str
    command: tuple[str, ...] = ()
    """Empty for attaching."""
    size: Size = Size()


class _Open(Struct, frozen=True, kw_only=True):
    session: Session
    digest: bytes
    until: float


class Sessions:
    """The sessions that were asked for and not begun yet.  They live in memory only, without their passwords."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, seconds: float = SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._open: dict[str, _Open] = {}

    def open(self, session: Session) -> tuple[str, str]:
        """Give the id of a new session and its password.  The oldest goes if there are too many."""
        self._forget_old()
        while len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        identity, password = str(uuid.uuid4()), secrets.token_urlsafe(PASSWORD_BYTES)
        self._open[identity] = _Open(
            session=session, digest=sha256(password.encode()).digest(), until=self._clock() + self._seconds
        )
        return identity, password

    def waits(self, identity: str, *, attach: bool) -> bool:
        """Tell whether a session of a kind waits for its password."""
        self._forget_old()
        found = self._open.get(identity)
        return found is not None and attach is not bool(found.session.command)

    def claim(self, identity: str, password: str) -> Session | None:
        """Give a session for its password, once; a wrong one ends it too."""
        self._forget_old()
        found = self._open.pop(identity, None)
        if found is None:
            return None
        digest = sha256(password.encode("utf-8", "surrogatepass")).digest()
        return found.session if secrets.compare_digest(digest, found.digest) else None

    def _forget_old(self) -> None:
        now = self._clock()
        while self._open:
            oldest = next(iter(self._open))
            if self._open[oldest].until > now:
                return
            del self._open[oldest]
