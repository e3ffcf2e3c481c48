"""Tests how our own HTTP reaches this machine: servers answer it in every way that HTTP/1.1 allows, and wrongly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from hythe.client._async import _lane
from hythe.client._async.transport import HttpTransport
from hythe.client._sync.transport import HttpTransport as SyncTransport
from hythe.client.transport import Request, Response
from hythe.errors import ConnectionFailed

Sender = Callable[[Request], Awaitable[Response]]


class Server:
    """Answers each request with the pieces that a test wrote, one after the other."""

    def __init__(self, *pieces: bytes, then_close: bool = False, pause: float = 0.0) -> None:
        self.pieces = pieces
        self.then_close = then_close
        self.pause = pause
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.requests.append(head + await reader.readexactly(int(length or b"0")))
                await asyncio.sleep(self.pause)
                for piece in self.pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if self.then_close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.ended += 1
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            server.close()


@asynccontextmanager
async def either(kind: str) -> AsyncIterator[Sender]:
    """Give what sends a request, by the asynchronous way or by the other."""
    if kind == "async":
        transport = HttpTransport(timeout=30)
        yield transport.send
        await transport.close()
        return
    blocking = SyncTransport(timeout=30)

    async def send(request: Request) -> Response:
        # one thread for all: each has connections of its own
        return await asyncio.get_running_loop().run_in_executor(one, blocking.send, request)

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as one:
        yield send
        blocking.close()


def get(url: str, method: str = "GET", **options: object) -> Request:
    return Request(method=method, url=f"{url}/x?y=z", headers={"x-mark": "m"}, **options)  # type: ignore[arg-type]


BODY = b"the body"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-Twice: a\r\nx-twice: b\r\n\r\n" + BODY
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;n=v\r\nthe\r\n5\r\n body\r\n0\r\n\r\n"
TRAILER = CHUNKS[:-2] + b"X-Sum: 1\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "answer", [WHOLE, CHUNKS, TRAILER, CONTINUED], ids=["length", "chunks", "trailer", "continued"]
)
async def test_an_answer_is_read_however_it_comes(kind: str, size: int, answer: bytes) -> None:
    server = Server(*(answer[at : at + size] for at in range(0, len(answer), size)))
    async with server.running() as url, either(kind) as send:
        for _ in range(3):
            said = await send(get(url))
            assert (said.status, said.body) == (200, BODY)
            if answer is WHOLE:
                assert said.headers["x-twice"] == "a, b"
    assert server.connections == 1, "it is used again"
    assert server.requests[0].startswith(b"GET /x?y=z HTTP/1.1\r\n") and b"x-mark: m\r\n" in server.requests[0]


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    ],
    ids=["close", "no length", "old"],
)
async def test_a_connection_that_ends_with_its_answer_is_not_used_again(kind: str, answer: bytes) -> None:
    server = Server(answer, then_close=True)
    async with server.running() as url, either(kind) as send:
        assert [(await send(get(url))).body for _ in range(2)] == [BODY, BODY]
    assert server.connections == 2


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_an_answer_without_a_body(kind: str) -> None:
    server = Server(b"HTTP/1.1 204 No Content\r\n\r\n")
    async with server.running() as url, either(kind) as send:
        assert [(await send(get(url, "POST"))).status for _ in range(2)] == [204, 204]
    assert server.connections == 1 and b"content-length: 0\r\n" in server.requests[0].lower()
    server = Server(b"HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\n")
    async with server.running() as url, either(kind) as send:
        assert [(await send(get(url, "HEAD"))).status for _ in range(2)] == [404, 404]
    assert server.connections == 1


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthe", CHUNKS[:-9], b"SSH-2.0\r\n\r\n"],
    ids=["nothing", "half", "half of the chunks", "no HTTP"],
)
async def test_what_breaks_off_is_lost(kind: str, answer: bytes) -> None:
    async with Server(answer, then_close=True).running() as url, either(kind) as send:
        with pytest.raises(ConnectionFailed, match="cannot talk to Hythe") as caught:
            await send(get(url))
        assert caught.value.reason == "lost"


async def test_no_more_connections_than_allowed_and_each_request_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lane, "MOST", 3)
    server = Server(WHOLE)
    async with server.running() as url, either("async") as send:
        answers = await asyncio.gather(*(send(get(url)) for _ in range(50)))
    assert [each.body for each in answers] == [BODY] * 50
    assert server.connections <= 3


async def test_who_gives_up_lets_the_next_one_have_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lane, "MOST", 1)
    server = Server(WHOLE, pause=0.05)
    async with server.running() as url, either("async") as send:
        first, second, third = (asyncio.ensure_future(send(get(url))) for _ in range(3))
        await asyncio.sleep(0.01)
        second.cancel()
        with pytest.raises(ConnectionFailed) as caught:
            await send(get(url, timeout=0.01))
        assert caught.value.reason == "timeout"
        first.cancel()
        assert (await third).body == BODY
        assert (await send(get(url))).body == BODY


async def test_a_cancelled_request_leaves_no_connection() -> None:
    server = Server(WHOLE, pause=0.2)
    async with server.running() as url, either("async") as send:
        going = asyncio.ensure_future(send(get(url)))
        async with asyncio.timeout(30):
            while not server.requests:
                await asyncio.sleep(0.01)
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)
            while server.ended < 1:
                await asyncio.sleep(0.01)
        assert server.connections == 1


async def test_a_header_can_not_smuggle_another_in() -> None:
    async with Server(WHOLE).running() as url, either("async") as send:
        with pytest.raises(ValueError, match="line break"):
            await send(Request(method="GET", url=url, headers={"a": "b\r\nc: d"}))
