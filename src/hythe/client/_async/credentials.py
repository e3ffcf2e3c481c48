"""Gets tokens: one that is given, or one of a service principal with a secret or a certificate."""

from __future__ import annotations

import os
from typing import Any, Self
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from hythe._version import __version__
from hythe.client.addresses import safe_base
from hythe.client.certificates import read_certificate
from hythe.client.tokens import EARLY, AccessToken
from hythe.client.transport import Request, Response
from hythe.client.trust import Trust
from hythe.errors import CredentialError

from ._io import Clock, Lock, Transport
from .exchange import exchange
from .transport import HttpTransport

Ca = str | os.PathLike[str] | bool
AZURE_AUTHORITY = "https://login.microsoftonline.com"
_FOREVER = 32503680000
"""The year 3000: the expiry of a token whose own is not known."""
_OK = 200


class _Granted(Struct):
    access_token: str
    expires_in: int | str = 3600
    expires_on: int | str | None = None


class _Refused(Struct):
    error: str = "unknown"
    error_description: str = "the authority gave no reason"


class StaticTokenCredential:
    """Gives the one token that it was made with."""

    def __init__(self, token: str, expires_on: int = _FOREVER) -> None:
        self._token = AccessToken(token, expires_on)

    def __repr__(self) -> str:
        return "StaticTokenCredential(***)"

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return the token, whatever the scopes."""
        return self._token


class SigningIn:
    """Is the base of credentials that get their tokens from somebody and keep them.

    A token is kept until five minutes before it expires.  Connections are opened for each sign-in and closed after
    it, unless a ``transport`` is given.
    """

    def __init__(self, *, ca: Ca | None = None, transport: Transport | None = None, timeout: float = 30.0) -> None:
        self._transport = transport
        self._trust = Trust.of(ca)
        self._timeout = timeout
        self._clock = Clock()
        self._lock = Lock()
        self._tokens: dict[tuple[str, ...], AccessToken] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Forget the tokens."""
        self._tokens.clear()

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token for the scopes.  Raises `CredentialError` if there is none.

        Options that Microsoft's clients pass (claims, tenant_id, enable_cae) do not change the request.
        """
        async with self._lock:
            known = self._tokens.get(scopes)
            if known is None or known.expires_on - EARLY <= self._clock.epoch():
                known = self._tokens[scopes] = await self._sign_in(scopes)
            return known

    def invalidate(self, token: str) -> None:
        """Forget a token that the service refused, so that the next one is new."""
        for scopes, known in list(self._tokens.items()):
            if known.token == token:
                self._tokens.pop(scopes, None)

    async def _sign_in(self, scopes: tuple[str, ...]) -> AccessToken:
        """Get a new token."""
        raise NotImplementedError

    async def _exchange(self, request: Request) -> Response:
        if self._transport is not None:
            return await exchange(self._transport, request, self._clock, idempotent=True)
        own = HttpTransport(trust=self._trust, timeout=self._timeout)
        try:
            return await exchange(own, request, self._clock, idempotent=True)
        finally:
            await own.close()

    def _read(self, answer: Response, doing: str, advice: str) -> AccessToken:
        try:
            if answer.status == _OK:
                granted = msgspec.json.decode(answer.body, type=_Granted)
                if granted.expires_on is not None:
                    return AccessToken(granted.access_token, int(granted.expires_on))
                return AccessToken(granted.access_token, int(self._clock.epoch()) + int(granted.expires_in))
            refused = msgspec.json.decode(answer.body, type=_Refused)
        except ValueError as why:
            raise CredentialError(
                f"cannot {doing}: the authority's answer (HTTP {answer.status}) can't be read. "
                "Check the address of the authority."
            ) from why
        raise CredentialError(f"cannot {doing}: {refused.error_description.strip()} [{refused.error}]\n{advice}")


class _Principal(SigningIn):
    """Signs in as a service principal at an authority."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        *,
        authority: str,
        ca: Ca | None,
        transport: Transport | None,
        timeout: float,
    ) -> None:
        super().__init__(ca=ca, transport=transport, timeout=timeout)
        base = safe_base(authority if "://" in authority else f"https://{authority}", "the authority")
        self._url = f"{base}/{quote(tenant_id, safe='')}/oauth2/v2.0/token"
        self._tenant_id = tenant_id
        self._client_id = client_id

    def _proof(self) -> dict[str, str]:
        """Give the members of the form that show who signs in."""
        raise NotImplementedError

    async def _sign_in(self, scopes: tuple[str, ...]) -> AccessToken:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            **self._proof(),
            "scope": " ".join(scopes),
        }
        headers = {
            "accept": "application/json",
            "content-type": "application/x-www-form-urlencoded",
            "user-agent": f"hythe/{__version__}",
        }
        body = urlencode(form).encode()
        answer = await self._exchange(
            Request(method="POST", url=self._url, headers=headers, body=body, timeout=self._timeout)
        )
        doing = f"sign in as client {self._client_id!r} of tenant {self._tenant_id!r}"
        return self._read(answer, doing, "Check tenant, client id and client secret or certificate.")


class ClientSecretCredential(_Principal):
    """Signs in as a service principal with a secret."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        client_secret: str,
        *,
        authority: str = AZURE_AUTHORITY,
        ca: Ca | None = None,
        transport: Transport | None = None,
        timeout: float = 30.0,
    ) -> None:
        super().__init__(tenant_id, client_id, authority=authority, ca=ca, transport=transport, timeout=timeout)
        self._client_secret = client_secret

    def __repr__(self) -> str:
        return f"ClientSecretCredential(tenant_id={self._tenant_id!r}, client_id={self._client_id!r}, secret=***)"

    def _proof(self) -> dict[str, str]:
        return {"client_secret": self._client_secret}


class CertificateCredential(_Principal):
    """Signs in as a service principal with a certificate: a file or bytes in PEM, with the key and the certificate."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        certificate_path: str | os.PathLike[str] | None = None,
        *,
        certificate_data: bytes | None = None,
        password: str | bytes | None = None,
        authority: str = AZURE_AUTHORITY,
        ca: Ca | None = None,
        transport: Transport | None = None,
        timeout: float = 30.0,
    ) -> None:
        super().__init__(tenant_id, client_id, authority=authority, ca=ca, transport=transport, timeout=timeout)
        self._certificate = read_certificate(certificate_path, certificate_data, password)

    def __repr__(self) -> str:
        return f"CertificateCredential(tenant_id={self._tenant_id!r}, client_id={self._client_id!r}, key=***)"

    def _proof(self) -> dict[str, str]:
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._certificate.assertion(self._client_id, self._url, self._clock.epoch()),
        }
