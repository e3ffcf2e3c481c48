"""Tests the proxy of `hythe run-with` against small servers on loopback: Hythe's, others', and a further proxy."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec import Struct

from hythe.cli import intercepting
from hythe.client.intercept import Proxy
from hythe.service.identity.tls import Intercept, ServerFiles, intercept_certificate, server_files

AZURE = "management.azure.com"
AUTHORITY = "login.microsoftonline.com"

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="session")
def intercept() -> Intercept:
    return intercept_certificate((AZURE, AUTHORITY))


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> ServerFiles:
    return server_files(tmp_path_factory.mktemp("hythe"))


@asynccontextmanager
async def server(handler: Handler, tls: ServerFiles | None = None) -> AsyncIterator[int]:
    """Serve on a port of its own until the end of the block."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certfile, tls.keyfile)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    serving = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with serving:
        yield serving.sockets[0].getsockname()[1]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(1 << 16):
        writer.write(chunk)
        await writer.drain()


async def total(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer only when the other side has said everything."""
    writer.write(b"got %d bytes" % len(await reader.read(-1)))
    await writer.drain()


async def free_port() -> int:
    """Give a port that nobody listens on."""
    async with server(echo) as port:
        pass
    return port


class Way:
    """A proxy that serves, as the program behind it sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        assert parts.hostname == "127.0.0.1" and parts.port
        self.port = parts.port
        self.user, self.password = parts.username or "", parts.password or ""
        self.pairs: list[Pair] = []

    async def send(self, raw: bytes, *, end: bool = False) -> Pair:
        pair = await asyncio.open_connection("127.0.0.1", self.port)
        self.pairs.append(pair)
        pair[1].write(raw)
        if end:
            pair[1].write_eof()
        return pair

    async def answer(self, raw: bytes, *, end: bool = False) -> str:
        """Give all that the proxy answers before it hangs up."""
        reader, _ = await self.send(raw, end=end)
        return (await asyncio.wait_for(reader.read(), 10)).decode()

    def head(self, target: str, method: str = "CONNECT", password: str | None = None) -> bytes:
        given = base64.b64encode(f"{self.user}:{password or self.password}".encode()).decode()
        return f"{method} {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic {given}\r\n\r\n".encode()

    async def connect(self, target: str) -> Pair:
        reader, writer = await self.send(self.head(target))
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10) == (
            b"HTTP/1.1 200 Connection established\r\n\r\n"
        )
        return reader, writer

    async def secure(self, name: str, ca_pem: str) -> Pair:
        """Go through to a name and speak TLS with whoever is there."""
        reader, writer = await self.connect(f"{name}:443")
        await writer.start_tls(ssl.create_default_context(cadata=ca_pem), server_hostname=name)
        return reader, writer

    async def close(self) -> None:
        for _, writer in self.pairs:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in self.pairs), return_exceptions=True)


@pytest.fixture
def serve(intercept: Intercept, files: ServerFiles, tmp_path: Path) -> Callable[[int], object]:
    """Give a function that starts a proxy in front of Hythe's port."""
    made = intercepting.Intercept(
        names=[*intercept.names], certificate=intercept.certificate_pem, key=intercept.key_pem, ca=intercept.ca_pem
    )
    context = intercepting._server_context(made, tmp_path)

    @asynccontextmanager
    async def serving(hythe: int, trust: ssl.SSLContext | None = None, *, only: bool = False) -> AsyncIterator[Way]:
        trust = trust or ssl.create_default_context(cafile=str(files.ca))
        proxy = Proxy(intercept.names, f"https://localhost:{hythe}", trust, only=only)
        async with proxy.serve(context, tmp_path) as url:
            way = Way(url)
            try:
                yield way
            finally:
                await way.close()

    return serving


# --- who is served, and with what ---


