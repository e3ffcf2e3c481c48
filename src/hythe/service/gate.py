"""The single outer layer of the service: request ids, Host, token, api-version, body; faults become ARM errors.

Behind it a handler sees a `Call` and gives an `Answer`; before it nothing is trusted.
"""

from __future__ import annotations

import inspect
import logging
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from msgspec.structs import replace

from ..wire import faults, versions
from ..wire.faults import Fault
from .answers import JSON, Answer
from .call import Call, Caller, Outer
from .handlers import Api
from .ongoing import Ongoing, blocks, converse
from .routes import SOCKET, Found, Route, Table
from .sockets import Receive, Send
from .store import StoreFailed

log = logging.getLogger(__name__)
access = logging.getLogger("hythe.access")

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY = 4 << 20
NO_CONTENT = 204
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?", re.IGNORECASE)
_BEARER = "bearer "

# Headers of every answer, as Azure sends them.
_ALWAYS = [
    (b"cache-control", b"no-cache"),
    (b"pragma", b"no-cache"),
    (b"expires", b"-1"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
]


class Gate:
    """The ASGI application."""

    def __init__(
        self,
        api: Api,
        *,
        authority: App,
        authority_paths: Callable[[str], bool],
        verify: Callable[[str], Caller],
        hosts: Callable[[str], bool],
        may: Callable[[Caller, str, str], bool],
        log_access: bool = False,
    ) -> None:
        self._api = api
        self._authority = authority
        self._authority_paths = authority_paths
        self._verify = verify
        self._hosts = hosts
        self._may = may
        self._log_access = log_access
        self._table = Table()
        self._ongoing = Ongoing()
        self.end = self._ongoing.end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            return
        socket = scope["type"] == "websocket"
        method = SOCKET if socket else scope["method"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        if sum(name == b"host" for name, _ in scope["headers"]) > 1:
            headers["host"] = ""  # of two nobody knows which was meant (RFC 9112, 3.2): that is none
        begun = time.perf_counter()
        if not socket and self._authority_paths(scope["path"]) and self._hosts(headers.get("host", "")):
            await self._authority(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        try:
            answer = await self._answer(method, path, scope["query_string"], headers, receive)
        except Fault as fault:
            answer = Answer(status=fault.status, body=fault.body, headers=[*fault.headers])
        except StoreFailed as error:
            log.error("cannot answer %s %s (request %s): %s", method, path, request_id, error)
            why = f"Nothing was changed: {error}. Make room on the disk of the data dir, then try again."
            answer = Answer(status=507, body=Fault(507, "InsufficientStorage", why).body)
        except Exception:
            log.exception("cannot answer %s %s (request %s)", method, path, request_id)
            failed = Fault(500, "InternalServerError", f"The service failed. Its log has more on request {request_id}.")
            answer = Answer(status=500, body=failed.body)
        if self._log_access:
            access.info("%s %s %s %.1f ms", method, path, answer.status, 1e3 * (time.perf_counter() - begun))
        if socket:
            await converse(answer, _head(answer, request_id, headers), scope, receive, send)
        elif answer.chunks is not None:
            await self._ongoing.send(answer.chunks, _head(answer, request_id, headers), receive, send)
        else:
            await _send(answer, request_id, headers, method, send)

    async def _answer(
        self, method: str, path: str, raw_query: bytes, headers: dict[str, str], receive: Receive
    ) -> Answer:
        try:
            found, call = await self._admitted(method, path, raw_query, headers, receive)
        except Fault as fault:
            fault.headers = (*fault.headers, ("x-ms-failure-cause", "gateway"))
            raise
        return await self._handled(found, call)

    async def _admitted(
        self, method: str, path: str, raw_query: bytes, headers: dict[str, str], receive: Receive
    ) -> tuple[Found, Call]:
        """Read and check a request up to where its handler begins.  Raises `Fault`."""
        host = headers.get("host", "")
        if not self._hosts(host):
            raise Fault(421, "MisdirectedRequest", f"The host '{host}' is not a name of this service.")
        found = self._table.find(method, path)
        if not isinstance(found, Found):
            if found == [SOCKET]:
                raise Fault(426, "UpgradeRequired", f"What is at {path} is reached by a websocket.",
                            headers=[("Upgrade", "websocket")])  # fmt: skip
            if found:
                raise Fault(405, "MethodNotAllowed", f"The method {method} is not offered for {path}.",
                            headers=[("Allow", ", ".join(found))])  # fmt: skip
            self._authenticate(headers, host)
            raise _unknown(path)
        caller = None if found.route.open else self._authenticate(headers, host)
        query = {name.lower(): value for name, value in parse_qsl(raw_query.decode("latin-1"), keep_blank_values=True)}
        api_version = self._allowed(found, caller, query)
        call = Call(
            method=method,
            path=path,
            params=dict(found.params),
            query=query,
            body=await _body(receive) if method in ("PUT", "POST", "PATCH") and not found.route.streamed else b"",
            stream=blocks(receive),
            base_url=f"https://{host}",
            api_version=api_version,
            caller=caller,
            lro=found.route.lro,
            bearer=_bearer(headers) if found.route.bearer else "",
            patience=_patience(headers.get("prefer", "")),
        )
        return found, call

    async def inside(
        self,
        caller: Caller,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes,
        base_url: str,
        outer: Outer | None = None,
    ) -> Answer:
        """Answer a request that the service makes for a caller: same routes, same rights.  Raises `Fault`."""
        found = self._table.find(method, path)
        if not isinstance(found, Found) or not found.route.provider:
            raise _unknown(path)
        call = Call(
            method=method,
            path=path,
            params=dict(found.params),
            query=query,
            body=body,
            stream=_nothing(),
            base_url=base_url,
            api_version=self._allowed(found, caller, query),
            caller=caller,
            lro=found.route.lro,
            patience=0.0,
            outer=outer,
        )
        return await self._handled(found, call)

    def offers(self, method: str, path: str) -> bool:
        """Tell whether something can be asked of a path."""
        found = self._table.find(method, path)
        return isinstance(found, Found) and bool(found.route.provider)

    def _allowed(self, found: Found, caller: Caller | None, query: dict[str, str]) -> str:
        """Check api-version and rights; give the version.  Raises `Fault`."""
        api_version = _api_version(found.route, query)
        action = found.route.action
        if caller is not None and action and not self._may(caller, action, found.scope):
            raise faults.forbidden(caller.app_id, caller.object_id, action, found.scope)
        return api_version

    async def _handled(self, found: Found, call: Call) -> Answer:
        answer = found.route.handler(self._api, call)
        return await answer if inspect.isawaitable(answer) else answer

    def _authenticate(self, headers: dict[str, str], host: str) -> Caller:
        authority = f"https://{host}/common"
        given = headers.get("authorization")
        if given is None:
            raise faults.unauthorized(
                "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.", authority
            )
        if not given.lower().startswith(_BEARER):
            raise faults.unauthorized(
                "AuthenticationFailedInvalidHeader",
                "Authentication failed. The 'Authorization' header is provided in an invalid format.",
                authority,
            )
        try:
            return self._verify(given[len(_BEARER) :].strip())
        except Fault as fault:
            raise faults.unauthorized(fault.code, fault.message, authority) from None


def _bearer(headers: dict[str, str]) -> str:
    given = headers.get("authorization", "")
    return given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else ""


async def _nothing() -> AsyncIterator[bytes]:
    """Give no blocks: what the service asks of itself has its whole body."""
    return
    yield b""


def _api_version(route: Route, query: dict[str, str]) -> str:
    """Check the api-version of a request.  Raises the fault that Azure has for each way of getting it wrong."""
    if not route.provider:
        return query.get("api-version", "")
    given = query.get("api-version")
    if not given:
        raise Fault(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    version = given.lower()
    if not _DATED.fullmatch(version):
        supported = ",".join(versions.CONTAINER_INSTANCE)
        raise Fault(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{given}' is invalid. The supported versions are '{supported}'.",
        )
    if route.provider == "Microsoft.ContainerInstance" and version not in versions.CONTAINER_INSTANCE:
        supported = ", ".join(versions.CONTAINER_INSTANCE)
        type_ = route.path.partition("/providers/Microsoft.ContainerInstance/")[2].partition("/")[0]
        if route.method == "GET" and route.path.endswith(f"/{type_}"):
            raise Fault(
                404,
                "InvalidResourceType",
                f"The resource type '{type_}' could not be found in the namespace "
                f"'Microsoft.ContainerInstance' for api version '{given}'. The supported api-versions are "
                f"'{supported}'.",
            )
        raise Fault(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location 'global' and API version '{given}' for type "
            f"'{type_}'. The supported api-versions are '{supported}'. The supported locations are 'global'.",
        )
    return version


def _patience(prefer: str) -> float | None:
    """Read ``Prefer: wait=N`` (RFC 7240)."""
    found = re.search(r"\bwait\s*=\s*(\d{1,6})\b", prefer)
    return float(found[1]) if found else None


def _unknown(path: str) -> Fault:
    parts = [part for part in path.split("/") if part]
    lower = [part.lower() for part in parts]
    if "providers" in lower[:-1]:
        at = lower.index("providers") + 1
        namespace = parts[at]
        if lower[at] != "microsoft.containerinstance":
            return Fault(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
        kind = parts[at + 1] if len(parts) > at + 1 else ""
        return Fault(
            404,
            "InvalidResourceType",
            f"The resource type '{kind}' could not be found in the namespace '{namespace}' here.",
        )
    return Fault(404, "NotFound", f"There is nothing at {path}.")


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Fault(400, "InvalidRequestContent", "The request ended before its body did.")
        part = message.get("body", b"")
        size += len(part)
        if size > MOST_BODY:
            raise Fault(413, "RequestContentTooLarge", f"The request content is larger than {MOST_BODY} bytes.")
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


@lru_cache(maxsize=1)
def _second(now: int) -> str:
    """Write a second as Azure's front door does; the same one comes many times."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _head(answer: Answer, request_id: str, headers: dict[str, str]) -> MutableMapping[str, Any]:
    """Give status and headers of an answer, without its length."""
    named = {name.lower() for name, _ in answer.headers}
    out = [each for each in _ALWAYS if each[0].decode() not in named]
    out += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    correlation = headers.get("x-ms-correlation-request-id", request_id)[:64].encode("latin-1", "replace")
    route_id = f"LOCAL:{_second(int(time.time()))}:{request_id}".encode()
    out += [
        (b"x-ms-request-id", request_id.encode()),
        (b"x-ms-correlation-request-id", correlation),
        (b"x-ms-routing-request-id", route_id),
    ]
    client_id = headers.get("x-ms-client-request-id")
    if client_id and headers.get("x-ms-return-client-request-id", "").lower() == "true":
        out.append((b"x-ms-client-request-id", client_id[:64].encode("latin-1", "replace")))
    if answer.body or answer.chunks is not None:
        out.append((b"content-type", (answer.content_type or JSON).encode()))
    return {"type": "http.response.start", "status": answer.status, "headers": out}


async def _send(answer: Answer, request_id: str, headers: dict[str, str], method: str, send: Send) -> None:
    body = b"" if method == "HEAD" or answer.status == NO_CONTENT else answer.body
    head = _head(answer if body else replace(answer, body=b""), request_id, headers)
    if answer.status != NO_CONTENT:
        head["headers"].append((b"content-length", str(len(body)).encode()))
    await send(head)
    await send({"type": "http.response.body", "body": body})
