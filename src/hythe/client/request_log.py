"""Tells Python's logging of each request and how it ended: logger ``hythe.client``, at INFO a line, at DEBUG headers.

Nothing that may be a secret is in it: no body, and of headers and of a query only what is known to be none.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from hythe.errors import ConnectionFailed

from .transport import Response

if TYPE_CHECKING:
    import logging

    from .transport import Answer, Request

LOGGER = "hythe.client"
_INFO, _DEBUG = 20, 10
_QUERY = frozenset(
    {"$expand", "$filter", "$top", "api-version", "follow", "previous", "tail", "timespan", "timestamps"}
)  # fmt: skip
_HEADERS = (
    "content-length", "content-type", "retry-after", "x-ms-client-request-id", "x-ms-correlation-request-id",
    "x-ms-request-id",
)  # fmt: skip
_ADDRESSES = ("azure-asyncoperation", "location")


def tell(request: Request, outcome: Answer | ConnectionFailed, seconds: float) -> None:
    """Tell of one try: its answer, whole or still to be read, or why there is none."""
    log = _log()
    if log is None:
        return
    began = f"{request.method} {shown(request.url)}"
    if isinstance(outcome, ConnectionFailed):
        log.info("%s: no answer after %.0f ms (%s)", began, seconds * 1000, outcome.reason)
        return
    size = f"{len(outcome.body)} bytes" if isinstance(outcome, Response) else "read as it comes"
    log.info("%s: %s in %.0f ms, %s", began, outcome.status, seconds * 1000, size)
    if log.isEnabledFor(_DEBUG):
        log.debug("answered with %s", _headers(outcome.headers))


def note(text: str, *parts: object) -> None:
    """Tell of something else that is done to get an answer; parts are put in as `logging` does."""
    log = _log()
    if log is not None:
        log.info(text, *parts)


def shown(url: str) -> str:
    """Write an address without what may be a secret."""
    path, mark, query = url.partition("#")[0].partition("?")
    path = re.sub(r"(?<=://)[^/]*@", "", path)
    return path + mark + "&".join(map(_part, query.split("&"))) if mark else path


def _part(part: str) -> str:
    name, named, value = part.partition("=")
    known = name.replace("%24", "$").lower() in _QUERY and not {*value} & {*";?"}
    return part if known else f"{name}=***" if named else "***"


def _headers(headers: dict[str, str]) -> str:
    told = {name: headers[name] for name in _HEADERS if name in headers}
    told |= {name: shown(headers[name]) for name in _ADDRESSES if name in headers}
    return ", ".join(f"{name}: {value}" for name, value in told.items()) or "nothing that may be told"


def _log() -> logging.Logger | None:
    """Give the logger if anybody listens: without `logging`, which takes a while to import, nobody can."""
    loaded = sys.modules.get("logging")
    if loaded is None:
        return None
    log: logging.Logger = loaded.getLogger(LOGGER)
    return log if log.isEnabledFor(_INFO) else None
