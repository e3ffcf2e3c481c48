"""Reads what a container wrote, and opens sessions into it."""

from __future__ import annotations

from collections.abc import Mapping

from hythe.client.documents import Body, decode, encode
from hythe.models import ContainerExecRequest, ContainerExecRequestTerminalSize, ContainerExecResponse, Logs
from hythe.wire.ids import PROVIDER

from .session import Session


class ContainersOperations:
    """Is ``client.containers``, and by its older name ``client.container``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_logs(
        self,
        resource_group_name: str,
        container_group_name: str,
        container_name: str,
        tail: int | None = None,
        timestamps: bool | None = None,
    ) -> Logs:
        """Return what the container wrote: all that is kept, or its last ``tail`` lines, each with its time or not."""
        query: dict[str, str] = {}
        if tail is not None:
            query["tail"] = str(tail)
        if timestamps is not None:
            query["timestamps"] = "true" if timestamps else "false"
        doing = f"read the log of container {container_name!r} in group {container_group_name!r}"
        url = self._url(resource_group_name, container_group_name, container_name, "logs", query=query)
        response = await self._session.send("GET", url, doing=doing)
        return decode(Logs, response.body, doing)

    async def execute_command(
        self,
        resource_group_name: str,
        container_group_name: str,
        container_name: str,
        container_exec_request: Body | None = None,
        *,
        command: str | None = None,
        terminal_size: ContainerExecRequestTerminalSize | None = None,
    ) -> ContainerExecResponse:
        """Begin a command in a running container; the answer names a websocket and the password for it.

        Give a `ContainerExecRequest`, or its parts as ``command`` and ``terminal_size``.
        """
        if container_exec_request is None:
            container_exec_request = ContainerExecRequest(command=command, terminal_size=terminal_size)
        doing = f"run a command in container {container_name!r} of group {container_group_name!r}"
        url = self._url(resource_group_name, container_group_name, container_name, "exec")
        response = await self._session.send("POST", url, doing=doing, body=encode(container_exec_request))
        return decode(ContainerExecResponse, response.body, doing)

    async def attach(
        self, resource_group_name: str, container_group_name: str, container_name: str
    ) -> ContainerExecResponse:
        """Attach to the output of a container; the answer names a websocket and the password for it."""
        doing = f"attach to container {container_name!r} of group {container_group_name!r}"
        url = self._url(resource_group_name, container_group_name, container_name, "attach")
        response = await self._session.send("POST", url, doing=doing)
        return decode(ContainerExecResponse, response.body, doing)

    def _url(
        self, resource_group: str, group: str, container: str, verb: str, query: Mapping[str, str] | None = None
    ) -> str:
        return self._session.url(
            "resourceGroups", resource_group, "providers", PROVIDER, "containerGroups", group, "containers", container,
            verb, query=query,
        )  # fmt: skip
