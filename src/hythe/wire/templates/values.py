"""What values of the template language are, and how big: JSON, compared and written as Azure does."""

from __future__ import annotations

from typing import Any

import msgspec

from .expressions import TemplateError

LONGEST_TEXT = 131_072
LONGEST_LIST = 10_000

Value = Any
"""A JSON value."""


_KINDS = {type(None): "null", int: "int", float: "int", str: "string", list: "array", dict: "object"}


def kind(value: Value) -> str:
    """Name the type of a value."""
    if isinstance(value, bool):
        return "bool"
    return _KINDS.get(type(value), "lambda")


def text_of(value: Value) -> str:
    """Write a value as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    return msgspec.json.encode(value).decode()


def same(one: Value, other: Value) -> bool:
    """Tell whether two values are equal: 1 is not true, and texts differ by case."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(each, other[name]) for name, each in one.items())
    return bool(one == other)


def mark(value: Value) -> bytes:
    """Give what equal values have in common, to find them in a set."""
    return msgspec.json.encode(value, order="deterministic")


def member(value: dict[str, Value], name: str) -> tuple[str, ...]:
    """Find the real name of a member, in any case: a tuple of it, or none."""
    if name in value:
        return (name,)
    low = name.lower()
    return next(((each,) for each in value if each.lower() == low), ())


def weigh(value: Value, most: int) -> int:
    """Count the characters and items of a value, up to some more than ``most``."""
    total, stack = 0, [value]
    while stack and total <= most:
        each = stack.pop()
        total += 1
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, list):
            stack.extend(each)
        elif isinstance(each, dict):
            total += sum(map(len, each))
            stack.extend(each.values())
    return total


def short_text(text: str) -> str:
    """Refuse a text that is too long."""
    if len(text) > LONGEST_TEXT:
        raise TemplateError(f"A text would be longer than {LONGEST_TEXT} characters")
    return text


def short_list(items: list[Value]) -> list[Value]:
    """Refuse a list that is too long."""
    if len(items) > LONGEST_LIST:
        raise TemplateError(f"An array would have more than {LONGEST_LIST} items")
    return items
