"""Says what goes on while something is waited for: one line that changes on a terminal, lines elsewhere.

All of it goes to standard error, so that standard output has nothing but what was asked for.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

from .output import coloured

if TYPE_CHECKING:
    from ..client._sync.group import Group
    from ..client._sync.poller import AzureOperationPoller
    from ..models import ContainerGroup, Event

T = TypeVar("T")
Say = Callable[[str], None]

QUIET = "hythe.quiet"
"""Where click's context says that nothing is to be told."""
_PATIENCE = 0.4
"""Seconds before anything is said: what is quick needs no words."""
_LOOK = 1.0


class _Lines:
    """Writes a line when there is something new to say."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, text: str) -> None:
        if text != self._last:
            click.echo(text, err=True)
            self._last = text


@contextlib.contextmanager
def step(doing: str) -> Iterator[Say]:
    """Show what is done and waited for; the function that is given says more about it."""
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(QUIET):
        yield lambda text: None
        return
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console

    console = Console(stderr=True, no_color=not coloured(sys.stderr), highlight=False)
    with console.status(f"{doing} ...") as status:
        begun = time.monotonic()

        def say(text: str) -> None:
            from rich.markup import escape

            status.update(escape(f"{doing}: {text} ({time.monotonic() - begun:.0f} s)"))

        yield say


def result(poller: AzureOperationPoller[T], group: Group, doing: str) -> T:
    """Wait for an operation on a group and tell of the group's events meanwhile; return its result."""
    poller.wait(_PATIENCE)
    if not _pending(poller):
        return poller.result()
    told = EventsTold()
    with step(doing) as say:
        while _pending(poller):
            for container, event in told.new(group.get()):
                say(f"{container + ': ' if container else ''}{event.message or event.name}")
            before = time.monotonic()
            poller.wait(_LOOK)
            if time.monotonic() - before < _LOOK / 2:
                break  # the poller waits no longer: result() says why
        return poller.result()


def _pending(poller: AzureOperationPoller[T]) -> bool:
    return poller.status() not in ("Succeeded", "Failed", "Canceled")


class EventsTold:
    """Remembers which events of a group have been told."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str | None, str | None, object], int] = {}

    def new(self, group: ContainerGroup) -> list[tuple[str, Event]]:
        """Give the events that are new or have happened again, oldest first, each with its container or ''."""
        found: list[tuple[str, Event]] = []
        sources = [("", group.instance_view.events if group.instance_view else None)]
        for each in (*(group.init_containers or ()), *(group.containers or ())):
            sources.append((each.name, each.instance_view.events if each.instance_view else None))
        for name, events in sources:
            for event in events or ():
                key = (name, event.name, event.message, event.first_timestamp)
                count = event.count or 1
                if self._seen.get(key, 0) < count:
                    self._seen[key] = count
                    found.append((name, event))
        found.sort(key=lambda each: str(each[1].last_timestamp or each[1].first_timestamp or ""))
        return found
