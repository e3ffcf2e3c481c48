"""Drives container groups, on Hythe or on Azure: clients, credentials, models, errors.

Each name is loaded when it is first used, so that ``import hythe`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import aio, errors, models, operations
    from .client import clouds
    from .client._sync.connecting import connect, discover_cloud
    from .client._sync.container_instances import ContainerInstanceManagementClient
    from .client._sync.credentials import CertificateCredential, ClientSecretCredential, StaticTokenCredential
    from .client._sync.poller import AzureOperationPoller
    from .client._sync.poller import AzureOperationPoller as LROPoller
    from .client._sync.price_list import refresh_prices
    from .client._sync.resources import ResourceManagementClient
    from .client._sync.surroundings import (
        AzureCliCredential,
        DefaultCredential,
        EnvironmentCredential,
        ManagedIdentityCredential,
    )
    from .client.auth_file import get_client_from_auth_file
    from .client.changes import Plan
    from .client.compose import from_compose
    from .client.definitions import read_definition
    from .client.exec_frames import ExecResult
    from .client.log_cursor import LogLine
    from .client.outcomes import RunResult
    from .client.pods import from_pod
    from .client.pods_out import to_pod
    from .client.prices import estimate
    from .client.usage import ContainerUsage, GroupUsage

__all__ = [
    "AzureCliCredential",
    "AzureOperationPoller",
    "CertificateCredential",
    "ClientSecretCredential",
    "ContainerInstanceManagementClient",
    "ContainerUsage",
    "DefaultCredential",
    "EnvironmentCredential",
    "ExecResult",
    "GroupUsage",
    "LROPoller",
    "LogLine",
    "ManagedIdentityCredential",
    "Plan",
    "ResourceManagementClient",
    "RunResult",
    "StaticTokenCredential",
    "__version__",
    "aio",
    "clouds",
    "connect",
    "discover_cloud",
    "errors",
    "estimate",
    "from_compose",
    "from_pod",
    "get_client_from_auth_file",
    "models",
    "operations",
    "read_definition",
    "refresh_prices",
    "to_pod",
]

_MODULES = {
    "AzureCliCredential": "client._sync.surroundings",
    "AzureOperationPoller": "client._sync.poller",
    "CertificateCredential": "client._sync.credentials",
    "ClientSecretCredential": "client._sync.credentials",
    "ContainerInstanceManagementClient": "client._sync.container_instances",
    "ContainerUsage": "client.usage",
    "DefaultCredential": "client._sync.surroundings",
    "EnvironmentCredential": "client._sync.surroundings",
    "ExecResult": "client.exec_frames",
    "GroupUsage": "client.usage",
    "LROPoller": "client._sync.poller",
    "LogLine": "client.log_cursor",
    "ManagedIdentityCredential": "client._sync.surroundings",
    "Plan": "client.changes",
    "ResourceManagementClient": "client._sync.resources",
    "RunResult": "client.outcomes",
    "StaticTokenCredential": "client._sync.credentials",
    "connect": "client._sync.connecting",
    "discover_cloud": "client._sync.connecting",
    "estimate": "client.prices",
    "from_compose": "client.compose",
    "from_pod": "client.pods",
    "get_client_from_auth_file": "client.auth_file",
    "read_definition": "client.definitions",
    "refresh_prices": "client._sync.price_list",
    "to_pod": "client.pods_out",
}
_ALIASES = {"LROPoller": "AzureOperationPoller"}


def __getattr__(name: str) -> object:
    """Load a public name."""
    if name in ("aio", "errors", "models", "operations"):
        return import_module(f".{name}", __name__)
    if name == "clouds":
        return import_module(".client.clouds", __name__)
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), _ALIASES.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what is public."""
    return __all__
