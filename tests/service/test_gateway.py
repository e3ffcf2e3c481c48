"""The gateway by itself: what it sends before it leads anywhere."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

from hythe.service.gateway.http import Gateway
from hythe.service.gateway.names import Names
from hythe.service.identity.tls import Certificates, server_files
from hythe.service.store import SqlStore

SUFFIX = "azurecontainer.localhost"
HOST = f"web.eastus.{SUFFIX}"


async def test_nothing_comes_behind_the_handshake_that_a_reading_thread_would_take(tmp_path: Path) -> None:
    store = SqlStore(None)
    gateway = Gateway(Names(store, SUFFIX), Certificates(tmp_path).context)
    listener = socket.create_server(("127.0.0.1", 0))
    gateway.start(listener)

    def ask() -> tuple[bytes, str | None, bool]:
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with socket.create_connection(listener.getsockname()[:2], timeout=5) as plain:
            plain.settimeout(5)
            with context.wrap_socket(plain, server_hostname=HOST) as secure:
                secure.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                answer = secure.recv(1 << 16)
                assert secure.session is not None
                return answer, secure.version(), secure.session.has_ticket

    server_files(tmp_path)  # with the authority, which the client trusts
    try:
        answer, version, ticket = await asyncio.to_thread(ask)
    finally:
        await gateway.stop()
        store.close()
    assert answer.startswith(b"HTTP/1.1 404") and version == "TLSv1.3"
    assert not ticket
