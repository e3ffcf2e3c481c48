"""Opens the websocket of a session: the password comes in the handshake or as the first frame."""

from __future__ import annotations

import asyncio

from ...wire.faults import Fault
from ..sockets import NOT_ALLOWED, Gone, Socket
from .sessions import Session, Sessions

AUTHENTICATE_SECONDS = 5.0
MOST_PASSWORD = 1024
_BEARER = "bearer "


def unknown() -> Fault:
    """Report a session that is not there (any more)."""
    return Fault(404, "SessionNotFound", "There is no such session: it has begun already, has ended, or never was.")


async def opened(
    socket: Socket, sessions: Sessions, identity: str, *, subprotocol: str | None, seconds: float = AUTHENTICATE_SECONDS
) -> Session | None:
    """Accept a websocket and give its session; None after it was closed because the password was wrong or late."""
    given = socket.authorization
    await socket.accept(subprotocol)
    if given:
        given = given[len(_BEARER) :] if given.lower().startswith(_BEARER) else given
    else:
        try:
            async with asyncio.timeout(seconds):
                frame = await socket.receive()
        except TimeoutError:
            sessions.claim(identity, "")
            await socket.close(NOT_ALLOWED, f"no password came within {seconds:g} s")
            return None
        except Gone:
            return None
        given = frame.decode(errors="replace") if isinstance(frame, bytes) else frame
    session = sessions.claim(identity, given) if len(given) <= MOST_PASSWORD else sessions.claim(identity, "")
    if session is None:
        await socket.close(NOT_ALLOWED, "the password is wrong, was used before, or has expired")
    return session
