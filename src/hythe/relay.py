"""Carries bytes between two connections, both ways, until both sides have ended or one broke."""

from __future__ import annotations

import asyncio

_CHUNK = 64 << 10

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def relay(near: Pair, far: Pair) -> None:
    """Carry bytes both ways; the far side is closed at the end, the near one is its owner's."""
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_carry(near[0], far[1]))
            both.create_task(_carry(far[0], near[1]))
    except* OSError:
        pass  # a side that broke ends the other
    finally:
        far[1].close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()  # TLS knows no half-closed connection
