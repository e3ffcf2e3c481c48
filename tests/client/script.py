"""Plays a service: answers that a test wrote down, and the requests that it got."""

from __future__ import annotations

import json
from collections.abc import Callable

from hythe.client.transport import Request, Response
from hythe.errors import ConnectionFailed

BASE = "https://localhost:8443"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"

Line = Response | ConnectionFailed | Callable[[Request], Response]


def answer(status: int = 200, body: object = None, **headers: str) -> Response:
    """Make an answer; ``retry_after="1"`` is the header ``retry-after``."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Response(
        status=status, headers={name.replace("_", "-"): text for name, text in headers.items()}, body=content
    )


def fault(status: int, code: str, message: str = "no", **headers: str) -> Response:
    """Make an ARM error."""
    return answer(status, {"error": {"code": code, "message": message}}, **headers)


def group(state: str = "Succeeded", name: str = "web") -> dict[str, object]:
    """Make a container group in wire form."""
    properties = {"provisioningState": state, "containers": [{"name": "c", "properties": {"image": "i"}}]}
    return {"name": name, "location": "eastus", "properties": properties}


class Script:
    """Gives its lines in order and keeps the requests; a line too many is an error of the test."""

    def __init__(self, *lines: Line) -> None:
        self.lines = list(lines)
        self.requests: list[Request] = []
        self.closed = 0

    def play(self, request: Request) -> Response:
        """Answer one request."""
        self.requests.append(request)
        assert self.lines, f"no line left for {request}"
        line = self.lines.pop(0)
        if isinstance(line, ConnectionFailed):
            raise line
        return line if isinstance(line, Response) else line(request)

    @property
    def asked(self) -> list[str]:
        """Method and path of each request, without the base and the query."""
        return [f"{request.method} {request.url.removeprefix(BASE).partition('?')[0]}" for request in self.requests]


class Time:
    """Stands still unless somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.naps: list[float] = []

    def now(self) -> float:
        """Return the time."""
        return self.seconds

    def epoch(self) -> float:
        """Return the time."""
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        """Let time pass at once."""
        self.naps.append(seconds)
        self.seconds += seconds
