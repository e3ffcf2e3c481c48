"""Holds by hand how a log is iterated over, and how it shows itself in a notebook."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import Self

from hythe.client.log_cursor import LogLine, printed


class Log:
    """Is what containers write, line by line, for ``for``.

    As the last thing in a cell of a notebook (or a line of IPython) it prints itself there, as it is written; with
    ``follow`` until the containers have ended or the cell is interrupted.
    """

    def __init__(self, lines: Generator[LogLine, None, None], containers: Sequence[str]) -> None:
        """``containers`` names them once the first line has come."""
        self._lines = lines
        self._containers = containers

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> LogLine:
        return next(self._lines)

    def close(self) -> None:
        """Read no further, and let go of the connections."""
        self._lines.close()

    def _ipython_display_(self) -> None:
        """Print the lines; an interruption is how one stops looking, and no error."""
        with contextlib.suppress(KeyboardInterrupt), contextlib.closing(self):
            for line in self._lines:
                print(printed(line, self._containers), flush=True)
