"""Holds by hand how bytes are carried both ways: websockets, bodies that go on, ports of this machine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Self, TypeVar

from hythe.client.addresses import is_loopback
from hythe.client.request_log import LOGGER
from hythe.client.transport import Response
from hythe.errors import ConnectionFailed, HytheError

if TYPE_CHECKING:
    import logging
    import ssl

    import httpx2
    from websockets.asyncio.client import ClientConnection

__all__ = ["Forward", "Socket", "blocks_of", "both", "let_go", "listen", "merged", "open_socket", "read_block"]

T = TypeVar("T")

EOF = "eof"
"""Text frame that ends the sender's direction of a forwarded port."""
_CHUNK = 1 << 16
_ENDED = 1000
_HELD = 256
"""Most items that wait between those who are merged and who takes them."""


class Socket:
    """Is one open websocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.subprotocol: str | None = connection.subprotocol

    async def send(self, data: bytes | str) -> None:
        """Send a frame.  Raises `ConnectionFailed` if the service has closed."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(data)
        except ConnectionClosed as why:
            raise ConnectionFailed(f"cannot send: the service has closed ({why}).", reason="lost") from why

    async def receive(self) -> bytes | str | None:
        """Wait for a frame; None when the service has ended well.  Raises `ConnectionFailed` if it has not."""
        from websockets.exceptions import ConnectionClosed

        try:
            return await self._connection.recv()
        except ConnectionClosed as why:
            if why.rcvd is not None and why.rcvd.code == _ENDED:
                return None
            said = why.rcvd.reason or str(why) if why.rcvd is not None else str(why)
            raise ConnectionFailed(f"cannot go on: the service closed the session: {said}.", reason="lost") from why

    async def close(self) -> None:
        """Close; closed already is fine."""
        await self._connection.close()


async def open_socket(
    url: str,
    context: ssl.SSLContext | None,
    *,
    headers: Mapping[str, str],
    subprotocols: Sequence[str] = (),
    timeout: float = 30.0,
) -> Socket | Response:
    """Open a websocket, or return the answer with which it was refused.  Raises `ConnectionFailed`."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidProxy, InvalidStatus, InvalidURI, WebSocketException
    from websockets.typing import Subprotocol

    try:
        return Socket(
            await connect(
                url, ssl=context, additional_headers=headers, open_timeout=timeout, max_size=None, compression=None,
                subprotocols=[Subprotocol(name) for name in subprotocols] or None, ping_timeout=None, close_timeout=2.0,
                proxy=None if is_loopback(f"http{url[2:]}") else True, logger=_silent(),
            )
        )  # fmt: skip
    except InvalidStatus as why:
        answer = why.response
        named = {name.lower(): value for name, value in answer.headers.raw_items()}
        return Response(status=answer.status_code, headers=named, body=bytes(answer.body or b""))
    except (InvalidProxy, InvalidURI) as why:  # which say it all, a proxy's password too
        what = "the proxy that the environment names" if isinstance(why, InvalidProxy) else "this"
        raise ConnectionFailed(
            f"cannot open a session at {url.partition('?')[0]}: {what} has no valid address.", reason="refused"
        ) from None
    except (OSError, WebSocketException) as why:
        raise _unreachable(url, why) from why


def _silent() -> logging.Logger:
    """Give a logger for the library: its own would write tokens and passwords where all of a program is logged."""
    import logging

    log = logging.getLogger(f"{LOGGER}.websockets")
    log.disabled = True
    return log


def _warn(why: Exception) -> None:
    import logging

    logging.getLogger(LOGGER).warning("cannot forward a connection: %s", why)


def _unreachable(url: str, why: Exception) -> ConnectionFailed:
    import ssl

    where = url.partition("?")[0]
    if isinstance(why, ssl.SSLCertVerificationError):
        return ConnectionFailed(
            f"cannot trust {where}: {why.verify_message}. Name the file with its authority by ca=.", reason="untrusted"
        )
    return ConnectionFailed(
        f"cannot open a session at {where}: {str(why) or type(why).__name__}. Check that this port can be reached.",
        reason="timeout" if isinstance(why, TimeoutError) else "refused",
    )


async def blocks_of(answer: httpx2.Response) -> AsyncIterator[bytes]:
    """Iterate over a body as it comes."""
    async for block in answer.aiter_bytes():
        yield block


async def let_go(answer: httpx2.Response) -> None:
    """Close an answer whose body may not have been read to its end."""
    await answer.aclose()


async def read_block(file: IO[bytes]) -> bytes:
    """Read what a file has next, in a thread, so that the loop goes on."""
    return await asyncio.to_thread(file.read, _CHUNK)


async def both(first: Callable[[], Awaitable[T]], second: Callable[[], Awaitable[None]]) -> T:
    """Do two things at a time until the first has ended; what becomes of the second does not matter then."""
    task = asyncio.ensure_future(second())
    try:
        return await first()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def merged(sources: Sequence[Callable[[], AsyncGenerator[T, None]]]) -> AsyncIterator[T]:
    """Iterate over several things at a time, each item as it comes; the first error ends all."""
    queue: asyncio.Queue[T | BaseException | None] = asyncio.Queue(_HELD)

    async def carry(source: Callable[[], AsyncGenerator[T, None]]) -> None:
        end: BaseException | None = None
        try:
            async with contextlib.aclosing(source()) as items:
                async for item in items:
                    await queue.put(item)
        except Exception as why:
            end = why
        await queue.put(end)

    tasks = [asyncio.create_task(carry(source)) for source in sources]
    going = len(tasks)
    try:
        while going:
            item = await queue.get()
            if item is None:
                going -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Forward:
    """Is a port of this machine that leads into a group until it is closed; a context manager."""

    def __init__(self, server: asyncio.Server, carrying: set[asyncio.Task[None]]) -> None:
        self._server = server
        self._carrying = carrying
        self.host: str
        self.port: int
        self.host, self.port = server.sockets[0].getsockname()[:2]

    def __repr__(self) -> str:
        return f"Forward({self.host}:{self.port})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def wait(self) -> None:
        """Wait for ever, until this is cancelled."""
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Take no further connection, and end those that there are."""
        self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)


async def listen(host: str, port: int, reach: Callable[[], Awaitable[Socket]]) -> Forward:
    """Open a port of this machine; each connection to it goes on over a websocket that ``reach`` opens."""
    carrying: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is always served by a task
        carrying.add(task)
        try:
            await _carry(reader, writer, await reach())
        except asyncio.CancelledError:
            pass  # the end was asked for; raised here it would be logged as an error
        except (OSError, HytheError) as why:
            _warn(why)
        finally:
            carrying.discard(task)
            writer.close()

    return Forward(await asyncio.start_server(serve, host, port), carrying)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, socket: Socket) -> None:
    async def outward() -> None:
        while data := await reader.read(_CHUNK):
            await socket.send(data)
        await socket.send(EOF)

    async def inward() -> None:
        while (frame := await socket.receive()) is not None:
            if frame == EOF:
                if writer.can_write_eof():
                    writer.write_eof()
            else:
                writer.write(frame.encode() if isinstance(frame, str) else frame)
                await writer.drain()

    try:
        await both(inward, outward)
    finally:
        await socket.close()
