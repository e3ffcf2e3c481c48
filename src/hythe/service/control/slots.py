"""Shares out how many resources are worked on at a time; what takes long steps aside meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from ...engines.base import Busy

T = TypeVar("T")

_AT_ONCE = 16


class CalledOff(Busy):
    """What was done aside is of no use any more: the resource is to be gone."""

    def __init__(self) -> None:
        super().__init__("called off: it is to be gone")


class Slots:
    """Are taken by passes, one each."""

    def __init__(self, count: int = _AT_ONCE) -> None:
        self._free = asyncio.Semaphore(count)
        self._aside: dict[str, asyncio.Event] = {}
        """By key of the resource: set when its pass is called off."""
        self._off: set[str] = set()
        """Keys of resources whose passes are to begin nothing more that may take long."""

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it."""
        async with self._free:
            yield

    async def aside(self, key: str, work: Awaitable[T]) -> T:
        """Do a part of a pass that may take long, with its slot left to others.  Raises `CalledOff`."""
        doing, off = asyncio.ensure_future(work), asyncio.Event()
        if key in self._off:
            off.set()
            doing.cancel()
        called_off = asyncio.create_task(off.wait())
        self._aside[key] = off
        self._free.release()
        try:
            await asyncio.wait({doing, called_off}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done() and not doing.cancelled():
                return doing.result()
            raise CalledOff
        finally:
            del self._aside[key]
            called_off.cancel()
            doing.cancel()
            await asyncio.gather(doing, called_off, return_exceptions=True)
            await self._free.acquire()

    def call_off(self, key: str) -> None:
        """End what the pass over a resource does aside, and let it do no more of the like."""
        self._off.add(key)
        if key in self._aside:
            self._aside[key].set()

    def ended(self, key: str) -> None:
        """Take notice that the pass has ended."""
        self._off.discard(key)
