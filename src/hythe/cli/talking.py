"""Writes what the library tells of its requests to standard error."""

from __future__ import annotations

import logging

import click

from ..client.request_log import LOGGER
from .exits import DEBUG


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


def talk(context: click.Context, *, all_of_it: bool) -> None:
    """Begin, until the command has ended; ``all_of_it``: also headers, and where errors come from."""
    log = logging.getLogger(LOGGER)
    if all_of_it:
        context.meta[DEBUG] = True
    if any(isinstance(each, _Lines) for each in log.handlers):  # --verbose and --debug
        log.setLevel(logging.DEBUG)
        return
    lines = _Lines()
    lines.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", "%H:%M:%S"))
    before = log.level
    log.addHandler(lines)
    log.setLevel(logging.DEBUG if all_of_it else logging.INFO)

    def end() -> None:
        log.removeHandler(lines)
        log.setLevel(before)

    # Of the outermost command: who looks for what was meant asks once more when the inner one has ended.
    context.find_root().call_on_close(end)
