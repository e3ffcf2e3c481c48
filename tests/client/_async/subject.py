"""Names what is tested, in its asynchronous form; the synchronous twin is written by hand too."""

from __future__ import annotations

import asyncio

import pytest

from hythe.aio import (
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
from hythe.client._async._io import Clock, close
from hythe.client._async.price_list import refresh_prices
from hythe.client._async.sessions import open_command
from hythe.client._async.transport import HttpTransport
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

pytestmark = [pytest.mark.asyncio]


class FakeTransport(Script):
    """Plays a script as a transport."""

    async def send(self, request: Request) -> Response:
        """Answer from the script."""
        return self.play(request)

    async def close(self) -> None:
        """Count."""
        self.closed += 1


class FakeClock(Time, Clock):
    """Sleeps at once."""

    async def sleep(self, seconds: float) -> None:
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
    return service.async_client()


async def nap(seconds: float) -> None:
    """Let others do something."""
    await asyncio.sleep(seconds)
