"""Turns what an engine says into what the API says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...engines.base import EngineError, Refused, Unsupported
from ...wire import faults
from ...wire.faults import Fault
from ..store import Row

_STATUS = {
    "ContainerNotRunning": 409,
    "GroupNotRunning": 409,
    "NoInput": 409,
    "CopyFailed": 409,
    "PathNotFound": 404,
    "InvalidArchive": 400,
    "ArchiveTooLarge": 413,
    "PortNotReached": 502,
}


def not_running(container: str, group: str) -> Fault:
    """Report a container that does not run."""
    return Fault(
        409,
        "ContainerNotRunning",
        f"The container '{container}' of container group '{group}' does not run. Start the group, or look at the "
        "container's instance view to see why it has ended.",
    )


def unsupported(engine: object, what: str) -> Fault:
    """Report an engine that can't do something."""
    return Fault(501, "NotSupported", f"The engine '{getattr(engine, 'name', '?')}' of this service has no {what}.")


@contextmanager
def told(row: Row, container: str = "") -> Iterator[None]:
    """Raise an engine's errors as faults."""
    try:
        yield
    except Refused as error:
        if error.reason == "ContainerNotRunning":
            raise not_running(container, row.name) from None
        if error.reason == "LogNotAvailable":
            raise faults.log_not_available(container, row.name) from None
        sentence = str(error)
        raise Fault(_STATUS.get(error.reason, 409), error.reason, sentence[:1].upper() + sentence[1:]) from None
    except Unsupported as error:
        raise Fault(501, "NotSupported", str(error)) from None
    except EngineError as error:
        raise Fault(503, "ServiceUnavailable", f"The engine can't do that now: {error}") from None
