"""One run of a probe: requests to real sockets of this process, commands to a pretended containerd."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.base import Lost, Transient
from hythe.engines.containerd import probing
from hythe.engines.containerd.proto import cri_pb2 as cri
from hythe.engines.containerd.rpc import NotFound
from hythe.engines.offers import Checked
from hythe.models import ContainerExec, ContainerHttpGet, ContainerProbe, HttpHeader
from hythe.service.identity import tls


class Serving:
    port = 0
    asked = b""


@asynccontextmanager
async def serving(answer: bytes | None, context: ssl.SSLContext | None = None) -> AsyncIterator[Serving]:
    """Give one answer to everybody; None to say nothing."""
    held = Serving()
    silent = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.asked = await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await silent.wait()
        writer.write(answer or b"")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    held.port = server.sockets[0].getsockname()[1]
    try:
        yield held
    finally:
        silent.set()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)


async def get(port: int, *, seconds: float = 20, **more: Any) -> Checked:
    probe = ContainerProbe(http_get=ContainerHttpGet(port=port, **more))
    return await probing.run(None, "id", "127.0.0.1", probe, seconds)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "ok", "output"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", True, ""),
        (b"HTTP/1.0 204 No Content\r\n\r\n", True, ""),
        (b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n", True, ""),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", False, "HTTP probe failed with statuscode: 404"),
        (b"HTTP/1.1 500 Oh\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", False,
         "HTTP probe failed with statuscode: 500"),
        (b"SSH-2.0-OpenSSH\r\n", False, "the answer is not HTTP"),
        (b"", False, "the connection was closed without an answer"),
    ],
)  # fmt: skip
async def test_answers(answer: bytes, ok: bool, output: str) -> None:
    async with serving(answer) as server:
        found = await get(server.port)

    assert found.ok is ok
    assert found.output.startswith(output)


async def test_path_and_headers_are_those_of_the_probe() -> None:
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n") as server:
        await get(
            server.port,
            path="health?a=b",
            http_headers=[HttpHeader(name="host", value="x.example"), HttpHeader(name="A")],
        )

    lines = server.asked.decode().split("\r\n")
    assert lines[0] == "GET /health?a=b HTTP/1.1"
    assert "Host: x.example" in lines and "A: " in lines
    assert sum(line.lower().startswith("host:") for line in lines) == 1


async def test_silence_and_refusal_are_failures() -> None:
    async with serving(None) as server:
        late = await get(server.port, seconds=0.05)
    refused = await get(server.port)

    assert (late.ok, late.output) == (False, "no answer within 0.05 s")
    assert refused.ok is False and refused.output


async def test_a_certificate_is_not_checked(tmp_path: Path) -> None:
    files = tls.server_files(tmp_path, ())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certfile, files.keyfile)
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n", context) as server:
        secure = await get(server.port, scheme="https")
        plain = await get(server.port, scheme="http")

    assert secure.ok is True
    assert plain.ok is False


class Containerd:
    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self._answer = answer

    async def call(self, method: str, request: Any, answer: Any, timeout: float) -> Any:
        return self._answer(request)


def fails(error: Exception) -> Callable[[Any], Any]:
    def answer(_: Any) -> Any:
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda _: cri.ExecSyncResponse(exit_code=0, stdout=b"fine"), Checked(ok=True, output="fine")),
        (lambda _: cri.ExecSyncResponse(exit_code=1, stdout=b"a", stderr=b"b"), Checked(ok=False, output="ab")),
        (lambda _: cri.ExecSyncResponse(exit_code=3), Checked(ok=False, output="the command ended with code 3")),
        (fails(Transient("timeout 1s exceeded")), Checked(ok=False, output="timeout 1s exceeded")),
        (fails(NotFound("no such container")), Checked(ok=None)),
        (fails(Lost("containerd does not answer")), Checked(ok=None)),
        (fails(Transient("container is in CONTAINER_EXITED state")), Checked(ok=None)),
    ],
)
async def test_commands(answer: Callable[[Any], Any], found: Checked) -> None:
    ask = ContainerProbe(exec_=ContainerExec(command=["test", "-e", "/x"]))

    assert await probing.run(Containerd(answer), "id", None, ask, 1) == found  # type: ignore[arg-type]
