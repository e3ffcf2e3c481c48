"""Declares what a credential is: anything that has ``get_token``, as azure-identity's have."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from msgspec import Struct

EARLY = 300.0
"""A token is renewed this many seconds before it expires."""


class AccessToken(Struct, frozen=True):
    """A token and the second of the epoch in which it expires."""

    token: str
    expires_on: int

    def __repr__(self) -> str:
        return f"AccessToken(token=***, expires_on={self.expires_on})"


class Token(Protocol):
    """What ``get_token`` gives: ours, or azure-core's."""

    @property
    def token(self) -> str:
        """Give the text that goes into the Authorization header."""

    @property
    def expires_on(self) -> int:
        """Give the second of the epoch in which it expires."""


class TokenCredential(Protocol):
    """Gives tokens.  May have ``invalidate(token)``, called with a token that the service refused."""

    def get_token(self, *scopes: str, **options: Any) -> Token:
        """Return a token for the scopes, perhaps one that was returned before."""


class AsyncTokenCredential(Protocol):
    """Gives tokens as `TokenCredential` does, asynchronously."""

    def get_token(self, *scopes: str, **options: Any) -> Awaitable[Token]:
        """Return a token for the scopes, perhaps one that was returned before."""
