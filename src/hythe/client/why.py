"""Explains in one paragraph why a group is not running, from its states, events and logs.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hythe.models import Container, ContainerGroup, ContainerState, Event, InitContainerDefinition

_SHOWN_LINES = 3
_SIGNAL = 128
_SIGNALS = {137: "killed (SIGKILL): often out of memory", 139: "it crashed (SIGSEGV)", 143: "told to stop (SIGTERM)"}


def explain(group: ContainerGroup, logs: Mapping[str, str]) -> str:
    """Say how a group is, and if it does not run, why: ``logs`` are the ends of its containers' logs, by name."""
    name = group.name or "the group"
    state = group.instance_view.state if group.instance_view else None
    said = [_of_container(each, logs) for each in (*(group.init_containers or ()), *(group.containers or ()))]
    reasons = [one for one in said if one]
    warnings = _warnings(group.instance_view.events if group.instance_view else None)
    if group.provisioning_state == "Failed" and not reasons and not warnings:
        reasons = ["its last operation failed and left no event"]
    if not reasons and not warnings:
        return f"Group {name!r} is {state or group.provisioning_state or 'unknown'}; nothing is wrong with it."
    return " ".join([f"Group {name!r} is {state or group.provisioning_state or 'unknown'}:", *reasons, *warnings])


def _of_container(container: Container | InitContainerDefinition, logs: Mapping[str, str]) -> str | None:
    view = container.instance_view
    if view is None or view.current_state is None:
        return None
    warnings = _warnings(view.events)
    ended = _end(view.current_state) or (_end(view.previous_state) if _waits(view.current_state) else None)
    if ended is None and not _waits(view.current_state):
        return None  # it runs, or has ended well
    restarts = f" It was restarted {view.restart_count} times." if view.restart_count else ""
    waiting = view.current_state.detail_status if _waits(view.current_state) else ""
    parts = [f"container {container.name!r} ({container.image})"]
    parts.append(f"{ended}" if ended else f"waits{': ' + waiting if waiting else ', and no event says for what'}")
    text = " ".join(parts) + (f"; now it waits: {waiting}" if ended and waiting else "") + "." + restarts
    lines = [line for line in logs.get(container.name, "").splitlines() if line.strip()][-_SHOWN_LINES:]
    if lines:
        text += f" Its log ends with: {' | '.join(line.strip() for line in lines)}."
    return " ".join([text, *warnings])


def _waits(state: ContainerState) -> bool:
    return state.state == "Waiting"


def _end(state: ContainerState | None) -> str | None:
    """Say how a container ended, unless it ended well or has not ended."""
    if state is None or state.state != "Terminated":
        return None
    if state.exit_code is None:
        return f"was stopped ({state.detail_status})" if state.detail_status else "was stopped"
    if state.exit_code == 0:
        return None
    meaning = _SIGNALS.get(state.exit_code, "")
    detail = state.detail_status if state.detail_status not in (None, "", "Error", "Completed") else ""
    extra = "; ".join(part for part in (detail, meaning) if part)
    return f"ended with exit code {state.exit_code}{f' ({extra})' if extra else ''}"


def _warnings(events: Sequence[Event] | None) -> list[str]:
    """Write the newest of each kind of warning."""
    newest: dict[str, str] = {}
    for event in events or ():
        if event.type == "Warning" and event.message:
            times = f" ({event.count} times)" if event.count and event.count > 1 else ""
            newest[event.name or ""] = f"{event.name}: {event.message.rstrip('.')}{times}."
    return list(newest.values())
