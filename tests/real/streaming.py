"""A small reference client for what Hythe streams: raw HTTP and websockets, as docs/decisions describe them."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

VERSION = "2023-05-01"
SIZE = "until stty size 2>/dev/null | grep [1-9]; do sleep 0.05; done"
"""Shows the size of a terminal; crun sets it when the program may already run."""


class Done(Struct):
    """What a command gave."""

    code: int
    out: bytes
    err: bytes


class Wire:
    """Requests with a token, to one service."""

    def __init__(self, facts: dict[str, str]) -> None:
        self.facts = facts
        self.address = urlsplit(facts["url"]).netloc
        self.trust = ssl.create_default_context(cafile=facts["REQUESTS_CA_BUNDLE"])
        form = {
            "grant_type": "client_credentials",
            "client_id": facts["client_id"],
            "client_secret": facts["client_secret"],
            "scope": f"{facts['url']}/.default",
        }
        answer = self.send(
            "POST",
            f"/{facts['tenant']}/oauth2/v2.0/token",
            urlencode(form).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        with answer:
            self.token = json.loads(answer.read())["access_token"]
        answer.connection.close()  # type: ignore[attr-defined]

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(self.address, context=self.trust, timeout=60)
        connection.request(method, path, body, headers or {"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        answer.connection = connection  # type: ignore[attr-defined]  # is open as long as its answer
        return answer

    def path(self, folder: str, group: str, rest: str, /, **query: object) -> str:
        where = (
            f"/subscriptions/{self.facts['subscription']}/resourceGroups/{folder}/providers/"
            f"Microsoft.ContainerInstance/containerGroups/{group}/{rest}"
        )
        return f"{where}?{urlencode({'api-version': VERSION} | query, quote_via=quote)}"

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask for JSON."""
        sent = json.dumps(body).encode() if body is not None else None
        answer = self.send(method, path, sent)
        with answer:
            said = answer.read()
        answer.connection.close()  # type: ignore[attr-defined]
        return answer.status, json.loads(said) if said else None

    # --- sessions ---

    def session(self, folder: str, group: str, command: str, container: str = "c", **size: int) -> tuple[str, str]:
        body = {"command": command, "terminalSize": size or {"rows": 24, "cols": 80}}
        status, said = self.ask("POST", self.path(folder, group, f"containers/{container}/exec"), body)
        assert status == 200, said
        return said["webSocketUri"], said["password"]

    def connect(self, uri: str, **options: Any) -> ClientConnection:
        return connect(uri, ssl=self.trust, proxy=None, compression=None, **options)

    def refused(self, uri: str, **headers: str) -> tuple[int, str]:
        """Begin a websocket that is refused; give the status and the code."""
        handshake = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        answer = self.send("GET", uri.removeprefix(f"wss://{self.address}"), headers=handshake | headers)
        with answer:
            said = answer.read()
        answer.connection.close()  # type: ignore[attr-defined]
        return answer.status, json.loads(said)["error"]["code"]

    def exec(
        self, folder: str, group: str, command: str, given: bytes | None = None, query: str = "", container: str = "c"
    ) -> Done:
        """Run a command without a terminal: its outputs apart, its exit code."""
        uri, password = self.session(folder, group, command, container)
        if given is None:
            query += "&stdin=false"
        with self.connect(uri + query, subprotocols=["exec.hythe.v1"], max_size=None) as socket:
            socket.send(password)
            if given is not None:
                with contextlib.suppress(ConnectionClosed):  # it ended before it had read everything
                    for start in range(0, len(given), 1 << 18):
                        socket.send(b"\0" + given[start : start + (1 << 18)])
                    socket.send(b"\xff\0")
            return finish(socket)

    def terminal(self, folder: str, group: str, command: str, keys: bytes = b"", **size: int) -> bytes:
        """Run a command as `az container exec` does."""
        uri, password = self.session(folder, group, command, **size)
        with self.connect(uri, origin="https://localhost") as socket:
            socket.send(password)
            if keys:
                socket.send(keys)
            return b"".join(shown(socket))

    # --- logs ---

    def follow(self, folder: str, group: str, container: str = "c", **query: object) -> http.client.HTTPResponse:
        answer = self.send("GET", self.path(folder, group, f"containers/{container}/logs", follow="true", **query))
        assert answer.status == 200, answer.read()
        assert answer.headers["Transfer-Encoding"] == "chunked"
        return answer


def shown(socket: ClientConnection) -> Iterator[bytes]:
    """Give what comes until the service closes."""
    try:
        while True:
            frame = socket.recv()
            yield frame.encode() if isinstance(frame, str) else frame
    except ConnectionClosed as end:
        assert end.rcvd is not None and end.rcvd.code == 1000, end


def finish(socket: ClientConnection) -> Done:
    """Collect the outputs of a command until its status."""
    done = Done(-1, b"", b"")
    for frame in shown(socket):
        match frame[0]:
            case 1:
                done.out += frame[1:]
            case 2:
                done.err += frame[1:]
            case 3:
                done.code = json.loads(frame[1:])["exitCode"]
    return done
