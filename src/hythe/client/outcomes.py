"""Holds what the calls for whole tasks return, and reads states from a group.  Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from hythe.models import Container, ContainerGroup, ContainerState

ENDS = frozenset({"Succeeded", "Failed", "Stopped"})
"""States of a group in which nothing runs any more."""


class RunResult(Struct, frozen=True, kw_only=True):
    """What became of a command that was run in a group of its own."""

    name: str
    exit_code: int | None
    """None if it was stopped before it ended."""
    log: str
    """What it wrote, stdout and stderr together, as far as the service keeps it."""
    state: str
    detail: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    waited: float = 0.0
    """Seconds from the call to the end, with the pull of the image."""
    attempts: int = 1

    @property
    def ok(self) -> bool:
        """Tell whether it ended with exit code 0."""
        return self.exit_code == 0

    @property
    def duration(self) -> timedelta | None:
        """Give how long the command ran."""
        return self.finished - self.started if self.started and self.finished else None


def state_of(group: ContainerGroup) -> str:
    """Give the state of a group in a word; its operation's if that went wrong or goes on."""
    if group.provisioning_state in ("Failed", "Canceled"):
        return "Failed"
    state = group.instance_view.state if group.instance_view else None
    return state or group.provisioning_state or "Unknown"


def container_state(container: Container) -> ContainerState | None:
    """Give the present state of a container."""
    return container.instance_view.current_state if container.instance_view else None


def has_ended(group: ContainerGroup, container: Container) -> bool:
    """Tell whether a container will write no more: it ended, and nothing starts it again."""
    if state_of(group) in ENDS:
        return True
    state = container_state(container)
    if state is None or state.state != "Terminated":
        return False
    policy = group.restart_policy or "Always"
    return policy == "Never" or (policy == "OnFailure" and state.exit_code == 0)
