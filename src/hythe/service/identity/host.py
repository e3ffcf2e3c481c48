"""Gives programs on this machine tokens of a user-assigned identity, as hosts of Azure do: plain http, on loopback.

The address and a secret are in the environment of such a program (IDENTITY_ENDPOINT, IDENTITY_HEADER).  Whoever lacks
the secret gets nothing; a browser's requests are refused for their Origin, a rebound name's for its Host.  A token
has the roles that the identity was assigned and no others.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from ..kinds.identities import Assigned
from .files import private_folder, write

_PATH = re.compile(r"/msi/([0-9a-f-]{36})/token/?")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_FIRST_VERSION = "2019-08-01"
_MOST_RESOURCE = 2048
_NAMED = {
    "client_id": "client_id", "principal_id": "principal_id", "object_id": "principal_id", "mi_res_id": "id",
    "msi_res_id": "id",
}  # fmt: skip
"""The ways in which a question can name an identity; it must be the one of the address."""

Find = Callable[[str], Assigned | None]
"""Finds an identity by its client id."""
Sign = Callable[[str, str, str], tuple[str, int]]
"""Signs a token for client id, object id and audience; gives it and the second of the epoch in which it expires."""


class _Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": code, "error_description": message, "message": message}


class HostEndpoint:
    """The ASGI application behind IDENTITY_ENDPOINT."""

    def __init__(self, key: bytes, find: Find, sign: Sign) -> None:
        self._key = key
        self._find = find
        self._sign = sign
        self.port = 0
        """Where it listens; 0 until it does."""

    def variables(self, identity: Assigned) -> dict[str, str]:
        """Give what the environment of a program needs to be an identity."""
        return {
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self.port}/msi/{identity.client_id}/token",
            "IDENTITY_HEADER": self._secret(identity.client_id),
            "AZURE_CLIENT_ID": identity.client_id,
        }

    def _secret(self, client_id: str) -> str:
        return hmac.new(self._key, f"host {client_id.lower()}".encode(), hashlib.sha256).hexdigest()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        status, body = 200, b""
        try:
            body = msgspec.json.encode(self._token(scope))
        except _Refusal as refusal:
            status, body = refusal.status, msgspec.json.encode(refusal.body)
        headers = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _token(self, scope: Any) -> dict[str, str]:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if headers.get(b"host", b"").decode("latin-1").lower() not in {
            f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")
        }:
            raise _Refusal(421, "misdirected_request", "The Host is not this endpoint's.")
        if any(name in headers for name in (b"origin", b"x-forwarded-for", b"forwarded", b"sec-fetch-site")):
            raise _Refusal(403, "forbidden", "This endpoint is for programs on this machine, not for pages or proxies.")
        found = _PATH.fullmatch(scope["path"].lower())
        client_id = found[1] if found else ""
        given = headers.get(b"x-identity-header", b"")
        if not hmac.compare_digest(given, self._secret(client_id).encode()) or not found:
            raise _Refusal(401, "unauthorized", "The header X-IDENTITY-HEADER is not the one of this endpoint.")
        if scope["method"] != "GET":
            raise _Refusal(405, "method_not_allowed", "Only GET is allowed here.")
        query = {name.lower(): each for name, each in parse_qsl(scope["query_string"].decode("latin-1"))}
        version, resource = query.get("api-version", ""), query.get("resource", "")
        if not _VERSION.fullmatch(version) or version < _FIRST_VERSION:
            raise _Refusal(400, "invalid_request", f"The api-version must be {_FIRST_VERSION} or later.")
        if not resource or len(resource) > _MOST_RESOURCE:
            raise _Refusal(400, "invalid_request", "The query variable 'resource' is missing or too long.")
        identity = self._find(client_id)
        asked = [(query[name], member) for name, member in _NAMED.items() if query.get(name)]
        if identity is None or any(value.lower() != getattr(identity, member).lower() for value, member in asked):
            raise _Refusal(400, "invalid_request", "Identity not found")
        token, expires = self._sign(identity.client_id, identity.principal_id, resource)
        return {
            "access_token": token,
            "expires_on": str(expires),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": identity.client_id,
        }


def endpoint_key(data_dir: Path) -> bytes:
    """Read `<data-dir>/tls/identity.key`, made on first use (0600): what the secrets of identities are made of."""
    path = private_folder(data_dir / "tls") / "identity.key"
    if not path.exists():
        write(path, os.urandom(32))
    return path.read_bytes()
