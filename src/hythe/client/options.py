"""Declares what every call takes beside its own arguments, under the names of Microsoft's packages.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

from msgspec import Struct

from .transport import Response

Expand = Literal["instanceView"]
"""What lists of groups can show beside the definitions: how the groups are."""


class CallOptions(TypedDict, total=False):
    """What every operation takes."""

    headers: Mapping[str, str]
    """Sent beside the library's own."""
    params: Mapping[str, str]
    """Added to the query."""
    timeout: float
    """Seconds for the whole call, with all tries and the waits between them."""
    connection_timeout: float
    """Seconds to reach the service, in each try."""
    read_timeout: float
    """Seconds to wait for the answer, in each try."""
    api_version: str
    """Another version of the API than the client's, for this call."""
    retry_total: int
    """How often a call that may be repeated is repeated."""
    raw_response_hook: Callable[[Response], object]
    """Called with the answer before it is read."""
    cls: Callable[[Response, Any, Mapping[str, str]], Any]
    """Makes the result of the answer, of what would be returned, and of the answer's headers."""
    content_type: str
    """Must be application/json, the only type that the service reads."""
    custom_headers: Mapping[str, str] | None
    """The older name of ``headers``."""
    raw: bool
    """Must be False: ``raw_response_hook`` gives the answer."""


class BeginOptions(CallOptions, total=False):
    """What operations take that go on after the service has answered."""

    polling: bool
    """False: the poller has ended at once, with the first answer as its result."""
    polling_interval: float | None
    """Seconds between two polls where the service does not say; more often than it says is never asked."""
    continuation_token: str
    """From ``poller.continuation_token()``: go on with that operation and begin none."""
    deadline: float
    """Seconds for the whole operation: after them ``result()`` raises `hythe.errors.StillRunning`."""


class Call(Struct, frozen=True, kw_only=True):
    """The options of one call, checked."""

    headers: dict[str, str]
    params: dict[str, str]
    timeout: float | None = None
    connection_timeout: float | None = None
    read_timeout: float | None = None
    api_version: str | None = None
    retry_total: int | None = None
    hook: Callable[[Response], object] | None = None
    cls: Callable[[Response, Any, Mapping[str, str]], Any] | None = None
    polling: bool = True
    polling_interval: float | None = None
    continuation_token: str | None = None
    deadline: float | None = None


_NAMES = CallOptions.__annotations__.keys()
_BEGIN_NAMES = BeginOptions.__annotations__.keys()
_TUNING = frozenset(
    {"logging_enable", "retry_connect", "retry_read", "retry_status", "retry_backoff_factor", "retry_backoff_max",
     "retry_mode", "retry_on_status_codes", "connection_verify", "connection_data_block_size", "permit_redirects",
     "user_agent", "request_id", "raw_request_hook", "network_span_namer", "error_map", "enforce_https", "proxies"}
)  # fmt: skip
"""Options of azure-core that have no counterpart for one call."""


def call_of(options: Mapping[str, Any], doing: str, *, begins: bool = False) -> Call:
    """Check the options of a call.  Raises TypeError for one that there is not, ValueError for one out of range."""
    for name in options:
        if name not in (_BEGIN_NAMES if begins else _NAMES):
            advice = "it can be set for the client only" if name in _TUNING else "see hythe.client.options"
            raise TypeError(f"cannot {doing} with {name}=: there is no such option of a call; {advice}")
    if options.get("raw"):
        raise TypeError(f"cannot {doing} with raw=True: pass raw_response_hook= to see the answer")
    content_type = options.get("content_type") or "application/json"
    if not content_type.lower().startswith("application/json"):
        raise ValueError(f"cannot {doing} with content_type={content_type!r}: the service reads JSON only")
    for name in ("timeout", "connection_timeout", "read_timeout", "deadline"):
        seconds = options.get(name)
        if seconds is not None and not seconds > 0:
            raise ValueError(f"cannot {doing} with {name}={seconds!r}: give a number of seconds above 0")
    return Call(
        headers={**(options.get("custom_headers") or {}), **(options.get("headers") or {})},
        params={key: str(value) for key, value in (options.get("params") or {}).items()},
        timeout=options.get("timeout"),
        connection_timeout=options.get("connection_timeout"),
        read_timeout=options.get("read_timeout"),
        api_version=options.get("api_version"),
        retry_total=options.get("retry_total"),
        hook=options.get("raw_response_hook"),
        cls=options.get("cls"),
        polling=options.get("polling", True) is not False,
        polling_interval=options.get("polling_interval"),
        continuation_token=options.get("continuation_token"),
        deadline=options.get("deadline"),
    )


PLAIN = call_of({}, "")
"""A call without options."""
