"""Reads bodies as leniently as Azure does: names and words in any case, ``"80"`` for 80, unknown members ignored.

Azure's clients send all of that: documented YAML says ``memoryInGb`` and ``tcp``, exports carry members that only the
service writes, and older tools send numbers as text.
"""

from __future__ import annotations

import types
import typing
from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec

from ..models import Model, from_builtins, wire_type
from .faults import invalid_content

M = TypeVar("M", bound=Model)

_MOST_DEPTH = 32


@cache
def _members(struct: type[msgspec.Struct]) -> dict[str, tuple[str, Any]]:
    """Give the members of a struct by their lower-case wire names."""
    hints = typing.get_type_hints(struct, include_extras=True)
    return {
        field.encode_name.lower(): (field.encode_name, hints[field.name]) for field in msgspec.structs.fields(struct)
    }


def _fold(value: Any, hint: Any, depth: int = 0) -> Any:
    """Write members and words of a JSON value as the contract does."""
    if depth > _MOST_DEPTH:
        raise invalid_content(f"it is nested more than {_MOST_DEPTH} levels deep")
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return value if value is None or len(inner) != 1 else _fold(value, inner[0], depth)
    if origin is Annotated:
        base, *extras = typing.get_args(hint)
        for extra in extras:
            words = (extra.extra or {}).get("words") if isinstance(extra, msgspec.Meta) else None
            if words and isinstance(value, str):
                return words.get(value.lower(), value)
        return _fold(value, base, depth)
    if origin is list and isinstance(value, list):
        (item,) = typing.get_args(hint)
        return [_fold(each, item, depth + 1) for each in value]
    if origin is dict and isinstance(value, dict):
        _, item = typing.get_args(hint)
        if item is str:  # tags: the documented ones of sets have true as their value
            value = {key: str(each).lower() if isinstance(each, bool) else each for key, each in value.items()}
        return {key: _fold(each, item, depth + 1) for key, each in value.items()}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct) and isinstance(value, dict):
        members = _members(hint)
        folded = {}
        for key, each in value.items():
            known = members.get(key.lower())
            if known is not None:
                folded[known[0]] = _fold(each, known[1], depth + 1)
        return folded
    if hint is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def read_value(model: type[M], value: Any) -> M:
    """Read a decoded body.  Raises `Fault` (InvalidRequestContent) with the JSON path."""
    if not isinstance(value, dict):
        raise invalid_content("Expected a JSON object")
    try:
        return from_builtins(model, _fold(value, wire_type(model)), strict=False)
    except msgspec.ValidationError as error:
        raise invalid_content(_sentence(str(error))) from None


def read(model: type[M], body: bytes) -> M:
    """Read a JSON body.  Raises `Fault` (InvalidRequestContent) that says what is wrong and where."""
    if not body.strip():
        raise invalid_content("Expected a JSON object, found nothing")
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid_content(str(error)) from None
    except UnicodeDecodeError:
        raise invalid_content("it is not UTF-8") from None
    return read_value(model, value)


def _sentence(error: str) -> str:
    """Say in the service's words what msgspec found."""
    what, _, path = error.partition(" - at `")
    path = path.rstrip("`").removeprefix("$").removeprefix(".")
    if what.startswith("Object missing required field"):
        return f"Required property '{what.split('`')[1]}' not found in JSON. Path '{path}'."
    return f"{what}. Path '{path}'."
