"""Is the pytest plugin: fixtures that give a service on simulated containers, and a marker that scripts it.

::

    @pytest.mark.hythe(outcomes={"task": Outcome(runs_for=0.1, exit_code=3, log="no disk\\n")})
    def test_reports_failures(hythe_service):
        ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hythe import ContainerInstanceManagementClient

    from . import RunningService


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", "hythe(outcomes=None, backoff_seconds=0.05): what the containers of hythe_service do"
    )


@pytest.fixture
def hythe_service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningService]:
    """Give a service of its own to a test, and set the environment so that Hythe's and Microsoft's libraries find it.

    The marker ``hythe`` takes the arguments of `hythe.testing.running_service`.
    """
    try:
        from . import running_service
    except ModuleNotFoundError as why:
        pytest.fail(f"cannot run a service: {why}. Install it with: pip install 'hythe[service]'")
    marker = request.node.get_closest_marker("hythe")
    with running_service(*(marker.args if marker else ()), **(marker.kwargs if marker else {})) as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        yield service


@pytest.fixture
def hythe_client(hythe_service: RunningService) -> Iterator[ContainerInstanceManagementClient]:
    """Give a client of Hythe's library for the service."""
    with hythe_service.client() as client:
        yield client
