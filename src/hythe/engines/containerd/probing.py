"""Runs one probe: a command in a container, or a request to the group's address."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import httptools

from ...models import ContainerHttpGet, ContainerProbe
from ..base import EngineError, Lost
from ..offers import Checked
from .proto import cri_pb2 as cri
from .rpc import Containerd, NotFound

_CALL_SLACK = 3.0
_MOST_BODY = 10 << 10
_GOOD = range(200, 400)


async def run(
    containerd: Containerd, container: str, address: str | None, ask: ContainerProbe, seconds: float
) -> Checked:
    """Run a probe once; its own time-out counts as a failure."""
    if ask.exec_ is not None:
        return await _command(containerd, container, ask.exec_.command or [], seconds)
    if ask.http_get is None or address is None:
        return Checked(ok=None)
    try:
        async with asyncio.timeout(seconds):
            return await _request(address, ask.http_get)
    except TimeoutError:
        return Checked(ok=False, output=f"no answer within {seconds:g} s")
    except (OSError, ValueError) as error:
        return Checked(ok=False, output=str(error) or type(error).__name__)


async def _command(containerd: Containerd, container: str, command: list[str], seconds: float) -> Checked:
    request = cri.ExecSyncRequest(container_id=container, cmd=command, timeout=max(1, round(seconds)))
    try:
        answer = await containerd.call("ExecSync", request, cri.ExecSyncResponse, timeout=seconds + _CALL_SLACK)
    except (NotFound, Lost):
        return Checked(ok=None)
    except EngineError as error:
        text = str(error)
        if "CONTAINER_EXITED" in text or "not running" in text:
            return Checked(ok=None)  # it ended meanwhile: its restart policy decides
        return Checked(ok=False, output=text)
    output = (answer.stdout + answer.stderr)[:_MOST_BODY].decode(errors="replace")
    return Checked(ok=answer.exit_code == 0, output=output or f"the command ended with code {answer.exit_code}")


class _Reader:
    """Collects what httptools finds in an answer."""

    def __init__(self) -> None:
        self.body = b""
        self.done = False

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.done = True


async def _request(address: str, ask: ContainerHttpGet) -> Checked:
    """Ask for a page.  Certificates are not checked, and redirects not followed: any answer of 200 to 399 is good."""
    secure = (ask.scheme or "http").lower() == "https"
    context: ssl.SSLContext | None = None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the machine's authorities: reading them takes long
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection, writer = await asyncio.open_connection(address, ask.port, ssl=context)
    reader = _Reader()
    parser = httptools.HttpResponseParser(reader)
    status = 0
    try:
        writer.write(_written(address, ask))
        while not reader.done and len(reader.body) < _MOST_BODY:
            data = await connection.read(_MOST_BODY)
            if not data:
                break
            parser.feed_data(data)
            status = parser.get_status_code() or status
    except httptools.HttpParserError as error:
        return Checked(ok=False, output=f"the answer is not HTTP: {error}")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    if not status:
        return Checked(ok=False, output="the connection was closed without an answer")
    ok = status in _GOOD
    return Checked(ok=ok, output="" if ok else f"HTTP probe failed with statuscode: {status}")


def _written(address: str, ask: ContainerHttpGet) -> bytes:
    """Write the request; the path and headers were checked for line breaks when the group was made."""
    path = ask.path or "/"
    lines = [f"GET {path if path.startswith('/') else '/' + path} HTTP/1.1"]
    headers = {"Host": f"{address}:{ask.port}", "User-Agent": "hythe-probe", "Accept": "*/*", "Connection": "close"}
    named = {name.lower(): name for name in headers}
    for header in ask.http_headers or ():
        name = header.name or ""
        headers[named.get(name.lower(), name)] = header.value or ""
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8")
