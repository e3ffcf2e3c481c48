"""Holds what all groups of operations do alike: write addresses and bodies, send, read, page, begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import IO, Any, TypeVar, cast

from hythe import models
from hythe.client.documents import Body, decode, decode_page, encode
from hythe.client.options import BeginOptions, Call, CallOptions, call_of
from hythe.client.transport import Response
from hythe.models import Model
from hythe.wire.ids import PROVIDER

from .pager import Pager
from .poller import AzureOperationPoller
from .session import Session

M = TypeVar("M", bound=Model)
T = TypeVar("T")
Path = tuple[str, ...]
"""The names in an address, below the subscription."""
Given = Body | IO[bytes] | bytes
"""What a caller gives as a body: a model, dicts and lists, or the JSON itself."""


class OperationGroup:
    """Is the base of ``client.container_groups`` and its like.

    Every call raises `ServiceError` for an answer of 400 and more (`NotFound`, `InvalidRequest`, `Conflict` ...),
    `ConnectionFailed` and `CredentialError`; the ``result()`` of a poller also `OperationFailed` and `StillRunning`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def models(self) -> ModuleType:
        """Give the module `hythe.models`, which Microsoft's have here too."""
        return models

    @property
    def api_version(self) -> str:
        """Tell which version of the API is spoken, unless a call names another."""
        return self._session.api_version

    def _path(self, resource_group: str, kind: str, *names: str) -> Path:
        """Name something of the provider in a resource group."""
        return ("resourceGroups", resource_group, "providers", PROVIDER, kind, *names)

    def _url(self, path: Path, call: Call, query: Mapping[str, str] | None = None) -> str:
        return self._session.url(*path, query={**(query or {}), **call.params}, api_version=call.api_version)

    async def _send(
        self,
        method: str,
        path: Path,
        doing: str,
        call: Call,
        *,
        body: bytes = b"",
        query: Mapping[str, str] | None = None,
    ) -> Response:
        return await self._session.send(method, self._url(path, call, query), doing=doing, body=body, call=call)

    async def _read(
        self, model: type[M], path: Path, doing: str, options: CallOptions, query: Mapping[str, str] | None = None
    ) -> M:
        """Get one thing."""
        call = call_of(options, doing)
        response = await self._send("GET", path, doing, call, query=query)
        return _made(call, response, decode(model, response.body, doing))

    async def _write(
        self,
        method: str,
        model: type[M],
        path: Path,
        body: Given,
        doing: str,
        options: CallOptions,
        *,
        accepts: type[Model] | None = None,
    ) -> M:
        """Send one thing, of the model ``accepts`` if that differs, and read what it has become."""
        call = call_of(options, doing)
        response = await self._send(method, path, doing, call, body=encode(body, accepts or model))
        return _made(call, response, decode(model, response.body, doing))

    async def _ask(self, method: str, model: type[M], path: Path, doing: str, options: CallOptions) -> M:
        """Send a request without a body and read its answer."""
        call = call_of(options, doing)
        response = await self._send(method, path, doing, call)
        return _made(call, response, decode(model, response.body, doing))

    async def _do(self, method: str, path: Path, doing: str, options: CallOptions) -> None:
        """Send a request whose answer says nothing."""
        call = call_of(options, doing)
        response = await self._send(method, path, doing, call)
        return _made(call, response, None)

    def _list(
        self,
        model: type[M],
        path: Path,
        doing: str,
        options: CallOptions,
        *,
        query: Mapping[str, str] | None = None,
        root: bool = False,
    ) -> Pager[M]:
        """Read a list that comes in pages; ``root``: one that is in no subscription."""
        call = call_of(options, doing)
        if call.cls is not None:
            raise TypeError(f"cannot {doing} with cls=: that is for operations that return one thing")
        write = self._session.root_url if root else self._session.url
        url = write(*path, query={**(query or {}), **call.params}, api_version=call.api_version)
        return Pager(self._session, url, lambda body: decode_page(model, body, doing), doing, call)

    async def _begin(
        self,
        method: str,
        path: Path,
        read: Callable[[bytes], T],
        doing: str,
        options: BeginOptions,
        body: bytes = b"",
    ) -> AzureOperationPoller[T]:
        """Begin an operation."""
        call = call_of(options, doing, begins=True)
        if call.cls is not None:
            raise TypeError(f"cannot {doing} with cls=: that is for operations that return one thing at once")
        return await AzureOperationPoller.start(
            self._session, method, self._url(path, call), read, doing=doing, body=body, call=call
        )


def _made(call: Call, response: Response, result: T) -> T:
    return cast(T, call.cls(response, result, response.headers)) if call.cls else result


def reader(model: type[M], doing: str) -> Callable[[bytes], M]:
    """Make the function that reads the result of an operation."""
    return lambda body: decode(model, body, doing)


def optional_reader(model: type[M], doing: str) -> Callable[[bytes], Any]:
    """Make the function that reads the result of an operation that may have none."""
    return lambda body: decode(model, body, doing) if body.strip() else None
