"""Carries one TCP connection to a port inside a group over a websocket."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets

from ..sockets import ENDED, FAILED, Gone, Socket

EOF = "eof"
"""Text frame that ends the sender's direction."""
_CHUNK = 1 << 16


async def run(inside: sockets.socket, socket: Socket) -> None:
    """Carry both directions until both have ended, or one side has gone."""
    with inside:
        await socket.accept()
        inward = asyncio.create_task(_inward(inside, socket))
        outward = asyncio.create_task(_outward(inside, socket))
        try:
            await asyncio.gather(inward, outward)
            await socket.close(ENDED)
        except Gone:
            pass
        except OSError as error:
            await socket.close(FAILED, error.strerror or str(error))
        finally:
            for task in (inward, outward):
                task.cancel()
            await asyncio.gather(inward, outward, return_exceptions=True)


async def _outward(inside: sockets.socket, socket: Socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(inside, _CHUNK):
        await socket.send(data)
    await socket.send(EOF)


async def _inward(inside: sockets.socket, socket: Socket) -> None:
    loop = asyncio.get_running_loop()
    while (frame := await socket.receive()) != EOF:
        await loop.sock_sendall(inside, frame.encode() if isinstance(frame, str) else frame)
    with contextlib.suppress(OSError):
        inside.shutdown(sockets.SHUT_WR)
