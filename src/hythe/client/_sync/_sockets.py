"""Holds by hand how bytes are carried both ways: websockets, bodies that go on, ports of this machine.

Where two things go on at a time there is a thread for one of them, that ends with what it was made for.
"""

from __future__ import annotations

import contextlib
import socket as sockets
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Self, TypeVar

from hythe.client.addresses import is_loopback
from hythe.client.request_log import LOGGER
from hythe.client.transport import Response
from hythe.errors import ConnectionFailed, HytheError

if TYPE_CHECKING:
    import logging
    import ssl

    import httpx2
    from websockets.sync.client import ClientConnection

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

    def send(self, data: bytes | str) -> None:
        """Send a frame.  Raises `ConnectionFailed` if the service has closed."""
        from websockets.exceptions import ConnectionClosed

        try:
            self._connection.send(data)
        except ConnectionClosed as why:
            raise ConnectionFailed(f"cannot send: the service has closed ({why}).", reason="lost") from why

    def receive(self) -> bytes | str | None:
        """Wait for a frame; None when the service has ended well.  Raises `ConnectionFailed` if it has not."""
        from websockets.exceptions import ConnectionClosed

        try:
            return self._connection.recv()
        except ConnectionClosed as why:
            if why.rcvd is not None and why.rcvd.code == _ENDED:
                return None
            said = why.rcvd.reason or str(why) if why.rcvd is not None else str(why)
            raise ConnectionFailed(f"cannot go on: the service closed the session: {said}.", reason="lost") from why

    def close(self) -> None:
        """Close; closed already is fine."""
        self._connection.close()


def open_socket(
    url: str,
    context: ssl.SSLContext | None,
    *,
    headers: Mapping[str, str],
    subprotocols: Sequence[str] = (),
    timeout: float = 30.0,
) -> Socket | Response:
    """Open a websocket, or return the answer with which it was refused.  Raises `ConnectionFailed`."""
    from websockets.exceptions import InvalidProxy, InvalidStatus, InvalidURI, WebSocketException
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    try:
        return Socket(
            connect(
                url, ssl=context, additional_headers=headers, open_timeout=timeout, max_size=None, compression=None,
                subprotocols=[Subprotocol(name) for name in subprotocols] or None, ping_timeout=None, close_timeout=2.0,
                proxy=None if is_loopback(f"http{url[2:]}") else True, logger=_silent(), legacy=True,
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


def blocks_of(answer: httpx2.Response) -> Iterator[bytes]:
    """Iterate over a body as it comes."""
    yield from answer.iter_bytes()


def let_go(answer: httpx2.Response) -> None:
    """Close an answer whose body may not have been read to its end; a thread that reads it finds the end."""
    stream = answer.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None and not answer.is_closed else None
    if isinstance(connection, sockets.socket):
        with contextlib.suppress(OSError):
            sockets.socket.shutdown(connection, sockets.SHUT_RDWR)
    answer.close()


def read_block(file: IO[bytes]) -> bytes:
    """Read what a file has next."""
    return file.read(_CHUNK)


def both(first: Callable[[], T], second: Callable[[], None]) -> T:
    """Do two things at a time until the first has ended; what becomes of the second does not matter then."""

    def quietly() -> None:
        with contextlib.suppress(HytheError, OSError, ValueError):
            second()

    threading.Thread(target=quietly, name="hythe-input", daemon=True).start()
    return first()


def merged(sources: Sequence[Callable[[], Generator[T, None, None]]]) -> Iterator[T]:
    """Iterate over several things at a time, each item as it comes; the first error ends all."""
    import queue

    waiting: queue.Queue[T | BaseException | None] = queue.Queue(_HELD)
    over = threading.Event()

    def put(item: T | BaseException | None) -> bool:
        while not over.is_set():
            try:
                waiting.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def carry(source: Callable[[], Generator[T, None, None]]) -> None:
        end: BaseException | None = None
        try:
            with contextlib.closing(source()) as items:
                for item in items:
                    if not put(item):
                        return
        except Exception as why:
            end = why
        put(end)

    for source in sources:
        threading.Thread(target=carry, args=(source,), name="hythe-merged", daemon=True).start()
    going = len(sources)
    try:
        while going:
            item = waiting.get()
            if item is None:
                going -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        over.set()


class Forward:
    """Is a port of this machine that leads into a group until it is closed; a context manager."""

    def __init__(self, listener: sockets.socket, reach: Callable[[], Socket]) -> None:
        self._listener = listener
        self._reach = reach
        self._open: set[sockets.socket] = set()
        self._carrying: set[Socket] = set()
        self._over = threading.Event()
        self.host: str
        self.port: int
        self.host, self.port = listener.getsockname()[:2]
        self._thread = threading.Thread(target=self._accept, name="hythe-forward", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"Forward({self.host}:{self.port})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def wait(self) -> None:
        """Wait for ever, until somebody interrupts or closes this."""
        self._over.wait()

    def close(self) -> None:
        """Take no further connection, and end those that there are."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(sockets.SHUT_RDWR)
        self._listener.close()
        for socket in list(self._carrying):
            socket.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(sockets.SHUT_RDWR)
        self._thread.join()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="hythe-forward", daemon=True).start()

    def _serve(self, connection: sockets.socket) -> None:
        with connection:
            try:
                socket = self._reach()
                self._carrying.add(socket)
                try:
                    _carry(connection, socket)
                finally:
                    socket.close()
                    self._carrying.discard(socket)
            except (OSError, HytheError) as why:
                if not self._over.is_set():
                    _warn(why)
            finally:
                self._open.discard(connection)


def listen(host: str, port: int, reach: Callable[[], Socket]) -> Forward:
    """Open a port of this machine; each connection to it goes on over a websocket that ``reach`` opens."""
    return Forward(sockets.create_server((host, port)), reach)


def _carry(connection: sockets.socket, socket: Socket) -> None:
    def outward() -> None:
        while data := connection.recv(_CHUNK):
            socket.send(data)
        socket.send(EOF)

    def inward() -> None:
        while (frame := socket.receive()) is not None:
            if frame == EOF:
                with contextlib.suppress(OSError):
                    connection.shutdown(sockets.SHUT_WR)
            else:
                connection.sendall(frame.encode() if isinstance(frame, str) else frame)

    both(inward, outward)
