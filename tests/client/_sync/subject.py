"""Names what is tested, in its synchronous form; the asynchronous twin is written by hand too."""

from __future__ import annotations

import time

import pytest

from hythe import (
    AzureCliCredential,
    AzureOperationPoller,
    CertificateCredential,
    ClientSecretCredential,
    ContainerInstanceManagementClient,
    DefaultCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    ResourceManagementClient,
    StaticTokenCredential,
    connect,
    discover_cloud,
    get_client_from_auth_file,
)
from hythe.client._sync._io import Clock, close
from hythe.client._sync.price_list import refresh_prices
from hythe.client._sync.sessions import open_command
from hythe.client._sync.transport import HttpTransport
from hythe.client.transport import Request, Response
from hythe.testing import RunningService

from ..script import BASE, SUBSCRIPTION, Line, Script, Time

__all__ = [
    "AzureCliCredential", "AzureOperationPoller", "CertificateCredential", "ClientSecretCredential",
    "ContainerInstanceManagementClient", "DefaultCredential", "EnvironmentCredential", "FakeClock", "FakeTransport",
    "HttpTransport", "ManagedIdentityCredential", "ResourceManagementClient", "StaticTokenCredential", "client",
    "clocked", "close", "connect", "discover_cloud", "get_client_from_auth_file", "nap", "open_command", "pytestmark",
    "refresh_prices", "resource_client", "served",
]  # fmt: skip

pytestmark: list[pytest.MarkDecorator] = []


class FakeTransport(Script):
    """Plays a script as a transport."""

    def send(self, request: Request) -> Response:
        """Answer from the script."""
        return self.play(request)

    def close(self) -> None:
        """Count."""
        self.closed += 1


class FakeClock(Time, Clock):
    """Sleeps at once."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.pass_by(seconds)


def clocked(made: ContainerInstanceManagementClient | ResourceManagementClient) -> FakeClock:
    """Give a client a clock that stands still."""
    clock = FakeClock()
    made._session.clock = clock
    return clock


def client(*lines: Line) -> tuple[ContainerInstanceManagementClient, FakeTransport, FakeClock]:
    """Make a client that talks to a script."""
    transport = FakeTransport(*lines)
    made = ContainerInstanceManagementClient(StaticTokenCredential("t0ken"), SUBSCRIPTION, BASE, transport=transport)
    return made, transport, clocked(made)


def resource_client(*lines: Line) -> tuple[ResourceManagementClient, FakeTransport]:
    """Make a client for resource groups that talks to a script."""
    transport = FakeTransport(*lines)
    made = ResourceManagementClient(StaticTokenCredential("t0ken"), SUBSCRIPTION, BASE, transport=transport)
    clocked(made)
    return made, transport


def served(service: RunningService) -> ContainerInstanceManagementClient:
    """Make a client for a real service on simulated containers."""
    return service.client()


def nap(seconds: float) -> None:
    """Let others do something."""
    time.sleep(seconds)
