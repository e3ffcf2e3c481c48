"""Turns what is remembered of a group into what a caller sees: states, instance views, events.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from ...engines.base import Finished, Happened, Observed, Record, Want
from ...engines.pod import effective_policy, ended
from ...models import (
    Container,
    ContainerGroup,
    ContainerPropertiesInstanceView,
    ContainerState,
    Event,
    InitContainerDefinition,
)
from ..store import View

STOPPED = "Container stopped per client request"
START_ERROR = "StartError"


class Memory(Struct, kw_only=True, omit_defaults=True):
    """What control keeps in a row's status."""

    view: View = field(default_factory=View)
    records: dict[str, Record] = {}


def _every(group: ContainerGroup) -> list[Container | InitContainerDefinition]:
    return [*(group.init_containers or ()), *(group.containers or ())]


def group_state(want: Want, records: dict[str, Record]) -> str:
    """Give the state of a group: Pending, Running, Stopped, Succeeded or Failed."""
    group = want.group
    mine = [records.get(one.name, Record()) for one in group.containers or ()]
    if want.desired == "stop" and not any(record.running for record in mine):
        return "Stopped"
    policy = effective_policy(group)
    init_failed = policy == "Never" and any(
        (record := records.get(one.name)) and record.last and record.last.exit_code
        for one in group.init_containers or ()
    )
    if init_failed:
        return "Failed"
    if mine and all(ended(policy, record) for record in mine):
        failed = any(record.last and record.last.exit_code for record in mine)
        return "Failed" if failed else "Succeeded"
    if all(record.running or record.last for record in mine):
        return "Running"
    return "Pending"


def started(record: Record) -> bool:
    """Tell whether a container has run at all in its epoch."""
    return record.running or (record.last is not None and record.last.reason != START_ERROR)


def container_state(policy: str, record: Record) -> tuple[ContainerState, ContainerState | None]:
    """Give the current and the previous state of a container with this (effective) restart policy."""
    before = _terminated(record.previous) if record.previous else None
    if record.running:
        return ContainerState(state="Running", start_time=_ms(record.started_at), detail_status=""), before
    if record.stopped:
        end = record.last.finished_at if record.last else None
        now = ContainerState(state="Terminated", finish_time=_ms(end), detail_status=STOPPED)
        ran = ContainerState(state="Running", start_time=_ms(record.started_at), detail_status="")
        return now, ran if record.started_at else before
    if record.waiting:
        return ContainerState(state="Waiting", detail_status=record.waiting), before
    if record.last is None:
        return ContainerState(state="Waiting", detail_status=""), before
    if ended(policy, record):
        return _terminated(record.last), before
    detail = "CrashLoopBackOff: Back-off restarting failed" if record.backoff else ""
    return ContainerState(state="Waiting", detail_status=detail), _terminated(record.last)


def _terminated(end: Finished) -> ContainerState:
    return ContainerState(
        state="Terminated",
        start_time=_ms(end.started_at),
        exit_code=end.exit_code,
        finish_time=_ms(end.finished_at),
        detail_status=end.reason or ("Error" if end.exit_code else "Completed"),
    )


def _ms(when: datetime | None) -> datetime | None:
    """Cut a time to milliseconds, which is what Azure shows."""
    return when and when.replace(microsecond=when.microsecond // 1000 * 1000)


def add_events(view: View, happened: Iterable[Happened], now: datetime) -> None:
    """Write events into a view; what happened before only counts up."""
    second = now.replace(microsecond=0)
    for each in happened:
        held = view.containers.setdefault(each.container, ContainerPropertiesInstanceView(restart_count=0))
        events = held.events = held.events or []
        for event in events:
            if (event.name, event.message, event.type) == (each.name, each.message, each.type):
                event.count = (event.count or 0) + 1
                event.last_timestamp = second
                break
        else:
            events.append(
                Event(
                    count=1,
                    first_timestamp=second,
                    last_timestamp=second,
                    name=each.name,
                    message=each.message,
                    type=each.type,
                )
            )


def lost(view: View) -> View:
    """Give the view of a group none of whose containers is there any more: what has ended stays, the rest waits."""
    containers = {
        name: replace(one, current_state=ContainerState(state="Waiting", detail_status=""))
        if one.current_state and one.current_state.state == "Running"
        else one
        for name, one in view.containers.items()
    }
    return replace(view, state="Pending", ip=None, containers=containers, ready={})


def render(want: Want, seen: Observed, view: View) -> View:
    """Give the view that follows from the records of a group; its events are taken over."""
    containers = {}
    for one in _every(want.group):
        record = want.records.get(one.name, Record())
        policy = effective_policy(want.group, init=isinstance(one, InitContainerDefinition))
        current, previous = container_state(policy, record)
        held = view.containers.get(one.name)
        containers[one.name] = ContainerPropertiesInstanceView(
            restart_count=record.attempt,
            current_state=current,
            previous_state=previous,
            events=held.events if held and held.events else [],
        )
    address = seen.sandbox.ip if seen.sandbox else None
    ready = {one.name for one in seen.containers if one.state == "running" and one.ready}
    return replace(
        view,
        state=group_state(want, want.records),
        ip=address or (view.ip if want.desired == "stop" else None),
        containers=containers,
        ready={one.name: one.name in ready for one in want.group.containers or () if one.readiness_probe},
    )
