"""Sends one request, again if that is safe and may help."""

from __future__ import annotations

import os

import msgspec

from hythe.client.request_log import note, tell
from hythe.client.retry import IDEMPOTENT, RETRIES, delay_before_retry
from hythe.client.transport import Request, Response, sendable
from hythe.errors import ConnectionFailed

from ._io import Clock, Transport


def _jitter() -> float:
    """Give a number from 0 to 1, without loading all of `random`."""
    return int.from_bytes(os.urandom(4)) / (1 << 32)


async def exchange(
    transport: Transport,
    request: Request,
    clock: Clock,
    *,
    idempotent: bool | None = None,
    retries: int = RETRIES,
    timeout: float | None = None,
) -> Response:
    """Return the answer of the last try, of whatever status.  Raises `ConnectionFailed` when there is none.

    ``timeout`` is in seconds, for all tries and the waits between them.
    """
    safe = request.method in IDEMPOTENT if idempotent is None else idempotent
    end = None if timeout is None else clock.now() + timeout
    tries = 0
    sendable(request)
    while True:
        tries += 1
        begun = clock.now()
        remaining = None if end is None else max(end - begun, 0.001)
        outcome: Response | ConnectionFailed
        try:
            outcome = await transport.send(_within(request, remaining))
        except ConnectionFailed as failure:
            outcome = failure
        tell(request, outcome, clock.now() - begun)
        left = None if end is None else end - clock.now()
        delay = delay_before_retry(
            outcome, tries=tries, idempotent=safe, jitter=_jitter(), retries=retries, remaining=left
        )
        if delay is not None:
            note("try %s follows in %.1f s", tries + 1, delay)
            await clock.sleep(delay)
        elif isinstance(outcome, ConnectionFailed):
            raise outcome
        else:
            return outcome


def _within(request: Request, remaining: float | None) -> Request:
    """Let a try last no longer than the call may."""
    if remaining is None or (request.timeout is not None and request.timeout <= remaining):
        return request
    return msgspec.structs.replace(request, timeout=remaining)
