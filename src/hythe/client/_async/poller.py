"""Follows operations that go on after the service has answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from hythe.client.continuation import read_token, write_token
from hythe.client.documents import unreadable
from hythe.client.options import PLAIN, Call
from hythe.client.transport import Response
from hythe.errors import ConnectionFailed, HytheError, OperationFailed, ServiceError, StillRunning, UnexpectedAnswer
from hythe.wire.poll import SUCCEEDED, Done, Failed, Fetch, Poll, Step, begin, proceed

from .session import Session

T = TypeVar("T")
_PASSING = (401, 403, 408, 429)
_SERVER_FAULT = 500
_GLANCE = 5.0
"""Seconds that done() waits for an answer, at the very most."""


class AzureOperationPoller(Generic[T]):
    """Stands for an operation.  It asks the service only inside its own methods: nothing runs in the background.

    ``done()`` asks at most once, and only when the next question is due; ``wait()`` and ``result()`` ask until the
    end.  Callbacks are called by whichever of these sees the end.  When a connection fails, the poller is none the
    worse: call again.
    """

    def __init__(
        self,
        session: Session,
        step: Step,
        read: Callable[[bytes], T],
        *,
        doing: str,
        call: Call = PLAIN,
    ) -> None:
        self._session = session
        self._step = step
        self._read = read
        self._doing = doing
        interval = session.polling_interval if call.polling_interval is None else call.polling_interval
        self._interval = interval
        self._call = msgspec.structs.replace(call, params={}, api_version=None)
        seconds = session.deadline if call.deadline is None else call.deadline
        self._end_of_patience = None if seconds is None else session.clock.now() + seconds
        self._due = session.clock.now() + (step.delay if isinstance(step, Poll) else 0)
        self._error: HytheError | None = self._error_of(step)
        self._callbacks: list[Callable[[AzureOperationPoller[T]], object]] = []

    @classmethod
    async def start(
        cls,
        session: Session,
        method: str,
        url: str,
        read: Callable[[bytes], T],
        *,
        doing: str,
        body: bytes = b"",
        call: Call = PLAIN,
    ) -> AzureOperationPoller[T]:
        """Send the request that begins an operation; with a continuation token, go on with one that was begun."""
        if call.continuation_token is not None:
            return cls(session, read_token(call.continuation_token), read, doing=doing, call=call)
        interval = session.polling_interval if call.polling_interval is None else call.polling_interval
        response = await session.send(method, url, doing=doing, body=body, call=call)
        if not call.polling:
            return cls(session, Done(body=response.body), read, doing=doing, call=call)
        try:
            step = begin(method, url, response, default_delay=interval)
        except (msgspec.DecodeError, UnicodeDecodeError) as why:
            raise unreadable(doing, why) from why
        return cls(session, step, read, doing=doing, call=call)

    def __repr__(self) -> str:
        return f"AzureOperationPoller({self._doing!r}, status={self.status()!r})"

    def status(self) -> str:
        """Return the last known word: InProgress or the service's own, then Succeeded, Failed or Canceled."""
        if self._error is not None and not isinstance(self._step, Failed):
            return "Failed"
        return self._step.word if isinstance(self._step, Poll | Failed) else SUCCEEDED

    async def done(self) -> bool:
        """Tell whether the operation has ended, well or badly.  Does not wait for it."""
        pending = self._pending
        if pending and self._due <= self._session.clock.now():
            await self._ask(pending, wait=0)
        return not self._pending

    async def wait(self, timeout: float | None = None) -> None:
        """Wait for the end, or ``timeout`` seconds.  Raises `OperationFailed` if the end is a bad one."""
        clock = self._session.clock
        limit = None if timeout is None else clock.now() + timeout
        deadline = min((end for end in (limit, self._end_of_patience) if end is not None), default=None)
        while pending := self._pending:
            now = clock.now()
            if deadline is not None and now >= deadline:
                return
            pause = self._due - now
            if pause > 0:
                await clock.sleep(pause if deadline is None else min(pause, deadline - now))
            else:
                await self._ask(pending, wait=None if limit is None else limit - now)
        if self._error is not None:
            raise self._error

    async def result(self, timeout: float | None = None) -> T:
        """Wait for the end and return the resource.

        Raises `OperationFailed` for a bad end, and `StillRunning` when there is none after ``timeout`` seconds.
        """
        await self.wait(timeout)
        if isinstance(self._step, Fetch):
            response = await self._session.send("GET", self._step.url, doing=self._doing, call=self._call)
            self._step = Done(body=response.body)
        if not isinstance(self._step, Done):
            raise StillRunning(
                f"cannot {self._doing} within the time given: it is {self.status()}. The operation goes on: ask "
                "again with result(), or allow more by timeout= and deadline=."
            )
        return self._read(self._step.body)

    def continuation_token(self) -> str:
        """Give the text with which another client can go on: ``begin_...(..., continuation_token=text)``."""
        return write_token(self._step)

    def polling_method(self) -> AzureOperationPoller[T]:
        """Return the poller, which polls by itself."""
        return self

    def add_done_callback(self, function: Callable[[AzureOperationPoller[T]], object]) -> None:
        """Have ``function(poller)`` called at the end; at once if that has been seen already."""
        if self._pending:
            self._callbacks.append(function)
        else:
            function(self)

    def remove_done_callback(self, function: Callable[[AzureOperationPoller[T]], object]) -> None:
        """Take back a callback.  Raises ValueError if it was never added or has been called."""
        self._callbacks.remove(function)

    def resource(self) -> T | None:
        """Return the result if the operation has ended well and the last answer held it; asks nothing."""
        return self._read(self._step.body) if isinstance(self._step, Done) else None

    @property
    def _pending(self) -> Poll | None:
        """Give the next question; None once the end is known."""
        return self._step if isinstance(self._step, Poll) and self._error is None else None

    async def _ask(self, asked: Poll, *, wait: float | None) -> None:
        """Poll once.  ``wait`` is how long the service may hold its answer; None leaves that to the service."""
        try:
            response = await self._answer(asked, wait)
            step = proceed(asked, response, default_delay=self._interval) if response else asked
        except (msgspec.DecodeError, UnicodeDecodeError) as why:
            self._end(asked, asked, unreadable(self._doing, why))
        except (ServiceError, UnexpectedAnswer) as why:
            if isinstance(why, ServiceError) and _passes(why):
                raise
            self._end(asked, asked, why)
        else:
            self._due = self._session.clock.now() + (step.delay if isinstance(step, Poll) else 0)
            self._end(asked, step, self._error_of(step))

    async def _answer(self, asked: Poll, wait: float | None) -> Response | None:
        """Get the answer to a poll; None if it did not come while it was waited for."""
        if wait is None:
            return await self._session.send("GET", asked.url, doing=self._doing, call=self._call)
        try:
            return await self._session.send(
                "GET", asked.url, doing=self._doing, headers={"prefer": f"wait={int(wait)}"},
                timeout=max(wait, 1.0) if wait else _GLANCE, call=self._call,
            )  # fmt: skip
        except ConnectionFailed as why:
            if why.reason == "timeout":
                return None
            raise

    def _error_of(self, step: Step) -> OperationFailed | None:
        if not isinstance(step, Failed):
            return None
        return OperationFailed(self._doing, code=step.code, message=step.message, events=step.events)

    def _end(self, asked: Step, step: Step, error: HytheError | None) -> None:
        """Take the new step, unless another thread has taken one meanwhile; call the callbacks at the end."""
        if self._step is not asked or self._error is not None:
            return
        self._step, self._error = step, error
        if not self._pending:
            callbacks, self._callbacks = self._callbacks, []
            for function in callbacks:
                function(self)


def _passes(error: ServiceError) -> bool:
    """Tell whether an error says nothing about the operation itself."""
    return error.status in _PASSING or error.status >= _SERVER_FAULT


def nothing(body: bytes) -> None:
    """Read the result of an operation that has none."""
