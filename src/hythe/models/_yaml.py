"""Reads and writes the YAML of ``az container create --file`` and ``az container export``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import msgspec.yaml

from ._base import Model, without_read_only
from ._reading import from_dict
from ._twin import to_builtins

M = TypeVar("M", bound=Model)

API_VERSION = "2026-07-01"
"""The one that files are written for unless another is asked for; `hythe.wire.versions.NEWEST`."""

_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})")
_ORDER = ("apiVersion", "name", "location", "tags", "zones", "identity", "properties", "type")


def from_yaml(model: type[M], text: str | bytes, variables: Mapping[str, str] | None) -> M:
    """Read a definition.  Raises `ValueError` that says what is wrong where."""
    written = text.decode() if isinstance(text, bytes) else text
    try:
        value = msgspec.yaml.decode(_expand(written, variables or {}))
    except msgspec.DecodeError as why:
        raise ValueError(f"cannot read the YAML: {why}") from why
    if isinstance(value, dict):
        value = {key: each for key, each in value.items() if key not in ("apiVersion", "type")}
    return from_dict(model, value)


def _expand(text: str, variables: Mapping[str, str]) -> str:
    """Put values in the place of ``$NAME`` and ``${NAME}``; a name without a value stays as it is."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], found[0]), text)


def to_yaml(model: Model, api_version: str | None, arm_type: str) -> str:
    """Write a definition, without what only the service writes."""
    wire: dict[str, Any] = to_builtins(without_read_only(model))
    wire = {"apiVersion": api_version or API_VERSION, **wire, "type": arm_type}
    ordered = {name: wire[name] for name in _ORDER if name in wire}
    return msgspec.yaml.encode(ordered | wire).decode()
