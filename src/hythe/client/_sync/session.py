# Generated from src/hythe/client/_async/session.py by tools/generate_sync.py: change that file, not this one.
"""Talks to one Resource Manager: adds the token, repeats what is safe to repeat, raises what went wrong."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Collection, Mapping

from hythe._version import __version__
from hythe.client.addresses import is_loopback, origin, resource_url, safe_base
from hythe.client.documents import error_of
from hythe.client.tokens import EARLY, Token
from hythe.client.transport import Request, Response
from hythe.errors import HytheError, UnexpectedAnswer

from ._io import Clock, Credential, Lock, Transport, close, token_of
from .exchange import exchange

AZURE = "https://management.azure.com"
_IDEMPOTENT = frozenset({"GET", "HEAD"})
_UNAUTHORIZED = 401
_USER_AGENT = f"hythe/{__version__} python/{platform.python_version()}"


class Session:
    """Sends requests below one base URL.  The token goes to the origin of that URL and to no other."""

    def __init__(
        self,
        credential: Credential,
        transport: Transport,
        *,
        subscription_id: str,
        api_version: str,
        base_url: str | None = None,
        scopes: Collection[str] | None = None,
        polling_interval: float | None = None,
    ) -> None:
        self.base_url = safe_base(base_url or AZURE, "base_url")
        self.subscription_id = subscription_id
        self.api_version = api_version
        self.clock = Clock()
        self.polling_interval = polling_interval or (1.0 if is_loopback(self.base_url) else 5.0)
        self._origin = origin(self.base_url)
        self._scopes = tuple(scopes) if scopes else (f"{self.base_url}/.default",)
        self._credential = credential
        self._transport = transport
        self._lock = Lock()
        self._token: Token | None = None

    def __repr__(self) -> str:
        return f"Session({self.base_url!r}, subscription_id={self.subscription_id!r})"

    def url(self, *segments: str, query: Mapping[str, str] | None = None) -> str:
        """Write the address of something in the subscription."""
        return self.root_url("subscriptions", self.subscription_id, *segments, query=query)

    def root_url(self, *segments: str, query: Mapping[str, str] | None = None) -> str:
        """Write the address of something in no subscription."""
        return resource_url(self.base_url, segments, {"api-version": self.api_version, **(query or {})})

    def is_own(self, url: str) -> bool:
        """Tell whether the token may go to this address."""
        try:
            return origin(url) == self._origin
        except ValueError:
            return False

    def send(
        self,
        method: str,
        url: str,
        *,
        doing: str,
        body: bytes = b"",
        allow: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Response:
        """Send a request and return its answer.  Raises `ServiceError` for 400 and more unless in ``allow``."""
        self._check(url, doing)
        token = self._get_token() if self.is_own(url) else None
        response = self._send_once(method, url, token, body, headers, timeout)
        if response.status == _UNAUTHORIZED and token is not None and self._renewed(token):
            response = self._send_once(method, url, self._get_token(), body, headers, timeout)
        error = error_of(response, doing)
        if error and response.status not in allow:
            raise error
        return response

    def close(self) -> None:
        """Let go of the connections and the token."""
        self._token = None
        close(self._transport)

    def _check(self, url: str, doing: str) -> None:
        if self.is_own(url):
            return
        try:
            safe_base(url.partition("?")[0].partition("#")[0], "an address that the service names")
        except ValueError as why:
            raise UnexpectedAnswer(f"cannot {doing}: {why}") from why

    def _send_once(
        self,
        method: str,
        url: str,
        token: Token | None,
        body: bytes,
        headers: Mapping[str, str] | None,
        timeout: float | None,
    ) -> Response:
        sent = {
            "accept": "application/json",
            "user-agent": _USER_AGENT,
            "x-ms-client-request-id": str(uuid.uuid4()),
            **(headers or {}),
        }
        if token is not None:
            sent["authorization"] = f"Bearer {token.token}"
        if body:
            sent["content-type"] = "application/json"
        request = Request(method=method, url=url, headers=sent, body=body, timeout=timeout)
        return exchange(self._transport, request, self.clock, idempotent=method in _IDEMPOTENT)

    def _get_token(self) -> Token:
        with self._lock:
            if self._token is None or self._token.expires_on - EARLY <= self.clock.epoch():
                self._token = token_of(self._credential, self._scopes)
            return self._token

    def _renewed(self, refused: Token) -> bool:
        """Replace a token that the service refused; tell whether the new one is another."""
        with self._lock:
            if self._token is refused:
                invalidate = getattr(self._credential, "invalidate", None)
                if invalidate:
                    invalidate(refused.token)
                try:
                    self._token = token_of(self._credential, self._scopes)
                except HytheError:
                    self._token = None
                    raise
            return self._token is not None and self._token.token != refused.token
