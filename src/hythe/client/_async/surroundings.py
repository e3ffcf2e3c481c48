"""Gets tokens from what surrounds a program: a managed identity, the az CLI, the environment, or whichever is there."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlencode

from hythe._version import __version__
from hythe.client.auth_file import VARIABLE as AUTH_FILE
from hythe.client.auth_file import read_auth_file
from hythe.client.cli_login import AzAccount, az_token, read_account, read_az_token
from hythe.client.tokens import AccessToken
from hythe.client.transport import Request
from hythe.errors import ConnectionFailed, CredentialError

from ._io import Credential, Transport, close, run_program, token_of
from .credentials import AZURE_AUTHORITY, Ca, CertificateCredential, ClientSecretCredential, SigningIn

_ENDPOINT, _HEADER = "IDENTITY_ENDPOINT", "IDENTITY_HEADER"
_IMDS = "http://169.254.169.254/metadata/identity/oauth2/token"
_IMDS_PATIENCE = 2.0


class ManagedIdentityCredential(SigningIn):
    """Signs in as the identity of the machine or container that this runs on; ``client_id`` picks one of several."""

    def __init__(
        self, client_id: str | None = None, *, transport: Transport | None = None, timeout: float = 10.0
    ) -> None:
        super().__init__(transport=transport, timeout=timeout)
        self._client_id = client_id

    def __repr__(self) -> str:
        return f"ManagedIdentityCredential(client_id={self._client_id!r})"

    async def _sign_in(self, scopes: tuple[str, ...]) -> AccessToken:
        (scope,) = scopes
        query = {"resource": scope.removesuffix("/.default")}
        if self._client_id is not None:
            query["client_id"] = self._client_id
        headers = {"accept": "application/json", "user-agent": f"hythe/{__version__}"}
        endpoint, header = os.environ.get(_ENDPOINT), os.environ.get(_HEADER)
        if endpoint and header:
            url, version, headers["x-identity-header"] = endpoint, "2019-08-01", header
        else:
            url, version, headers["metadata"] = _IMDS, "2018-02-01", "true"
        request = Request(
            method="GET", url=f"{url}?{urlencode({'api-version': version, **query})}", headers=headers,
            timeout=self._timeout, connect_timeout=_IMDS_PATIENCE,
        )  # fmt: skip
        doing = "sign in as the managed identity"
        try:
            answer = await self._exchange(request)
        except ConnectionFailed as why:
            raise CredentialError(f"cannot {doing}: there is none here ({why})") from why
        return self._read(answer, doing, "Give the group or the machine an identity, and client_id if it has several.")


class AzureCliCredential(SigningIn):
    """Uses the login of the az CLI: asks ``az account get-access-token``."""

    def __init__(self, *, tenant_id: str = "", timeout: float = 30.0) -> None:
        super().__init__(timeout=timeout)
        self._tenant_id = tenant_id

    def __repr__(self) -> str:
        return "AzureCliCredential()"

    async def _sign_in(self, scopes: tuple[str, ...]) -> AccessToken:
        (scope,) = scopes
        return read_az_token(await run_program(az_token(scope, self._tenant_id), self._timeout))


async def az_account(timeout: float = 30.0) -> AzAccount:
    """Tell which subscription the az CLI is signed in to.  Raises `CredentialError` if to none."""
    return read_account(await run_program(["az", "account", "show", "--output", "json"], timeout))


def has_secret() -> bool:
    """Tell whether the environment holds, or names the file of, what `EnvironmentCredential` signs in with."""
    return any(os.environ.get(f"AZURE_{name}") for name in ("CLIENT_SECRET", "CLIENT_CERTIFICATE_PATH"))


class EnvironmentCredential:
    """Signs in with what AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH say.

    AZURE_AUTHORITY_HOST or ``authority`` names another authority than that of Azure's public cloud.  Raises
    `CredentialError` if they do not suffice.
    """

    def __init__(
        self, *, authority: str = AZURE_AUTHORITY, ca: Ca | None = None, transport: Transport | None = None
    ) -> None:
        def said(name: str) -> str:
            return os.environ.get(f"AZURE_{name}", "")

        authority = said("AUTHORITY_HOST") or authority
        if not (said("TENANT_ID") and said("CLIENT_ID")):
            raise CredentialError(
                "cannot sign in with the environment: AZURE_TENANT_ID or AZURE_CLIENT_ID is not set. "
                "Set both, and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH."
            )
        self._credential: ClientSecretCredential | CertificateCredential
        if said("CLIENT_SECRET"):
            self._credential = ClientSecretCredential(
                said("TENANT_ID"), said("CLIENT_ID"), said("CLIENT_SECRET"),
                authority=authority, ca=ca, transport=transport,
            )  # fmt: skip
        elif said("CLIENT_CERTIFICATE_PATH"):
            self._credential = CertificateCredential(
                said("TENANT_ID"), said("CLIENT_ID"), said("CLIENT_CERTIFICATE_PATH"),
                password=said("CLIENT_CERTIFICATE_PASSWORD") or None, authority=authority, ca=ca, transport=transport,
            )  # fmt: skip
        else:
            raise CredentialError(
                "cannot sign in with the environment: there is no secret. "
                "Set AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH."
            )

    def __repr__(self) -> str:
        return f"EnvironmentCredential({self._credential!r})"

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token for the scopes.  Raises `CredentialError` if the authority refuses."""
        return await self._credential.get_token(*scopes, **options)

    def invalidate(self, token: str) -> None:
        """Forget a token that the service refused."""
        self._credential.invalidate(token)

    async def close(self) -> None:
        """Forget the tokens."""
        await self._credential.close()


