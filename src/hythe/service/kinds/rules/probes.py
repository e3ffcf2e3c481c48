"""What probes must be.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....models import ContainerGroup, ContainerHttpGet, ContainerProbe
from ....wire.faults import Detail
from .names import LAST_PORT

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[\x21-\x7e]*")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
_LEAST = {
    "initial_delay_seconds": ("initialDelaySeconds", 0),
    "period_seconds": ("periodSeconds", 1),
    "timeout_seconds": ("timeoutSeconds", 1),
    "failure_threshold": ("failureThreshold", 1),
    "success_threshold": ("successThreshold", 1),
}
_MOST = 10**6


def probe_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check the probes of every container."""
    for index, one in enumerate(group.containers or ()):
        for word, probe in (("livenessProbe", one.liveness_probe), ("readinessProbe", one.readiness_probe)):
            if probe is None:
                continue
            target = f"properties.containers[{index}].properties.{word}"
            for wrong in _wrong(word, probe):
                yield Detail(
                    code="InvalidProbe",
                    message=f"The '{word}' of container '{one.name}' in container group '{name}' is invalid. {wrong}",
                    target=target,
                )


def _wrong(word: str, probe: ContainerProbe) -> Iterator[str]:
    if (probe.exec_ is None) == (probe.http_get is None):
        yield "One and only one of 'exec' and 'httpGet' can be specified."
    if probe.exec_ is not None and not probe.exec_.command:
        yield "The 'command' of 'exec' cannot be empty."
    if probe.http_get is not None:
        yield from _wrong_request(probe.http_get)
    for field, (shown, least) in _LEAST.items():
        value = getattr(probe, field)
        if value is not None and not least <= value <= _MOST:
            yield f"The '{shown}' must be between {least} and {_MOST}."
    if word == "livenessProbe" and probe.success_threshold not in (None, 1):
        yield "The 'successThreshold' of a liveness probe must be 1."


def _wrong_request(ask: ContainerHttpGet) -> Iterator[str]:
    if not 1 <= ask.port <= LAST_PORT:
        yield f"The port must be between 1 and {LAST_PORT}."
    if (ask.scheme or "http").lower() not in ("http", "https"):
        yield "The 'scheme' must be one of 'http,https'."
    if not _PRINTABLE.fullmatch(ask.path or ""):
        yield "The 'path' can contain neither spaces nor anything else that a URL writes as %XX."
    for header in ask.http_headers or ():
        if not _HEADER_NAME.fullmatch(header.name or "") or not _HEADER_VALUE.fullmatch(header.value or ""):
            yield f"The header '{header.name or ''}' is not one of HTTP."
