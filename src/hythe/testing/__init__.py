"""Gives a service on simulated containers to tests of anybody's code for container groups.

`running_service` is a context manager; the pytest plugin, which pytest finds by itself, gives the same as the
fixtures ``hythe_service`` and ``hythe_client``.  Needs ``pip install 'hythe[service]'``, and neither Azure, nor
containers, nor root.  Each name is loaded when it is first used: the plugin costs nothing where it is not used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hythe.engines.sim import Outcome
    from hythe.engines.sim_streams import Scripted

    from .service import RunningService, running_service

__all__ = ["Outcome", "RunningService", "Scripted", "running_service"]

_MODULES = {
    "Outcome": "hythe.engines.sim",
    "RunningService": "hythe.testing.service",
    "Scripted": "hythe.engines.sim_streams",
    "running_service": "hythe.testing.service",
}


def __getattr__(name: str) -> object:
    """Load a public name."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Name what is public."""
    return __all__
