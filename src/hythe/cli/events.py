"""`hythe events`: what happened to groups, as it happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import click

from . import output
from .asking import Asking, asks, some_groups
from .progress import EventsTold

_PAUSE = 1.0


@click.command()
@asks()
@some_groups
@click.option("-f", "--follow", is_flag=True, help="Go on, until the groups are gone.")
def events(ask: Asking, names: Sequence[str], follow: bool) -> None:
    """Show what happened to groups and their containers, oldest first."""
    told = {name: EventsTold() for name in names}
    if not follow:
        found = [_event(name, *each) for name, seen in told.items() for each in seen.new(ask.group(name).get())]
        ask.show(sorted(found, key=lambda each: str(each["time"])), _row)
        return
    for event in _followed(ask, told):
        if ask.form == "json":
            _write_json(event)
        else:
            _write_line(event)
        sys.stdout.flush()


def _followed(ask: Asking, told: dict[str, EventsTold]) -> Iterator[dict[str, Any]]:
    from ..errors import NotFound

    known: set[str] = set()
    while told:
        for name, seen in list(told.items()):
            try:
                group = ask.group(name).get()
            except NotFound:
                if name not in known:
                    raise
                del told[name]
                continue
            known.add(name)
            for container, event in seen.new(group):
                yield _event(name, container, event)
        if told:
            time.sleep(_PAUSE)


def _event(group: str, container: str, event: Any) -> dict[str, Any]:
    at = event.last_timestamp or event.first_timestamp
    return {
        "time": at.isoformat().replace("+00:00", "Z") if at else None, "group": group, "container": container or None,
        "type": event.type, "name": event.name, "count": event.count, "message": event.message,
    }  # fmt: skip


def _row(event: dict[str, Any]) -> output.Row:
    return {
        "Time": (event["time"] or "")[:19], "Group": event["group"], "Container": event["container"],
        "Type": event["type"], "Event": event["name"], "Count": event["count"], "Message": event["message"],
    }  # fmt: skip


def _write_json(event: dict[str, Any]) -> None:
    import msgspec

    click.echo(msgspec.json.encode(event).decode())


def _write_line(event: dict[str, Any]) -> None:
    kind = output.paint(event["name"] or "", "yellow" if event["type"] == "Warning" else "green")
    where = event["group"] + (f"/{event['container']}" if event["container"] else "")
    click.echo(f"{(event['time'] or '')[:19]}  {where}  {kind}  {event['message'] or ''}")
