"""Holds by hand how a log is iterated over, and how it shows itself in a notebook while the notebook goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Self

from hythe.client.log_cursor import LogLine, printed


class Log:
    """Is what containers write, line by line, for ``async for``.

    As the last thing in a cell of a notebook (or a line of IPython) it prints itself there, as it is written; with
    ``follow`` that goes on while other cells run, until ``await log.aclose()``.
    """

    def __init__(self, lines: AsyncGenerator[LogLine, None], containers: Sequence[str]) -> None:
        """``containers`` names them once the first line has come."""
        self._lines = lines
        self._containers = containers
        self._shown: asyncio.Task[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LogLine:
        return await self._lines.__anext__()

    async def aclose(self) -> None:
        """Read no further, and let go of the connections."""
        if self._shown is not None:
            self._shown.cancel()
            await asyncio.gather(self._shown, return_exceptions=True)
        await self._lines.aclose()

    def _ipython_display_(self) -> None:
        """Print the lines in a task, whose output a notebook puts below the cell that began it."""
        if self._shown is None:
            self._shown = asyncio.get_running_loop().create_task(self._show())

    async def _show(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            async for line in self._lines:
                print(printed(line, self._containers), flush=True)
