"""Answers what clients ask of login.microsoftonline.com: OpenID documents, instance discovery, keys and tokens.

Any tenant text is taken, and any scope or resource: this service has one directory, and its tokens open itself only.
Every address in an answer is built from the request's Host, so the same authority serves under all its names.
"""

from __future__ import annotations

import base64
import binascii
import logging
import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ..store.records import Principal
from .issuer import LIFE, Issuer
from .principals import Principals, UnknownPrincipal, WrongSecret

log = logging.getLogger(__name__)

ADFS = "adfs"
_MOST_BODY = 64 << 10
_MOST_ECHOED = 100
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_PATH = re.compile(
    r"/+[^/]+/+(?:(?:v2\.0/+)?\.well-known/+openid-configuration|discovery/+(?:instance|(?:v2\.0/+)?keys)"
    r"|oauth2/+(?:v2\.0/+)?token)/*",
    re.IGNORECASE,
)


class Refused(Exception):
    """Carries an OAuth error: HTTP status, OAuth's own word, Azure's number and a sentence."""

    def __init__(self, status: int, error: str, number: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.error = error
        self.number = number
        self.sentence = sentence


class _TokenAnswer(Struct, omit_defaults=True):
    token_type: str
    expires_in: int | str
    ext_expires_in: int | str
    access_token: str
    expires_on: str = ""
    not_before: str = ""
    resource: str = ""


def owns(path: str) -> bool:
    """Tell whether a path is the authority's; clients differ in case and in the number of slashes."""
    return _PATH.fullmatch(path) is not None


def application(authority: Authority) -> ASGIApp:
    """Give the authority as an ASGI application, to be called for the paths that it `owns`."""
    router = Router(routes(authority))

    async def canonical(scope: Scope, receive: Receive, send: Send) -> None:
        _, tenant, *rest = re.sub("/+", "/", scope["path"]).rstrip("/").split("/")
        path = "/".join(["", tenant, *(part.lower() for part in rest)])
        await router(dict(scope, path=path, raw_path=quote(path).encode()), receive, send)

    return canonical


def routes(authority: Authority) -> list[Route]:
    """List the paths of the authority, the special tenant of AD FS first."""
    return [
        Route(f"/{ADFS}/.well-known/openid-configuration", authority.adfs_document),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", authority.v2_document),
        Route("/{tenant}/.well-known/openid-configuration", authority.v1_document),
        Route("/{tenant}/discovery/instance", authority.discover),
        Route("/{tenant}/discovery/v2.0/keys", authority.keys),
        Route("/{tenant}/discovery/keys", authority.keys),
        Route(f"/{ADFS}/oauth2/token", authority.adfs_token, methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/token", authority.v2_token, methods=["POST"]),
        Route("/{tenant}/oauth2/token", authority.v1_token, methods=["POST"]),
    ]


class Authority:
    """Signs service principals in.  ``hosts`` tells which Host values are names of this service."""

    def __init__(
        self,
        principals: Principals,
        issuer: Issuer,
        hosts: Callable[[str], bool],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._principals = principals
        self._issuer = issuer
        self._hosts = hosts
        self._clock = clock

    async def v2_document(self, request: Request) -> Response:
        """Give the OpenID document of the v2.0 endpoints."""
        base = _base(request)
        tenant = f"{base}/{_tenant(request)}"
        return _document(f"{tenant}/oauth2/v2.0", f"{tenant}/v2.0", f"{tenant}/discovery/v2.0/keys")

    async def v1_document(self, request: Request) -> Response:
        """Give the OpenID document of the first endpoints."""
        tenant = f"{_base(request)}/{_tenant(request)}"
        return _document(f"{tenant}/oauth2", f"{tenant}/", f"{tenant}/discovery/keys")

    async def adfs_document(self, request: Request) -> Response:
        """Give the OpenID document of AD FS, whose users are asked for no instance discovery."""
        tenant = f"{_base(request)}/{ADFS}"
        return _document(f"{tenant}/oauth2", tenant, f"{tenant}/discovery/keys")

    async def keys(self, _: Request) -> Response:
        """Give the keys that tokens can be checked with."""
        return _json(200, self._issuer.key_set())

    async def discover(self, request: Request) -> Response:
        """Tell a client whether the authority it was given can be trusted: it can if it is this service."""
        base = _base(request)
        asked = urlsplit(request.query_params.get("authorization_endpoint", f"{base}/common/oauth2/v2.0/authorize"))
        if asked.scheme != "https" or not self._hosts(asked.netloc):
            refused = Refused(400, "invalid_instance", 50049, "Unknown or invalid instance.")
            return self._refusal(request, refused)
        tenant = next((part for part in asked.path.split("/") if part), "common")
        found = {"preferred_network": asked.netloc, "preferred_cache": asked.netloc, "aliases": [asked.netloc]}
        document = {
            "tenant_discovery_endpoint": f"https://{asked.netloc}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [found],
        }
        return _json(200, msgspec.json.encode(document))

    async def v1_token(self, request: Request) -> Response:
        """Answer a token request of the first kind: a resource, and numbers written as text."""
        return await self._token(request, "1.0")

    async def v2_token(self, request: Request) -> Response:
        """Answer a token request of the second kind: scopes, and numbers."""
        return await self._token(request, "2.0")

    async def adfs_token(self, request: Request) -> Response:
        """Answer a token request in the manner of AD FS, which counts in numbers too."""
        return await self._token(request, "2.0")

    async def _token(self, request: Request, version: str) -> Response:
        try:
            form = await _form(request)
            client_id, secret = _client(request, form)
            principal = await self._sign_in(client_id, secret, _tenant(request))
        except Refused as refused:
            log.info("refused a sign-in: %s AADSTS%s", refused.error, refused.number)
            return self._refusal(request, refused)
        except ClientDisconnect:
            return Response(status_code=400)
        base = _base(request)
        audience = form.get("resource") or form.get("scope", "").split(" ")[0].removesuffix("/.default") or base
        own = f"{base}/{principal.tenant}/"
        token, expires = self._issuer.issue(principal, audience, own if version == "1.0" else f"{own}v2.0", version)
        seconds = LIFE - 1
        answer = _TokenAnswer("Bearer", seconds, seconds, token)
        if version == "1.0":
            answer = _TokenAnswer(
                "Bearer", str(seconds), str(seconds), token, str(expires), str(expires - LIFE), audience
            )
        return _json(200, msgspec.json.encode(answer), _correlation(request))

    async def _sign_in(self, client_id: str, secret: str, tenant: str) -> Principal:
        try:
            return await self._principals.sign_in(client_id, secret)
        except WrongSecret:
            raise Refused(401, "invalid_client", 7000215, "Invalid client secret provided.") from None
        except UnknownPrincipal:
            raise Refused(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id[:_MOST_ECHOED]}' was not found in the directory '{tenant}'. "
                "`hythe sp create --sdk-auth` makes one.",
            ) from None

    def _refusal(self, request: Request, refused: Refused) -> Response:
        correlation = _correlation(request)
        moment = f"{datetime.fromtimestamp(self._clock(), UTC):%Y-%m-%d %H:%M:%SZ}"
        trace = str(uuid.uuid4())
        said = f"AADSTS{refused.number}: {refused.sentence} Trace ID: {trace}"
        document = {
            "error": refused.error,
            "error_description": f"{said} Correlation ID: {correlation} Timestamp: {moment}",
            "error_codes": [refused.number],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation,
        }
        return _json(refused.status, msgspec.json.encode(document), correlation)


def _base(request: Request) -> str:
    host = request.headers.get("host", "")
    return f"https://{host if _HOST.fullmatch(host) else 'localhost'}"


def _tenant(request: Request) -> str:
    return quote(request.path_params.get("tenant", ADFS)[:_MOST_ECHOED], safe="")


def _document(endpoints: str, issuer: str, keys: str) -> Response:
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{endpoints}/authorize",
        "token_endpoint": f"{endpoints}/token",
        "jwks_uri": keys,
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    return _json(200, msgspec.json.encode(document))


def _json(status: int, body: bytes, correlation: str = "") -> Response:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff"}
    if correlation:
        headers["client-request-id"] = correlation
    return Response(body, status, headers, media_type="application/json")


def _correlation(request: Request) -> str:
    """Take the caller's id of this request if it is one, else make one."""
    given = request.headers.get("client-request-id") or request.query_params.get("client-request-id", "")
    try:
        return str(uuid.UUID(given))
    except ValueError:
        return str(uuid.uuid4())


async def _form(request: Request) -> dict[str, str]:
    """Read the urlencoded body and check its grant."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BODY:
            raise Refused(413, "invalid_request", 90015, f"The request is longer than {_MOST_BODY} bytes.")
    try:
        form = dict(parse_qsl(body.decode("ascii"), max_num_fields=100))
    except ValueError:
        raise Refused(400, "invalid_request", 9000411, "The request body is not a urlencoded form.") from None
    grant = form.get("grant_type", "")
    if not grant:
        raise _lacks("grant_type")
    if grant != "client_credentials":
        raise Refused(
            400,
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type '{grant[:_MOST_ECHOED]}'. "
            "Sign in as a service principal, with its secret.",
        )
    return form


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Read who signs in, from the body or else from HTTP Basic, whose two halves are urlencoded (RFC 6749)."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not secret and scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(400, "invalid_request", 9000411, "The Authorization header can't be read.") from None
        client_id, secret = unquote_plus(name), unquote_plus(password)
    if not client_id:
        raise _lacks("client_id")
    if not secret:
        sentence = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise Refused(401, "invalid_client", 7000218, sentence)
    return client_id, secret


def _lacks(name: str) -> Refused:
    return Refused(400, "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'.")
