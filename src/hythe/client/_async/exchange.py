"""Sends one request, again if that is safe and may help."""

from __future__ import annotations

import random

from hythe.client.retry import delay_before_retry
from hythe.client.transport import Request, Response
from hythe.errors import ConnectionFailed

from ._io import Clock, Transport

_DICE = random.SystemRandom()


async def exchange(transport: Transport, request: Request, clock: Clock, *, idempotent: bool) -> Response:
    """Return the answer of the last try, of whatever status.  Raises `ConnectionFailed` when there is none."""
    tries = 0
    while True:
        tries += 1
        outcome: Response | ConnectionFailed
        try:
            outcome = await transport.send(request)
        except ConnectionFailed as failure:
            outcome = failure
        delay = delay_before_retry(outcome, tries=tries, idempotent=idempotent, jitter=_DICE.random())
        if delay is not None:
            await clock.sleep(delay)
        elif isinstance(outcome, ConnectionFailed):
            raise outcome
        else:
            return outcome
