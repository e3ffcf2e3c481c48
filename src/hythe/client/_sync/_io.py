"""Holds by hand what the generated clients do otherwise than the asynchronous ones: wait, lock, call, close."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from hythe.client.tokens import Token, TokenCredential
from hythe.client.transport import Transport
from hythe.errors import CredentialError

if TYPE_CHECKING:
    from hythe.client.cli_login import Ran

__all__ = ["Clock", "Credential", "Lock", "Page", "Transport", "close", "run_all", "run_program", "token_of"]

T = TypeVar("T")

Lock = threading.Lock
Credential = TokenCredential


class Page(list[T]):
    """One page of a list."""


class Clock:
    """Tells the time and waits; tests put another in its place."""

    def now(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def epoch(self) -> float:
        """Return the seconds of the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def token_of(credential: Credential, scopes: tuple[str, ...]) -> Token:
    """Ask a credential."""
    return credential.get_token(*scopes)


def close(thing: object) -> None:
    """Close a transport or an HTTP client, if it can be closed."""
    function = getattr(thing, "close", None)
    if function:
        function()


def run_program(command: list[str], timeout: float) -> Ran:
    """Run a program and return what it said.  Raises `CredentialError` if it can't be run or is too slow."""
    import subprocess

    from hythe.client.cli_login import Ran, program

    try:
        done = subprocess.run(
            program(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as why:
        raise CredentialError(f"cannot wait longer for {command[0]}: it said nothing for {timeout:g} s") from why
    return Ran(done.returncode, done.stdout, done.stderr)


def run_all(function: Callable[[int], T], count: int, parallel: int) -> list[T]:
    """Call a function with 0, 1, 2 ..., so many at a time in threads, and return the results in order.

    When one raises, no further one begins, those that run are waited for, and the error goes on.
    """
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(parallel) as pool:
        made = [pool.submit(function, index) for index in range(count)]
        done, waiting = wait(made, return_when=FIRST_EXCEPTION)
        for each in waiting:
            each.cancel()
    for each in done:
        each.result()
    return [each.result() for each in made]
