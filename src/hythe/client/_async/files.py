"""Copies files and folders into containers that run, and out of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hythe.client import archives
from hythe.client.archives import Local
from hythe.errors import NotOffered

from ._sockets import read_block

if TYPE_CHECKING:
    from .container_instances import ContainerInstanceManagementClient


class ContainerFiles:
    """Is where the files of one container are."""

    def __init__(
        self, client: ContainerInstanceManagementClient, resource_group: str, group: str, container: str
    ) -> None:
        self._session = client._session
        self._path = client.containers._container(resource_group, group, container, "archive")
        self._what = f"container {container!r} of group {group!r}"

    async def copy_in(self, source: Local, target: str) -> None:
        """Copy a file or folder of this machine into the container; see `Group.copy_in`."""
        doing = f"copy {str(source)!r} into {self._what}"
        self._check(doing)
        folder, name = archives.place(target, source)
        with archives.pack(source, name) as archive:
            answer = await self._session.open("PUT", self._url(folder), doing=doing, content=_blocks(archive))
            await answer.close()

    async def copy_out(self, source: str, target: Local) -> Path:
        """Copy a file or folder of the container to this machine; see `Group.copy_out`."""
        doing = f"copy {source!r} out of {self._what}"
        self._check(doing)
        with archives.spool() as archive:
            answer = await self._session.open("GET", self._url(source), doing=doing)
            try:
                async for block in answer.blocks():
                    archive.write(block)
            finally:
                await answer.close()
            return archives.unpack(archive, source, target)

    def _url(self, path: str) -> str:
        return self._session.url(*self._path, query={"path": path})

    def _check(self, doing: str) -> None:
        if self._session.is_azure:
            raise NotOffered(f"cannot {doing}: Azure has no way to do that. Mount a file share, or use exec().")


async def _blocks(file: IO[bytes]) -> AsyncIterator[bytes]:
    while block := await read_block(file):
        yield block
