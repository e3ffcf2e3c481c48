"""Offers the asynchronous clients, under the names that `hythe` has for the synchronous ones.

One thing differs from Microsoft's package besides ``await``: nothing runs in the background, so a poller asks the
service inside ``await poller.done()``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..client import clouds
from ..client._async.connecting import connect, discover_cloud
from ..client._async.container_instances import ContainerInstanceManagementClient
from ..client._async.credentials import CertificateCredential, ClientSecretCredential, StaticTokenCredential
from ..client._async.poller import AzureOperationPoller
from ..client._async.price_list import refresh_prices
from ..client._async.resources import ResourceManagementClient
from ..client._async.surroundings import (
    AzureCliCredential,
    DefaultCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
)
from ..client.auth_file import get_client_from_auth_file

if TYPE_CHECKING:
    from . import operations

LROPoller = AzureOperationPoller
AsyncLROPoller = AzureOperationPoller

__all__ = [
    "AsyncLROPoller",
    "AzureCliCredential",
    "AzureOperationPoller",
    "CertificateCredential",
    "ClientSecretCredential",
    "ContainerInstanceManagementClient",
    "DefaultCredential",
    "EnvironmentCredential",
    "LROPoller",
    "ManagedIdentityCredential",
    "ResourceManagementClient",
    "StaticTokenCredential",
    "clouds",
    "connect",
    "discover_cloud",
    "get_client_from_auth_file",
    "operations",
    "refresh_prices",
]


def __getattr__(name: str) -> object:
    """Load the groups of operations, which few programs name."""
    if name == "operations":
        return import_module(".operations", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
