"""Decides what the results of a probe mean for a container.  Pure; `service.control.prober` keeps the time.

The rules are the kubelet's, and so are the numbers where a probe names none: no delay, every 10 s, at most 1 s for an
answer, 3 failures in a row are bad, 1 success is good.  A container counts as live and as not ready until its probe
says otherwise.
"""

from __future__ import annotations

from msgspec import Struct

from ...models import Container, ContainerProbe
from .spec import AnyContainer

LIVENESS, READINESS = "Liveness", "Readiness"
_LONGEST_OUTPUT = 1024


class Check(Struct, frozen=True, kw_only=True):
    """One probe of a container, with all its numbers; times in seconds."""

    kind: str
    """Liveness or Readiness."""
    ask: ContainerProbe
    delay: int = 0
    period: int = 10
    timeout: int = 1
    failures: int = 3
    """Failures in a row after which it is bad."""
    successes: int = 1
    """Successes in a row after which it is good again."""


class Pulse(Struct, frozen=True, kw_only=True):
    """How a probe stands."""

    good: bool
    last: bool | None = None
    """The newest result; None before the first."""
    row: int = 0
    """How many results in a row were like the newest."""


def checks(container: AnyContainer) -> list[Check]:
    """Give the probes of a container; an init container has none."""
    if not isinstance(container, Container):
        return []
    found = []
    for kind, probe in ((LIVENESS, container.liveness_probe), (READINESS, container.readiness_probe)):
        if probe is not None:
            found.append(
                Check(
                    kind=kind,
                    ask=probe,
                    delay=probe.initial_delay_seconds or 0,
                    period=probe.period_seconds or 10,
                    timeout=probe.timeout_seconds or 1,
                    failures=probe.failure_threshold or 3,
                    successes=probe.success_threshold or 1,
                )
            )
    return found


def begin(check: Check) -> Pulse:
    """Give the state before the first result."""
    return Pulse(good=check.kind == LIVENESS)


def after(check: Check, pulse: Pulse, ok: bool) -> Pulse:
    """Give the state after one more result."""
    row = pulse.row + 1 if pulse.last is ok else 1
    enough = row >= (check.successes if ok else check.failures)
    return Pulse(good=ok if enough else pulse.good, last=ok, row=row)


def complaint(check: Check, output: str) -> str:
    """Say that a probe failed, as an event does."""
    return f"{check.kind} probe failed: {output.strip()[:_LONGEST_OUTPUT]}"
