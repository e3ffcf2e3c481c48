"""Holds by hand what the asynchronous clients do and the generated ones do otherwise: wait, lock, call, close."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from hythe.client.tokens import AsyncTokenCredential, Token, TokenCredential
from hythe.client.transport import AsyncTransport as Transport
from hythe.errors import CredentialError

if TYPE_CHECKING:
    from hythe.client.cli_login import Ran

__all__ = ["Clock", "Credential", "Lock", "Page", "Transport", "close", "run_all", "run_program", "token_of"]

T = TypeVar("T")

Lock = asyncio.Lock
Credential = AsyncTokenCredential | TokenCredential


class Page(list[T]):
    """One page of a list: a list, and iterable by ``async for`` too, as Microsoft's pages are."""

    async def __aiter__(self) -> AsyncIterator[T]:
        """Iterate over the items."""
        for item in self:
            yield item


class Clock:
    """Tells the time and waits; tests put another in its place."""

    def now(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def epoch(self) -> float:
        """Return the seconds of the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def token_of(credential: Credential, scopes: tuple[str, ...]) -> Token:
    """Ask a credential of either kind; a blocking one is asked in a thread, so that the loop goes on."""
    given: Token | Awaitable[Token]
    if inspect.iscoroutinefunction(credential.get_token):
        given = credential.get_token(*scopes)
    else:
        given = await asyncio.to_thread(lambda: credential.get_token(*scopes))
    return await given if isinstance(given, Awaitable) else given


async def close(thing: object) -> None:
    """Close a transport or an HTTP client, if it can be closed."""
    function = getattr(thing, "aclose", None) or getattr(thing, "close", None)
    outcome = function() if function else None
    if inspect.isawaitable(outcome):
        await outcome


async def run_program(command: list[str], timeout: float) -> Ran:
    """Run a program and return what it said.  Raises `CredentialError` if it can't be run or is too slow."""
    from hythe.client.cli_login import Ran, program

    found = program(command)
    made = await asyncio.create_subprocess_exec(
        *found, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(made.communicate(), timeout)
    except TimeoutError as why:
        raise CredentialError(f"cannot wait longer for {command[0]}: it said nothing for {timeout:g} s") from why
    finally:
        if made.returncode is None:
            made.kill()
            await made.wait()
    return Ran(made.returncode or 0, out, err)


async def run_all(function: Callable[[int], Awaitable[T]], count: int, parallel: int) -> list[T]:
    """Call a function with 0, 1, 2 ..., so many at a time, and return the results in order.

    When one raises, those that run are cancelled and waited for, and the error goes on.
    """
    free = asyncio.Semaphore(parallel)

    async def one(index: int) -> T:
        async with free:
            return await function(index)

    try:
        async with asyncio.TaskGroup() as tasks:
            made = [tasks.create_task(one(index)) for index in range(count)]
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    return [task.result() for task in made]