class DefaultCredential:
    """Uses the first that gives a token: the environment, the auth file, a managed identity, the az CLI's login.

    An auth file is looked for only where AZURE_AUTH_LOCATION says.  AZURE_CLIENT_ID picks one of several managed
    identities.  ``chosen`` tells which credential it is, once it gave a token.
    """

    def __init__(self, *, authority: str = AZURE_AUTHORITY, ca: Ca | None = None) -> None:
        self._authority = authority
        self._ca = ca
        self._chosen: Credential | None = None

    def __repr__(self) -> str:
        return f"DefaultCredential(chosen={self.chosen!r})"

    @property
    def chosen(self) -> str | None:
        """Name the credential that is used."""
        return None if self._chosen is None else type(self._chosen).__name__

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token for the scopes.  Raises `CredentialError` that says why each of them gave none."""
        if self._chosen is None:
            self._chosen, token = await self._choose(scopes)
            return token
        found = await token_of(self._chosen, scopes)
        return AccessToken(found.token, found.expires_on)

    def invalidate(self, token: str) -> None:
        """Forget a token that the service refused."""
        forget = getattr(self._chosen, "invalidate", None)
        if forget:
            forget(token)

    async def close(self) -> None:
        """Forget the choice and the tokens."""
        chosen, self._chosen = self._chosen, None
        await close(chosen)

    async def _choose(self, scopes: tuple[str, ...]) -> tuple[Credential, AccessToken]:
        reasons = []
        for make in (self._environment, self._auth_file, self._managed_identity, AzureCliCredential):
            try:
                credential = make()
                found = await token_of(credential, scopes)
            except CredentialError as why:
                reasons.append(f"  - {str(why).splitlines()[0]}")
            else:
                return credential, AccessToken(found.token, found.expires_on)
        raise CredentialError("cannot sign in: nothing here gives a token. Do one of these:\n" + "\n".join(reasons))

    def _environment(self) -> Credential:
        return EnvironmentCredential(authority=self._authority, ca=self._ca)

    def _auth_file(self) -> Credential:
        if not os.environ.get(AUTH_FILE):
            raise CredentialError(f"cannot find the auth file: {AUTH_FILE} is not set")
        auth = read_auth_file()
        return ClientSecretCredential(
            auth.tenant_id, auth.client_id, auth.client_secret,
            authority=auth.active_directory_endpoint_url, ca=auth.loopback_ca if self._ca is None else self._ca,
        )  # fmt: skip

    def _managed_identity(self) -> Credential:
        return ManagedIdentityCredential(os.environ.get("AZURE_CLIENT_ID") or None)
