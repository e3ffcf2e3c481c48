"""Tells Python's logging of each request and how it ended: logger ``hythe.client``, at INFO a line, at DEBUG headers.

Nothing that may be a secret is in it: no body, and of headers and of a query only what is known to be none.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hythe.errors import ConnectionFailed

if TYPE_CHECKING:
    import logging

    from .transport import Request, Response

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


def tell(request: Request, outcome: Response | ConnectionFailed | int, seconds: float) -> None:
    """Tell of one try: its answer, only the status of one that is read as it comes, or why there is none."""
    log = _log()
    if log is None:
        return
    began = f"{request.method} {shown(request.url)}"
    if isinstance(outcome, ConnectionFailed):
        log.info("%s: no answer after %.0f ms (%s)", began, seconds * 1000, outcome.reason)
    elif isinstance(outcome, int):
        log.info("%s: %s after %.0f ms, goes on", began, outcome, seconds * 1000)
    else:
        log.info("%s: %s in %.0f ms, %s bytes", began, outcome.status, seconds * 1000, len(outcome.body))
        if log.isEnabledFor(_DEBUG):
            log.debug("answered with %s", _headers(outcome.headers))


def tell_of_wait(seconds: float, tries: int) -> None:
    """Tell that a request is sent again."""
    log = _log()
    if log is not None:
        log.info("try %s follows in %.1f s", tries + 1, seconds)


def shown(url: str) -> str:
    """Write an address without what may be a secret."""
    path, mark, query = url.partition("#")[0].partition("?")
    parts = [part.partition("=") for part in query.split("&")] if mark else []
    return (
        path
        + mark
        + "&".join(
            f"{name}={value}" if name.replace("%24", "$").lower() in _QUERY else f"{name}=***"
            for name, _, value in parts
        )
    )


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
