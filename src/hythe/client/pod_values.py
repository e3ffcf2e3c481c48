"""Reads quantities of Kubernetes, and says what can't be used.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

DNS_LABEL = "service.beta.kubernetes.io/azure-dns-label-name"
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|[kKMGTP]i?)?")
_UNITS = {"": 1.0, "m": 1e-3} | {
    letter + end: base**power
    for power, letter in enumerate("KMGTP", 1)
    for end, base in (("i", 1024.0), ("", 1000.0))
} | {"k": 1000.0}  # fmt: skip


class PodError(ValueError):
    """Says what of a pod or a group can't be carried over, and why: ``key`` is its path."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"cannot use {key}: {why}")
        self.key = key


def only(said: Mapping[str, Any], key: str, *known: str) -> None:
    """See that nothing else is there.  Raises `PodError`."""
    for name in said:
        if name not in known:
            raise PodError(f"{key}.{name}", "a container group has no such thing")


def _quantity(value: Any, key: str) -> float:
    found = _QUANTITY.fullmatch(str(value))
    if found is None:
        raise PodError(key, f"{value!r} is no quantity such as 500m or 1Gi")
    return float(found[1]) * _UNITS[found[2] or ""]


def cores(value: Any, key: str) -> float:
    """Read a number of cores: ``500m`` is 0.5."""
    return round(_quantity(value, key), 4)


def gigabytes(value: Any, key: str) -> float:
    """Read an amount of memory in GB of 2**30 bytes."""
    return float(f"{_quantity(value, key) / (1 << 30):.4g}")
