"""Holds by hand what the generated clients do otherwise than the asynchronous ones: wait, lock, call, close."""

from __future__ import annotations

import threading
import time
from typing import TypeVar

from hythe.client.tokens import Token, TokenCredential
from hythe.client.transport import Transport

__all__ = ["Clock", "Credential", "Lock", "Page", "Transport", "close", "token_of"]

T = TypeVar("T")

Lock = threading.Lock
Credential = TokenCredential


class Page(list[T]):
    """One page of a list."""


class Clock:
    """Tells the time and waits; tests put another in its place."""

    def now(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def epoch(self) -> float:
        """Return the seconds of the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def token_of(credential: Credential, scopes: tuple[str, ...]) -> Token:
    """Ask a credential."""
    return credential.get_token(*scopes)


def close(thing: object) -> None:
    """Close a transport or an HTTP client, if it can be closed."""
    function = getattr(thing, "close", None)
    if function:
        function()
