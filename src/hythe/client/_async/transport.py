"""Carries requests over HTTP: to this machine by a way of our own, to others by an HTTP library, loaded when needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from hythe.client.addresses import is_loopback, origin
from hythe.client.transport import Request, Response
from hythe.client.trust import Trust
from hythe.errors import ConnectionFailed, Reason

from ._io import close

if TYPE_CHECKING:
    import ssl

    import httpx2

CONNECT_TIMEOUT = 10.0
KEEP_ALIVE = 4.0
"""Shorter than the 5 seconds after which common servers hang up, so that no request meets a closing connection."""


class Stream:
    """Is an answer whose body is read as it comes.  To be closed."""

    def __init__(self, request: Request, answer: httpx2.Response) -> None:
        self._request = request
        self._answer = answer
        self.status: int = answer.status_code
        self.headers: dict[str, str] = {name.lower(): value for name, value in answer.headers.items()}

    async def blocks(self) -> AsyncIterator[bytes]:
        """Iterate over the body.  Raises `ConnectionFailed` if it breaks off."""
        import httpx2

        from ._sockets import blocks_of

        try:
            async for block in blocks_of(self._answer):
                yield block
        except (httpx2.TransportError, httpx2.StreamError) as why:
            raise _failure(self._request, why) from why

    async def read(self) -> Response:
        """Read the whole body and close."""
        body = b""
        async for block in self.blocks():
            body += block
        await self.close()
        return Response(status=self.status, headers=self.headers, body=body)

    async def close(self) -> None:
        """Let go of the connection, whether all has been read or not; another thread may be reading."""
        from ._sockets import let_go

        await let_go(self._answer)


class HttpTransport:
    """Sends requests: straight to this machine, to other hosts with httpx2, through the environment's proxies.

    What is read as it comes, wherever from, is carried by httpx2 too.
    """

    def __init__(self, *, trust: Trust | None = None, timeout: float = 300.0) -> None:
        from ._lane import Lane

        self._trust = trust or Trust()
        self._timeout = timeout
        self._clients: dict[tuple[bool, bool], httpx2.AsyncClient] = {}
        """By whether the host is on this machine, and whether TLS is spoken."""
        self._contexts: dict[bool, ssl.SSLContext] = {}
        """By whether the host is on this machine."""
        self._lane = Lane(lambda: self.trusted(True), KEEP_ALIVE)

    async def send(self, request: Request) -> Response:
        """Send one request and return its answer.  Raises `ConnectionFailed` when there is none."""
        seconds = self._timeout if request.timeout is None else request.timeout
        connect = min(seconds, request.connect_timeout or CONNECT_TIMEOUT)
        if is_loopback(request.url):
            return await self._lane.send(request, seconds, connect)
        import httpx2

        client = self._client(_is_link_local(request.url), request.url[:6].lower() == "https:")
        try:
            answer = await client.request(
                request.method,
                request.url,
                headers=request.headers,
                content=request.body or None,
                timeout=httpx2.Timeout(seconds, connect=connect),
            )
        except httpx2.TransportError as why:
            raise _failure(request, why) from why
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(status=answer.status_code, headers=headers, body=answer.content)

    async def open(self, request: Request, content: AsyncIterator[bytes] | None = None) -> Stream:
        """Send one request, its body block by block if ``content`` is given, and return the answer unread.

        Only the wait for a connection is limited: what is read may pause for as long as it likes.
        """
        import httpx2

        client = self._client(is_loopback(request.url), request.url[:6].lower() == "https:")
        timeout = httpx2.Timeout(None, connect=request.connect_timeout or CONNECT_TIMEOUT)
        made = client.build_request(
            request.method, request.url, headers=request.headers, content=content or request.body or None,
            timeout=timeout,
        )  # fmt: skip
        try:
            return Stream(request, await client.send(made, stream=True))
        except httpx2.TransportError as why:
            raise _failure(request, why) from why

    def trusted(self, local: bool) -> ssl.SSLContext:
        """Give the TLS context for connections to this machine, or to others."""
        context = self._contexts.get(local)
        if context is None:
            # reading the authorities takes longer than many a request
            context = self._contexts[local] = self._trust.of_this_machine() if local else self._of_others()
        return context

    def _of_others(self) -> ssl.SSLContext:
        import httpx2

        return self._trust.extend(httpx2.create_ssl_context(trust_env=False), loopback=False)

    async def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        await self._lane.close()
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await close(client)

    def _client(self, local: bool, secure: bool) -> httpx2.AsyncClient:
        import httpx2

        client = self._clients.get((local, secure))
        if client is None:
            context = secure and self.trusted(local)  # plain HTTP needs none
            limits = httpx2.Limits(max_connections=100, keepalive_expiry=KEEP_ALIVE)
            made = httpx2.AsyncClient(verify=context, trust_env=not local, limits=limits)
            # another thread may have been quicker; nothing has been opened yet, so the loser is just dropped
            client = self._clients.setdefault((local, secure), made)
        return client


def _is_link_local(url: str) -> bool:
    """Tell whether the address is one of this link, where no proxy leads."""
    return url.startswith("http://169.254.")


def _failure(request: Request, why: Exception) -> ConnectionFailed:
    import httpx2

    reason: Reason
    if "CERTIFICATE_VERIFY_FAILED" in str(why):
        reason, advice = "untrusted", "Name the file with its authority by REQUESTS_CA_BUNDLE (in Python ca=)."
    elif isinstance(why, httpx2.TimeoutException):
        reason, advice = "timeout", "Check the address and the network, or allow more time."
    elif isinstance(why, httpx2.ConnectError | httpx2.ProxyError):
        reason, advice = "refused", "Check the address, and that the service is up."
    else:
        reason, advice = "lost", "Get the resource to see whether the request was carried out, then try again."
    said = str(why) or type(why).__name__
    return ConnectionFailed(f"cannot reach {origin(request.url)}: {said}. {advice}", reason=reason)
