"""Gives a service on simulated containers to tests of anybody's code for container groups.

`running_service` is a context manager; the pytest plugin, which pytest finds by itself, gives the same as the
fixtures ``hythe_service`` and ``hythe_client``.  Needs ``pip install 'hythe[service]'``, and neither Azure, nor
containers, nor root.
"""

from __future__ import annotations

from hythe.engines.sim import Outcome
from hythe.engines.sim_streams import Scripted

from .service import RunningService, running_service

__all__ = ["Outcome", "RunningService", "Scripted", "running_service"]
