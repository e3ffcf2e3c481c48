"""What is asked of running containers and of a location: logs, commands, usage, operations.

Source: the REST contract of Microsoft.ContainerInstance, api-version 2026-07-01.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ._base import Model


class Logs(Model, kw_only=True):
    """What a container wrote, stdout and stderr together."""

    content: str | None = None


class ContainerExecRequestTerminalSize(Model, kw_only=True):
    """Size of a terminal, in characters."""

    rows: int | None = None
    cols: int | None = None


class ContainerExecRequest(Model, kw_only=True):
    """A command to run in a container."""

    command: str | None = None
    terminal_size: ContainerExecRequestTerminalSize | None = None


class ContainerExecResponse(Model, kw_only=True):
    """Where the session is, and its password: the first text frame to send."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"password"})

    web_socket_uri: str | None = None
    password: str | None = None


class ContainerAttachResponse(Model, kw_only=True):
    """Where the output of a container can be read, and the password for it."""

    __secrets__: ClassVar[frozenset[str]] = frozenset({"password"})

    web_socket_uri: str | None = None
    password: str | None = None


class UsageName(Model, kw_only=True):
    """Name of a quota."""

    value: str | None = None
    localized_value: str | None = None


class Usage(Model, kw_only=True):
    """How much of a quota is used."""

    id: str | None = None
    unit: str | None = None
    current_value: int | None = None
    limit: int | None = None
    name: UsageName | None = None


class UsageListResult(Model, kw_only=True):
    """One page of usages."""

    value: list[Usage] | None = None
    next_link: str | None = None


class OperationDisplay(Model, kw_only=True):
    """An operation in words."""

    provider: str | None = None
    resource: str | None = None
    operation: str | None = None
    description: str | None = None


class Operation(Model, kw_only=True):
    """An operation that the provider offers."""

    name: str
    display: OperationDisplay
    properties: Any = None
    origin: str | None = None


class OperationListResult(Model, kw_only=True):
    """One page of operations."""

    value: list[Operation] | None = None
    next_link: str | None = None