async def test_who_does_not_know_the_password_is_not_served(serve: Callable) -> None:
    async with server(echo) as other, serve(1) as way:
        target = f"127.0.0.1:{other}"
        for head in (
            f"CONNECT {target} HTTP/1.1\r\n\r\n".encode(),
            way.head(target, password="wrong"),
            way.head(target).replace(b"Basic ", b"Bearer "),
            way.head(target).replace(b"Basic ", "Basic é".encode("latin-1")),
        ):
            answer = await way.answer(head)
            assert answer.startswith("HTTP/1.1 407 ")
            assert 'Proxy-Authenticate: Basic realm="hythe run-with"' in answer
            assert way.password not in answer


async def test_each_proxy_has_a_password_of_its_own(serve: Callable) -> None:
    async with serve(1) as one, serve(1) as other:
        assert len(one.password) > 20
        assert one.password != other.password
        assert (await other.answer(other.head("127.0.0.1:1", password=one.password))).startswith("HTTP/1.1 407 ")


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "connect"])
async def test_methods_other_than_connect_are_refused(serve: Callable, method: str) -> None:
    async with serve(1) as way:
        answer = await way.answer(way.head("http://127.0.0.1:1/", method))
        assert answer.startswith("HTTP/1.1 405 ")
        assert "Allow: CONNECT\r\n" in answer


@pytest.mark.parametrize("target", ["", "127.0.0.1", ":443", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:-1"])
async def test_a_target_that_is_no_host_and_port_is_a_bad_request(serve: Callable, target: str) -> None:
    async with serve(1) as way:
        assert (await way.answer(way.head(target))).startswith("HTTP/1.1 400 ")


@pytest.mark.parametrize("head", [b"", b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n", b"\x16\x03\x01", b"x" * (100 << 10)])
async def test_a_head_that_does_not_end_is_a_bad_request(serve: Callable, head: bytes) -> None:
    async with serve(1) as way:
        assert (await way.answer(head, end=True)).startswith("HTTP/1.1 400 ")


# --- Azure's names ---


@pytest.mark.parametrize("name", [AZURE, AUTHORITY, AZURE.upper()])
async def test_a_name_of_azure_leads_to_hythe_with_a_certificate_for_that_name(
    serve: Callable, intercept: Intercept, files: ServerFiles, name: str
) -> None:
    async with server(echo, files) as hythe, serve(hythe) as way:
        reader, writer = await way.secure(name, intercept.ca_pem)
        request = f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()
        writer.write(request)
        assert await asyncio.wait_for(reader.readexactly(len(request)), 10) == request, "Hythe gets it as it is"
        tls = writer.get_extra_info("ssl_object")
        assert tls.version() == "TLSv1.3" and not tls.session.has_ticket, "a reading thread would take a ticket"


async def test_more_than_fits_a_buffer_comes_back_whole_from_hythe(
    serve: Callable, intercept: Intercept, files: ServerFiles
) -> None:
    sent = bytes(range(256)) * (8 << 10)  # 2 MB
    async with server(echo, files) as hythe, serve(hythe) as way:
        reader, writer = await way.secure(AZURE, intercept.ca_pem)
        writer.write(sent)
        assert await asyncio.wait_for(reader.readexactly(len(sent)), 20) == sent


async def test_the_end_of_hythes_answer_reaches_the_program(
    serve: Callable, intercept: Intercept, files: ServerFiles
) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(5) + b" back")

    async with server(once, files) as hythe, serve(hythe) as way:
        reader, writer = await way.secure(AZURE, intercept.ca_pem)
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.read(), 10) == b"hello back"


async def test_a_program_that_does_not_trust_the_run_refuses_the_connection(
    serve: Callable, files: ServerFiles
) -> None:
    async with server(echo, files) as hythe, serve(hythe) as way:
        with pytest.raises(ssl.SSLCertVerificationError):
            await way.secure(AZURE, files.ca.read_text())
        with pytest.raises(ssl.SSLCertVerificationError):
            await way.secure(AZURE, intercept_certificate((AZURE,)).ca_pem)  # another run's


async def test_nothing_is_told_to_a_stranger_on_hythes_port(
    serve: Callable, intercept: Intercept, tmp_path: Path
) -> None:
    stranger = server_files(tmp_path / "stranger")
    told: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.append(await reader.read())

    async with server(listen, stranger) as port, serve(port) as way:
        reader, writer = await way.secure(AZURE, intercept.ca_pem)
        writer.write(b"Authorization: Bearer secret")
        assert await asyncio.wait_for(reader.read(), 10) == b""
    assert not any(told)


async def test_hythe_that_is_down_is_told_in_a_sentence(serve: Callable) -> None:
    async with serve(await free_port()) as way:
        answer = await way.answer(way.head(f"{AZURE}:443"))
        assert answer.startswith("HTTP/1.1 502 ")
        assert "cannot reach Hythe: " in answer
        assert answer.endswith("Start it with `hythe up`.\n")


async def test_names_of_azure_need_no_further_proxy(
    serve: Callable, intercept: Intercept, files: ServerFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{await free_port()}")
    async with server(echo, files) as hythe, serve(hythe) as way:
        reader, writer = await way.secure(AZURE, intercept.ca_pem)
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.readexactly(5), 10) == b"hello"


@pytest.mark.parametrize("host", [f"{AZURE}.", "MANAGEMENT.Azure.Com", "Management.azure.COM."])
async def test_a_name_written_in_another_way_leads_to_hythe_too(
    serve: Callable, intercept: Intercept, files: ServerFiles, host: str
) -> None:
    async with server(echo, files) as hythe, serve(hythe, only=True) as way:
        reader, writer = await way.connect(f"{host}:443")
        await writer.start_tls(ssl.create_default_context(cadata=intercept.ca_pem), server_hostname=AZURE)
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.readexactly(5), 10) == b"hello"


async def test_letters_that_would_become_a_name_of_azures_are_refused(serve: Callable) -> None:
    async with serve(1) as way:
        # IDNA, by which names are looked up, reads this letter as an `a`
        answer = await way.answer(way.head("m?nagement.azure.com:443").replace(b"?", b"\xaa"))
        assert answer.startswith("HTTP/1.1 400 ")


# --- other hosts ---


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST"])
async def test_another_host_is_reached_as_it_is(serve: Callable, host: str) -> None:
    sent = bytes(range(256)) * (8 << 10)
    async with server(echo) as other, serve(1) as way:
        reader, writer = await way.connect(f"{host}:{other}")
        writer.write(sent)
        assert await asyncio.wait_for(reader.readexactly(len(sent)), 20) == sent


async def test_tls_with_another_host_is_not_touched(serve: Callable, files: ServerFiles) -> None:
    async with server(echo, files) as other, serve(1) as way:
        reader, writer = await way.connect(f"127.0.0.1:{other}")
        await writer.start_tls(ssl.create_default_context(cafile=str(files.ca)), server_hostname="localhost")
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.readexactly(5), 10) == b"hello"


