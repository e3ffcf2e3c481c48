"""Talks to one Resource Manager: adds the token, repeats what is safe to repeat, raises what went wrong."""

from __future__ import annotations

import sys
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from hythe._version import __version__
from hythe.client import clouds
from hythe.client.addresses import is_loopback, origin, resource_url, safe_base
from hythe.client.documents import error_of
from hythe.client.options import PLAIN, Call
from hythe.client.request_log import tell
from hythe.client.retry import RETRIES
from hythe.client.tokens import EARLY, Token
from hythe.client.transport import Request, Response, sendable
from hythe.errors import ConnectionFailed, HytheError, NotOffered, UnexpectedAnswer

from ._io import Clock, Credential, Lock, Transport, close, token_of
from .exchange import exchange
from .transport import HttpTransport, Stream

if TYPE_CHECKING:
    from ._sockets import Socket

AZURE = clouds.PUBLIC.resource_manager
_CLOUDS = {each.resource_manager for each in (clouds.PUBLIC, clouds.CHINA, clouds.US_GOVERNMENT)}
_SWITCHED = 101
_UNAUTHORIZED = 401
_FIRST_ERROR = 400
_USER_AGENT = f"hythe/{__version__} python/{sys.version_info.major}.{sys.version_info.minor}"


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
        timeout: float | None = None,
        deadline: float | None = None,
        retry_total: int = RETRIES,
    ) -> None:
        self.base_url: str = safe_base(base_url or AZURE, "base_url")
        self.subscription_id = subscription_id
        self.api_version = api_version
        self.clock: Clock = Clock()
        self.polling_interval: float = polling_interval or (1.0 if is_loopback(self.base_url) else 5.0)
        self.deadline = deadline
        self._timeout = timeout
        self._retries = retry_total
        self._origin = origin(self.base_url)
        self._scopes = tuple(scopes) if scopes else (f"{self.base_url}/.default",)
        self._credential = credential
        self._transport = transport
        self._lock = Lock()
        self._token: Token | None = None

    def __repr__(self) -> str:
        return f"Session({self.base_url!r}, subscription_id={self.subscription_id!r})"

    def url(self, *segments: str, query: Mapping[str, str] | None = None, api_version: str | None = None) -> str:
        """Write the address of something in the subscription."""
        return self.root_url("subscriptions", self.subscription_id, *segments, query=query, api_version=api_version)

    def root_url(self, *segments: str, query: Mapping[str, str] | None = None, api_version: str | None = None) -> str:
        """Write the address of something in no subscription."""
        return resource_url(self.base_url, segments, {"api-version": api_version or self.api_version, **(query or {})})

    def is_own(self, url: str) -> bool:
        """Tell whether the token may go to this address."""
        try:
            return origin(url) == self._origin
        except ValueError:
            return False

    async def send(
        self,
        method: str,
        url: str,
        *,
        doing: str,
        body: bytes = b"",
        allow: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        call: Call = PLAIN,
    ) -> Response:
        """Send a request and return its answer.  Raises `ServiceError` for 400 and more unless in ``allow``."""
        self._check(url, doing)
        if timeout is not None:
            call = msgspec.structs.replace(call, timeout=timeout)
        extra = {**(headers or {}), **{name.lower(): text for name, text in call.headers.items()}}
        token = await self._get_token() if self.is_own(url) else None
        response = await self._send_once(method, url, token, body, extra, call)
        if response.status == _UNAUTHORIZED and token is not None and await self._renewed(token):
            response = await self._send_once(method, url, await self._get_token(), body, extra, call)
        if call.hook is not None:
            call.hook(response)
        error = error_of(response, doing)
        if error and response.status not in allow:
            raise error
        return response

    @property
    def is_azure(self) -> bool:
        """Tell whether this is Azure itself, by its address."""
        return self.base_url in _CLOUDS

    @property
    def streams(self) -> bool:
        """Tell whether what goes on can be read as it comes: not from Azure, and only with the usual transport."""
        return not self.is_azure and isinstance(self._transport, HttpTransport)

    async def open(self, method: str, url: str, *, doing: str, content: AsyncIterator[bytes] | None = None) -> Stream:
        """Send a request and return its answer, whose body is read as it comes.

        Raises `ServiceError` for 400 and more, `NotOffered` where ``streams`` is False.
        """
        if not isinstance(self._transport, HttpTransport):
            raise NotOffered(f"cannot {doing}: the client's transport carries whole answers only. Use the usual one.")
        self._check(url, doing)
        token = await self._get_token()
        answer = await self._opened(self._transport, self._request(method, url, token), content)
        if answer.status == _UNAUTHORIZED and content is None and await self._renewed(token):
            await answer.close()
            answer = await self._opened(self._transport, self._request(method, url, await self._get_token()))
        if answer.status >= _FIRST_ERROR:
            error = error_of(await answer.read(), doing)
            if error:
                raise error
        return answer

    async def connect(self, url: str, *, doing: str, signed: bool = False, subprotocols: Sequence[str] = ()) -> Socket:
        """Open a websocket; ``signed``: with the token, below this session's own address only.

        Raises `ServiceError` if the service refuses it, and `ConnectionFailed`.
        """
        from ._sockets import open_socket

        if not isinstance(self._transport, HttpTransport):
            raise NotOffered(f"cannot {doing}: the client's transport opens no sessions. Use the usual one.")
        as_http = f"http{url.removeprefix('ws')}"
        self._check(as_http, doing)
        headers = {"user-agent": _USER_AGENT}
        if signed:
            if not self.is_own(as_http):
                raise UnexpectedAnswer(f"cannot {doing}: the token may not go to {url.partition('?')[0]}")
            headers["authorization"] = f"Bearer {(await self._get_token()).token}"
        context = self._transport.trusted(is_loopback(as_http)) if url.startswith("wss:") else None
        request = sendable(Request(method="GET", url=url, headers=headers))
        begun = self.clock.now()
        try:
            opened = await open_socket(url, context, headers=headers, subprotocols=subprotocols)
        except ConnectionFailed as failure:
            tell(request, failure, self.clock.now() - begun)
            raise
        answer = opened if isinstance(opened, Response) else Response(status=_SWITCHED, headers={})
        tell(request, answer, self.clock.now() - begun)
        if isinstance(opened, Response):
            raise error_of(opened, doing) or UnexpectedAnswer(f"cannot {doing}: the service opened no session")
        return opened

    async def _opened(
        self, transport: HttpTransport, request: Request, content: AsyncIterator[bytes] | None = None
    ) -> Stream:
        begun = self.clock.now()
        try:
            answer = await transport.open(request, content)
        except ConnectionFailed as failure:
            tell(request, failure, self.clock.now() - begun)
            raise
        tell(request, answer, self.clock.now() - begun)
        return answer

    def _request(self, method: str, url: str, token: Token) -> Request:
        headers = {
            "accept": "*/*", "user-agent": _USER_AGENT, "x-ms-client-request-id": str(uuid.uuid4()),
            "authorization": f"Bearer {token.token}",
        }  # fmt: skip
        return sendable(Request(method=method, url=url, headers=headers))

    async def close(self) -> None:
        """Let go of the connections and the token."""
        self._token = None
        await close(self._transport)

    def _check(self, url: str, doing: str) -> None:
        if self.is_own(url):
            return
        try:
            safe_base(url.partition("?")[0].partition("#")[0], "an address that the service names")
        except ValueError as why:
            raise UnexpectedAnswer(f"cannot {doing}: {why}") from why

    async def _send_once(
        self, method: str, url: str, token: Token | None, body: bytes, headers: Mapping[str, str], call: Call
    ) -> Response:
        sent = {"accept": "application/json", "user-agent": _USER_AGENT, "x-ms-client-request-id": str(uuid.uuid4())}
        if body:
            sent["content-type"] = "application/json"
        sent.update(headers)
        if token is not None:
            sent["authorization"] = f"Bearer {token.token}"
        request = Request(
            method=method, url=url, headers=sent, body=body,
            timeout=call.read_timeout, connect_timeout=call.connection_timeout,
        )  # fmt: skip
        return await exchange(
            self._transport, request, self.clock,
            retries=self._retries if call.retry_total is None else call.retry_total,
            timeout=call.timeout or self._timeout,
        )  # fmt: skip

    async def _get_token(self) -> Token:
        async with self._lock:
            if self._token is None or self._token.expires_on - EARLY <= self.clock.epoch():
                self._token = await token_of(self._credential, self._scopes)
            return self._token

    async def _renewed(self, refused: Token) -> bool:
        """Replace a token that the service refused; tell whether the new one is another."""
        async with self._lock:
            if self._token is refused:
                invalidate = getattr(self._credential, "invalidate", None)
                if invalidate:
                    invalidate(refused.token)
                try:
                    self._token = await token_of(self._credential, self._scopes)
                except HytheError:
                    self._token = None
                    raise
            return self._token is not None and self._token.token != refused.token
