"""Shares out how many resources are worked on at a time; what takes long steps aside meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from ...engines.base import Busy

T = TypeVar("T")

_AT_ONCE = 16


class Slots:
    """Are taken by passes, one each."""

    def __init__(self, count: int = _AT_ONCE) -> None:
        self._free = asyncio.Semaphore(count)
        self._aside: dict[str, asyncio.Event] = {}
        """By key of the resource: set when its pass is to go on with something else."""

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it."""
        async with self._free:
            yield

    async def aside(self, key: str, work: Awaitable[T]) -> T:
        """Do a part of a pass that may take long, with its slot left to others.  Raises `Busy` if it was called off."""
        doing, off = asyncio.ensure_future(work), asyncio.Event()
        called_off = asyncio.create_task(off.wait())
        self._aside[key] = off
        self._free.release()
        try:
            await asyncio.wait({doing, called_off}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            raise Busy("called off: it is to be gone")
        finally:
            del self._aside[key]
            called_off.cancel()
            doing.cancel()
            await asyncio.gather(doing, called_off, return_exceptions=True)
            await self._free.acquire()

    def is_aside(self, key: str) -> bool:
        """Tell whether the pass over a resource does something that may take long."""
        return key in self._aside

    def call_off(self, key: str) -> None:
        """Have it end."""
        self._aside[key].set()
