"""Attaches to a container over a websocket: what it writes comes, what is sent is its standard input."""

from __future__ import annotations

import asyncio
import contextlib

from ...engines.base import EngineError, Refused
from ...engines.offers import Attach, Follow, Input
from ..sockets import BAD_DATA, ENDED, FAILED, Gone, Socket
from .sessions import Session


async def run(engine: Follow, socket: Socket, session: Session, limit: int) -> None:
    """Show a container's output, beginning with its log, until its run has ended or the client has gone."""
    inward = asyncio.create_task(_input(engine, socket, session))
    outward = asyncio.create_task(_output(engine, socket, session, limit))
    try:
        done, _ = await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            await each
        await socket.close(ENDED)
    except Gone:
        pass
    except Refused as error:
        await socket.close(BAD_DATA if error.reason == "NoInput" else FAILED, str(error))
    except EngineError as error:
        await socket.close(FAILED, str(error))
    finally:
        for task in (inward, outward):
            task.cancel()
        await asyncio.gather(inward, outward, return_exceptions=True)


async def _output(engine: Follow, socket: Socket, session: Session, limit: int) -> None:
    lines = engine.follow(session.uid, session.container, tail=None, timestamps=False, run=None, limit=limit)
    async with contextlib.aclosing(lines):
        async for text in lines:
            await socket.send(text)


async def _input(engine: Follow, socket: Socket, session: Session) -> None:
    opened: Input | None = None
    try:
        while True:
            frame = await socket.receive()
            if opened is None:
                if not isinstance(engine, Attach):
                    raise Refused("NoInput", "the engine of this service reaches no standard input")
                opened = await engine.attach(session.uid, session.container)
            await opened.write(frame.encode() if isinstance(frame, str) else frame)
    finally:
        if opened is not None:
            opened.close()
