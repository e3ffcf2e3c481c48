"""Reads what a container wrote, and opens sessions into it."""

from __future__ import annotations

from typing import Unpack

from hythe.client.options import CallOptions
from hythe.models import (
    ContainerAttachResponse,
    ContainerExecRequest,
    ContainerExecRequestTerminalSize,
    ContainerExecResponse,
    Logs,
)

from .operation_group import Given, OperationGroup, Path


class ContainersOperations(OperationGroup):
    """Is ``client.containers``, and by its older name ``client.container``."""

    async def list_logs(
        self,
        resource_group_name: str,
        container_group_name: str,
        container_name: str,
        tail: int | None = None,
        timestamps: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> Logs:
        """Return what the container wrote: all that is kept, or its last ``tail`` lines, each with its time or not.

        Operation ``Containers_ListLogs``.
        """
        query: dict[str, str] = {}
        if tail is not None:
            query["tail"] = str(tail)
        if timestamps is not None:
            query["timestamps"] = "true" if timestamps else "false"
        doing = f"read the log of container {container_name!r} in group {container_group_name!r}"
        path = self._container(resource_group_name, container_group_name, container_name, "logs")
        return await self._read(Logs, path, doing, options, query)

    async def execute_command(
        self,
        resource_group_name: str,
        container_group_name: str,
        container_name: str,
        container_exec_request: Given | str | None = None,
        terminal_size: ContainerExecRequestTerminalSize | None = None,
        *,
        command: str | None = None,
        **options: Unpack[CallOptions],
    ) -> ContainerExecResponse:
        """Begin a command in a running container; the answer names a websocket and the password for it.

        Give a `ContainerExecRequest`, or (the form of 1.x) a command and a terminal size.

        Operation ``Containers_ExecuteCommand``.
        """
        if container_exec_request is None or isinstance(container_exec_request, str):
            container_exec_request = ContainerExecRequest(
                command=command or container_exec_request, terminal_size=terminal_size
            )
        doing = f"run a command in container {container_name!r} of group {container_group_name!r}"
        path = self._container(resource_group_name, container_group_name, container_name, "exec")
        return await self._write(
            "POST", ContainerExecResponse, path, container_exec_request, doing, options, accepts=ContainerExecRequest
        )

    async def attach(
        self,
        resource_group_name: str,
        container_group_name: str,
        container_name: str,
        **options: Unpack[CallOptions],
    ) -> ContainerAttachResponse:
        """Attach to the output of a container; the answer names a websocket and the password for it.

        Operation ``Containers_Attach``.
        """
        doing = f"attach to container {container_name!r} of group {container_group_name!r}"
        path = self._container(resource_group_name, container_group_name, container_name, "attach")
        return await self._ask("POST", ContainerAttachResponse, path, doing, options)

    def _container(self, resource_group: str, group: str, container: str, verb: str) -> Path:
        return self._path(resource_group, "containerGroups", group, "containers", container, verb)
