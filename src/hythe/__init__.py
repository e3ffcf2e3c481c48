"""Drives container groups, on Hythe or on Azure: clients, credentials, models, errors.

Each name is loaded when it is first used, so that ``import hythe`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import aio, errors, models
    from .client._sync.container_instances import ContainerInstanceManagementClient
    from .client._sync.credentials import ClientSecretCredential, StaticTokenCredential
    from .client._sync.poller import AzureOperationPoller
    from .client._sync.poller import AzureOperationPoller as LROPoller
    from .client._sync.resources import ResourceManagementClient
    from .client.auth_file import get_client_from_auth_file

__all__ = [
    "AzureOperationPoller",
    "ClientSecretCredential",
    "ContainerInstanceManagementClient",
    "LROPoller",
    "ResourceManagementClient",
    "StaticTokenCredential",
    "__version__",
    "aio",
    "errors",
    "get_client_from_auth_file",
    "models",
]

_MODULES = {
    "AzureOperationPoller": "client._sync.poller",
    "ClientSecretCredential": "client._sync.credentials",
    "ContainerInstanceManagementClient": "client._sync.container_instances",
    "LROPoller": "client._sync.poller",
    "ResourceManagementClient": "client._sync.resources",
    "StaticTokenCredential": "client._sync.credentials",
    "get_client_from_auth_file": "client.auth_file",
}
_ALIASES = {"LROPoller": "AzureOperationPoller"}


def __getattr__(name: str) -> object:
    """Load a public name."""
    if name in ("aio", "errors", "models"):
        return import_module(f".{name}", __name__)
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), _ALIASES.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what is public."""
    return __all__