async def test_a_program_that_has_said_everything_still_hears_the_answer(serve: Callable) -> None:
    async with server(total) as other, serve(1) as way:
        reader, writer = await way.connect(f"127.0.0.1:{other}")
        writer.write(b"x" * 1000)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 10) == b"got 1000 bytes"


async def test_a_host_that_has_said_everything_still_hears_the_program(serve: Callable) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"that is all")
        writer.write_eof()
        heard.set_result(await reader.read())

    async with server(first) as other, serve(1) as way:
        reader, writer = await way.connect(f"127.0.0.1:{other}")
        assert await asyncio.wait_for(reader.read(), 10) == b"that is all"
        writer.write(b"but I go on")
        writer.write_eof()
        assert await asyncio.wait_for(heard, 10) == b"but I go on"


async def test_what_is_sent_with_the_head_is_not_lost(serve: Callable) -> None:
    async with server(echo) as other, serve(1) as way:
        reader, _ = await way.send(way.head(f"127.0.0.1:{other}") + b"early")
        await reader.readuntil(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.readexactly(5), 10) == b"early"


async def test_a_host_that_does_not_answer_is_a_bad_gateway(serve: Callable) -> None:
    async with serve(1) as way:
        answer = await way.answer(way.head(f"127.0.0.1:{await free_port()}"))
        assert answer.startswith("HTTP/1.1 502 Bad Gateway\r\n")
        assert answer.partition("\r\n\r\n")[2].strip(), "it says why"


