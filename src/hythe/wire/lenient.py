"""Reads bodies as leniently as Azure does: names and words in any case, ``"80"`` for 80, unknown members ignored.

Azure's clients send all of that: documented YAML says ``memoryInGb`` and ``tcp``, exports carry members that only the
service writes, and older tools send numbers as text.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from ..models import Model, TooDeep, from_builtins, wire_form
from .faults import invalid_content

M = TypeVar("M", bound=Model)


def read_value(model: type[M], value: Any) -> M:
    """Read a decoded body.  Raises `Fault` (InvalidRequestContent) with the JSON path."""
    if not isinstance(value, dict):
        raise invalid_content("Expected a JSON object")
    try:
        return from_builtins(model, wire_form(model, value, python_names=False, known_only=True), strict=False)
    except TooDeep as error:
        raise invalid_content(str(error)) from None
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
