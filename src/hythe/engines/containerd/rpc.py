"""Calls containerd: CRI version 1 and the event stream, over gRPC on its socket.

The stubs are three lines here instead of a generated module, because only unary calls and one stream are used.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar, cast

import grpc
import grpc.aio
from google.protobuf.message import Message

from ..base import EngineError, Lost, Refused, Transient
from .proto import cri_pb2 as cri
from .proto import events_pb2 as events

R = TypeVar("R", bound=Message)

NAMESPACE = "k8s.io"
"""The containerd namespace in which its CRI plugin keeps everything."""

_CALL_SECONDS = 60.0
_OWN = (("containerd-namespace", NAMESPACE),)
"""What containerd's own services want to be told; CRI's calls pass over it."""
_TOLD: dict[str, type[events.TaskExit | events.TaskOOM]] = {
    "/tasks/exit": events.TaskExit,
    "/tasks/oom": events.TaskOOM,
}
"""What is read of an event, by its topic."""
_IMAGE_CALLS = frozenset({"ListImages", "ImageStatus", "PullImage", "RemoveImage"})


class NotFound(EngineError):
    """What the call is about does not exist; stays inside this package."""


class AlreadyExists(EngineError):
    """What the call should make exists; stays inside this package."""


def _translate(error: grpc.aio.AioRpcError) -> EngineError:
    """Turn a gRPC status into one of the few errors that this package handles."""
    text = error.details() or error.code().name
    code = error.code()
    if code is grpc.StatusCode.NOT_FOUND or "not found" in text:
        return NotFound(text)
    if code is grpc.StatusCode.ALREADY_EXISTS or "is reserved for" in text:
        return AlreadyExists(text)
    if code is grpc.StatusCode.UNAVAILABLE:
        return Lost(f"containerd does not answer: {text}")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Transient(f"containerd took too long: {text}")
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return Refused("InvalidArgument", text)
    return Transient(text)


class Containerd:
    """A connection to one containerd."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(
            f"unix://{address}",
            options=[
                ("grpc.max_receive_message_length", 16 << 20),
                ("grpc.max_reconnect_backoff_ms", 500),
                ("grpc.enable_http_proxy", 0),
            ],
        )
        self._calls: dict[str, Any] = {}

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close(None)

    async def call(self, method: str, request: Message, answer: type[R], timeout: float | None = _CALL_SECONDS) -> R:
        """Call one method of CRI by its name, or one of containerd's own services by its path."""
        rpc = self._calls.get(method)
        if rpc is None:
            service = "ImageService" if method in _IMAGE_CALLS else "RuntimeService"
            rpc = self._channel.unary_unary(
                method if method.startswith("/") else f"/runtime.v1.{service}/{method}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=answer.FromString,
            )
            self._calls[method] = rpc
        try:
            return cast(R, await rpc(request, timeout=timeout, metadata=_OWN))
        except grpc.aio.AioRpcError as error:
            raise _translate(error) from None

    async def announced(self) -> AsyncIterator[events.TaskExit | events.TaskOOM]:
        """Give every end of a process in this containerd, until the connection breaks (`Lost`).

        A lack of memory is told before the end that it leads to.
        """
        subscribe = self._channel.unary_stream(
            "/containerd.services.events.v1.Events/Subscribe",
            request_serializer=events.SubscribeRequest.SerializeToString,
            response_deserializer=events.Envelope.FromString,
        )
        try:
            async for envelope in subscribe(events.SubscribeRequest(filters=[f'topic=="{each}"' for each in _TOLD])):
                if envelope.namespace == NAMESPACE:
                    yield _TOLD[envelope.topic].FromString(envelope.event.value)
        except grpc.aio.AioRpcError as error:
            raise _translate(error) from None

    async def version(self) -> str:
        """Give name and version of the runtime."""
        answer = await self.call("Version", cri.VersionRequest(), cri.VersionResponse, timeout=2)
        return f"{answer.runtime_name} {answer.runtime_version}"
