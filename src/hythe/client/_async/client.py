"""Holds what all clients have in common: how they are made, entered and closed."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any, ClassVar, Self, Unpack

from hythe.client.auth_file import AuthFile
from hythe.client.clouds import cloud
from hythe.client.options import CallOptions, call_of
from hythe.client.retry import RETRIES
from hythe.client.transport import Response
from hythe.client.trust import Trust

from ._io import Credential, Transport
from .session import Session
from .transport import HttpTransport

Ca = str | os.PathLike[str] | bool


class Client:
    """Drives one provider in one subscription.  A context manager; ``close()`` lets go of the connections.

    Arguments: ``base_url`` is the address of Hythe (default: Azure's own).  ``credential_scopes`` defaults to
    ``<base_url>/.default``.  ``ca`` (or ``connection_verify``) is a file with certificates to trust beside the
    system's, or False to check none.  ``polling_interval`` is how long pollers wait where the service does not say.
    ``timeout`` is in seconds, for each call with all its tries; ``deadline`` for a whole operation, after which
    ``result()`` gives up (None: never); ``retry_total`` is how often a call is repeated that may be.
    ``cloud_setting`` is a cloud (`hythe.clouds`, or azure-core's) instead of a base_url.  ``transport`` replaces HTTP.
    """

    DEFAULT_API_VERSION: ClassVar[str]

    def __init__(
        self,
        credential: Credential,
        subscription_id: str,
        base_url: str | None = None,
        *,
        cloud_setting: object | None = None,
        credential_scopes: Collection[str] | None = None,
        transport: Transport | None = None,
        ca: Ca | None = None,
        connection_verify: Ca | None = None,
        polling_interval: float | None = None,
        api_version: str | None = None,
        timeout: float = 300.0,
        deadline: float | None = 3600.0,
        retry_total: int = RETRIES,
    ) -> None:
        if cloud_setting is not None and base_url is None:
            known = cloud(cloud_setting)
            base_url = known.resource_manager
            credential_scopes = credential_scopes or known.scopes
        trust = Trust.of(connection_verify if ca is None else ca)
        self._session = Session(
            credential,
            transport or HttpTransport(trust=trust, timeout=timeout),
            subscription_id=subscription_id,
            api_version=api_version or self.DEFAULT_API_VERSION,
            base_url=base_url,
            scopes=credential_scopes,
            polling_interval=polling_interval,
            timeout=timeout,
            deadline=deadline,
            retry_total=retry_total,
        )
        self._add_operations(self._session)
        self.connected_to: str = f"{self._session.base_url}, subscription {subscription_id}"
        """Tells in words what this client talks to; `hythe.connect` says more."""

    @property
    def api_version(self) -> str:
        """Tell which version of the API is spoken, unless a call names another."""
        return self._session.api_version

    def _add_operations(self, session: Session) -> None:
        """Set the attributes that hold the operations."""
        raise NotImplementedError

    @classmethod
    def from_auth(cls, auth: AuthFile, **options: Any) -> Self:
        """Make a client of an auth file's content; `get_client_from_auth_file` reads the file first."""
        from .credentials import ClientSecretCredential

        ca, verify = options.pop("ca", None), options.pop("connection_verify", None)
        timeout = options.pop("timeout", 300.0)
        trust = Trust.of(verify if ca is None else ca, auth.loopback_ca)
        # one transport for both: on Hythe, tokens and resources are at one origin
        transport = options.pop("transport", None) or HttpTransport(trust=trust, timeout=timeout)
        credential = options.pop("credential", None) or ClientSecretCredential(
            auth.tenant_id,
            auth.client_id,
            auth.client_secret,
            authority=auth.active_directory_endpoint_url,
            transport=transport,
        )
        options = {
            "subscription_id": auth.subscription_id,
            "base_url": auth.resource_manager_endpoint_url,
            **options,
        }
        return cls(credential, transport=transport, **options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._session!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def send_request(self, request: Any, *, stream: bool = False, **options: Unpack[CallOptions]) -> Response:
        """Send a request of one's own with the client's token and return its answer, of any status.

        ``request`` has ``method`` and ``url``, and may have ``headers`` and ``content`` (azure-core's HttpRequest, or
        `hythe.client.transport.Request`).  An address without a host is below ``base_url``.
        """
        if stream:
            raise TypeError("cannot send a request with stream=True: the answer is read as a whole")
        url = request.url if "://" in request.url else f"{self._session.base_url}/{request.url.lstrip('/')}"
        call = call_of(options, "send a request")
        content: str | bytes = getattr(request, "content", None) or getattr(request, "body", None) or b""
        return await self._session.send(
            request.method, url, doing="send a request", allow=range(400, 600),
            body=content.encode() if isinstance(content, str) else content,
            headers={name.lower(): text for name, text in dict(getattr(request, "headers", {})).items()}, call=call,
        )  # fmt: skip

    async def close(self) -> None:
        """Let go of the connections; a later call opens new ones."""
        await self._session.close()