async def test_the_end_of_the_block_ends_connections_and_the_proxy(serve: Callable) -> None:
    async with server(echo) as other:
        async with serve(1) as way:
            reader, writer = await way.connect(f"127.0.0.1:{other}")
            way.pairs.clear()  # the program leaves it open
        assert await asyncio.wait_for(reader.read(), 10) == b""
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await way.send(b"")
        writer.close()


# --- a further proxy ---


class Further(Struct):
    """A proxy that was in use before: whatever it is asked for, it leads to one port."""

    port: int
    heads: list[str]

    @property
    def targets(self) -> list[str]:
        return [head.split(" ")[1] for head in self.heads]


@asynccontextmanager
async def further_proxy(to: int, status: str = "200 OK") -> AsyncIterator[Further]:
    heads: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if " 200 " not in f" {status}":
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        while chunk := await reader.read(1 << 16):
            far_writer.write(chunk)
            writer.write(await far_reader.read(1 << 16))
        far_writer.close()

    async with server(handle) as port:
        yield Further(port, heads)


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY"])
async def test_other_hosts_are_reached_through_the_proxy_of_the_environment(
    serve: Callable, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    async with server(echo) as other, further_proxy(other) as further:
        monkeypatch.setenv(variable, f"http://me:p%40ss%3Aword@127.0.0.1:{further.port}")
        async with serve(1) as way:
            reader, writer = await way.connect("far.example:8443")
            writer.write(b"hello")
            assert await asyncio.wait_for(reader.readexactly(5), 10) == b"hello"
    credentials = base64.b64encode(b"me:p@ss:word").decode()
    assert further.targets == ["far.example:8443"]
    assert f"\r\nProxy-Authorization: Basic {credentials}\r\n" in further.heads[0]
    assert way.password not in further.heads[0]


async def test_a_further_proxy_may_lack_scheme_and_password(serve: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(echo) as other, further_proxy(other) as further:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{further.port}")
        async with serve(1) as way:
            await way.connect("[2001:db8::1]:443")
    assert further.targets == ["[2001:db8::1]:443"]
    assert "Proxy-Authorization" not in further.heads[0]


async def test_another_port_of_azure_is_not_hythe(serve: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(echo) as other, further_proxy(other) as further:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{further.port}")
        async with serve(await free_port()) as way:
            await way.connect(f"{AZURE}:8443")
    assert further.targets == [f"{AZURE}:8443"]


@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
async def test_no_proxy_is_respected(serve: Callable, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    async with server(echo) as other, further_proxy(other) as further:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{further.port}")
        monkeypatch.setenv(variable, "elsewhere.example,localhost")
        async with serve(1) as way:
            reader, writer = await way.connect(f"localhost:{other}")
            writer.write(b"hello")
            assert await asyncio.wait_for(reader.readexactly(5), 10) == b"hello"
            assert further.targets == []
            await way.connect("far.example:443")
            assert further.targets == ["far.example:443"]


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "503 Service Unavailable"])
async def test_what_a_further_proxy_refuses_is_a_bad_gateway_that_says_so(
    serve: Callable, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    async with further_proxy(1, status) as further:
        monkeypatch.setenv("https_proxy", f"http://me:secret@127.0.0.1:{further.port}")
        async with serve(1) as way:
            answer = await way.answer(way.head("far.example:443"))
    assert answer.startswith("HTTP/1.1 502 ")
    assert f"the proxy 127.0.0.1 said: HTTP/1.1 {status}\n" in answer
    assert "secret" not in answer


async def test_a_further_proxy_that_hangs_up_or_is_down_is_a_bad_gateway(
    serve: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with server(hang_up) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        async with serve(1) as way:
            answer = await way.answer(way.head("far.example:443"))
            assert answer.startswith("HTTP/1.1 502 ")
            assert "the proxy 127.0.0.1 said: nothing" in answer
    async with serve(1) as way:
        assert (await way.answer(way.head("far.example:443"))).startswith("HTTP/1.1 502 ")
