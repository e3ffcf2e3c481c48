"""Copies files into and out of running containers: the work is done by `copier`, a program that can't leave them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ..base import Refused
from .rpc import Containerd
from .tasks import Oci, not_running, open_of

_PROGRAM = str(Path(__file__).with_name("copier.py"))
_CHUNK = 1 << 18


class _Said(Struct):
    reason: str
    message: str


@asynccontextmanager
async def _root(containerd: Containerd, identity: str, name: str) -> AsyncIterator[int]:
    """Open the root of a container as its first process sees it."""
    file = await open_of(containerd, identity, "root", os.O_PATH | os.O_DIRECTORY)
    if file is None:
        raise not_running(name)
    try:
        yield file
    finally:
        os.close(file)


@asynccontextmanager
async def _copier(root: int, what: str, path: str, limit: int, process: Oci) -> AsyncIterator[Any]:
    """Run the program; it is killed if the block ends before it does."""
    user = process.get("user", {})
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-B", _PROGRAM, what, str(root), path, str(limit),
        str(user.get("uid", 0)), str(user.get("gid", 0)),
        stdin=asyncio.subprocess.PIPE if what == "in" else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=(root,),
        env={"LC_ALL": "C.UTF-8"},
        cwd="/",
    )  # fmt: skip
    try:
        yield made
    finally:
        if made.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                made.kill()
            await made.wait()


async def _check(made: Any, container: str) -> None:
    """Raise what the program said if it failed."""
    said = await made.stderr.read()
    if await made.wait():
        try:
            why = msgspec.json.decode(said.splitlines()[-1], type=_Said)
        except (msgspec.DecodeError, IndexError):
            raise Refused("CopyFailed", f"the copy failed: {said.decode(errors='replace')[-500:]}", container) from None
        raise Refused(why.reason, f"cannot copy: {why.message}.", container)


async def copy_out(
    containerd: Containerd, identity: str, name: str, path: str, limit: int, process: Oci
) -> AsyncGenerator[bytes, None]:
    """Give the tar stream of a path."""
    async with (
        _root(containerd, identity, name) as root,
        _copier(root, "out", path, limit, process) as made,
    ):
        while block := await made.stdout.read(_CHUNK):
            yield block
        await _check(made, name)


async def copy_in(
    containerd: Containerd,
    identity: str,
    name: str,
    path: str,
    archive: AsyncIterator[bytes],
    limit: int,
    process: Oci,
) -> None:
    """Unpack a tar stream into a folder."""
    size = 0
    async with (
        _root(containerd, identity, name) as root,
        _copier(root, "in", path, limit, process) as made,
    ):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended early: `_check` says why
            async for block in archive:
                size += len(block)
                if size > limit:
                    raise Refused("ArchiveTooLarge", f"cannot copy: the archive has more than {limit} bytes.", name)
                made.stdin.write(block)
                await made.stdin.drain()
            made.stdin.close()
        await _check(made, name)
