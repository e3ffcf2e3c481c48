"""The functions that depend on their arguments only."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import quote, unquote, urljoin

from msgspec import Struct

from ..faults import Fault
from ..jsonc import loads
from .expressions import TemplateError
from .hashes import guid, unique_string
from .texts import date_add, format_text, from_epoch, to_epoch
from .values import LONGEST_LIST, LONGEST_TEXT, Value, kind, mark, member, same, short_list, short_text, text_of

MANY = 10_000


class Function(Struct, frozen=True):
    """A function: how many arguments it takes, and what it does with them."""

    least: int
    most: int
    call: Callable[..., Value]


FUNCTIONS: dict[str, Function] = {}
"""By lower-case name."""


def _function(name: str, least: int, most: int | None = None) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    def add(call: Callable[..., Value]) -> Callable[..., Value]:
        FUNCTIONS[name.lower()] = Function(least, least if most is None else most, call)
        return call

    return add


def _want(value: Value, *kinds: str) -> Any:
    if kind(value) not in kinds:
        raise TemplateError(f"expected {' or '.join(kinds)}, found {kind(value)}")
    return value


def _text(value: Value) -> str:
    return str(_want(value, "string"))


def _int(value: Value) -> int:
    found = _want(value, "int")
    if not isinstance(found, int) or abs(found) >= 1 << 63:
        raise TemplateError("expected an integer of 64 bits")
    return found


def _bounded(value: int) -> int:
    return _int(value)


# --- texts ---


@_function("concat", 0, MANY)
def _concat(*values: Value) -> Value:
    if values and isinstance(values[0], list):
        return short_list([item for each in values for item in _want(each, "array")])
    return short_text("".join(text_of(_want(each, "string", "int", "bool", "null")) for each in values))


@_function("format", 1, MANY)
def _format(pattern: Value, *values: Value) -> str:
    return format_text(_text(pattern), values)


@_function("string", 1)
def _string(value: Value) -> str:
    return short_text(text_of(value))


@_function("replace", 3)
def _replace(value: Value, old: Value, new: Value) -> str:
    text, old, new = _text(value), _text(old), _text(new)
    if not old:
        raise TemplateError("the text to replace is empty")
    if len(text) + text.count(old) * len(new) > 2 * LONGEST_TEXT:
        raise TemplateError(f"A text would be longer than {LONGEST_TEXT} characters")
    return short_text(text.replace(old, new))


@_function("padLeft", 2, 3)
def _pad(value: Value, width: Value, fill: Value = " ") -> str:
    if len(_text(fill)) != 1 or not 0 <= _int(width) <= LONGEST_TEXT:
        raise TemplateError("padLeft takes a width and one character")
    return text_of(_want(value, "string", "int")).rjust(width, fill)


@_function("substring", 2, 3)
def _substring(value: Value, start: Value, length: Value = None) -> str:
    text, start = _text(value), _int(start)
    end = len(text) if length is None else start + _int(length)
    if not 0 <= start <= end <= len(text):
        raise TemplateError("the index and length must be within the text")
    return text[start:end]


@_function("split", 2)
def _split(value: Value, marks: Value) -> list[str]:
    text = _text(value)
    by = [_text(each) for each in (marks if isinstance(marks, list) else [marks])]
    parts = [text]
    for each in by:
        parts = [piece for part in parts for piece in (part.split(each) if each else [part])]
        short_list(parts)
    return parts


@_function("join", 2)
def _join(items: Value, mark: Value) -> str:
    return short_text(_text(mark).join(text_of(each) for each in _want(items, "array")))


@_function("startsWith", 2)
def _starts(text: Value, start: Value) -> bool:
    return _text(text).lower().startswith(_text(start).lower())


@_function("endsWith", 2)
def _ends(text: Value, end: Value) -> bool:
    return _text(text).lower().endswith(_text(end).lower())


for _name, _change in (("toLower", str.lower), ("toUpper", str.upper), ("trim", str.strip)):
    _function(_name, 1)(lambda value, change=_change: change(_text(value)))


@_function("base64", 1)
def _base64(value: Value) -> str:
    return base64.b64encode(_text(value).encode()).decode()


def _from_base64(value: Value) -> str:
    try:
        return base64.b64decode(_text(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise TemplateError("the text is not base64 of UTF-8") from None


_function("base64ToString", 1)(_from_base64)


def _json(value: Value) -> Value:
    try:
        return loads(_text(value).encode())
    except Fault:
        raise TemplateError("the text is not JSON") from None


_function("json", 1)(_json)
_function("base64ToJson", 1)(lambda value: _json(_from_base64(value)))


@_function("dataUri", 1)
def _data_uri(value: Value) -> str:
    return f"data:text/plain;charset=utf8;base64,{_base64(value)}"


@_function("dataUriToString", 1)
def _from_data_uri(value: Value) -> str:
    head, _, data = _text(value).partition(",")
    if not head.startswith("data:"):
        raise TemplateError("the text is not a data URI")
    return _from_base64(data) if head.endswith(";base64") else unquote(data)


_function("uri", 2)(lambda base, part: urljoin(_text(base), _text(part)))
_function("uriComponent", 1)(lambda value: short_text(quote(_text(value), safe="-_.~")))
_function("uriComponentToString", 1)(lambda value: unquote(_text(value)))
_function("guid", 1, MANY)(lambda *values: guid([text_of(_want(each, "string", "int")) for each in values]))
_function("uniqueString", 1, MANY)(lambda *values: unique_string([_text(each) for each in values]))
_function("dateTimeAdd", 2, 3)(
    lambda base, span, pattern=None: date_add(_text(base), _text(span), None if pattern is None else _text(pattern))
)
_function("dateTimeFromEpoch", 1)(lambda seconds: from_epoch(_int(seconds)))
_function("dateTimeToEpoch", 1)(lambda text: to_epoch(_text(text)))


# --- arrays and objects ---


@_function("array", 1)
def _array(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


_function("createArray", 0, MANY)(lambda *values: list(values))


@_function("createObject", 0, MANY)
def _object(*values: Value) -> dict[str, Value]:
    if len(values) % 2:
        raise TemplateError("createObject takes pairs of a name and a value")
    return {_text(name): value for name, value in zip(values[::2], values[1::2], strict=True)}


@_function("length", 1)
def _length(value: Value) -> int:
    return len(_want(value, "string", "array", "object"))


@_function("empty", 1)
def _empty(value: Value) -> bool:
    return value is None or not _want(value, "string", "array", "object")


@_function("contains", 2)
def _contains(value: Value, item: Value) -> bool:
    match _want(value, "string", "array", "object"):
        case str() as text:
            return text_of(_want(item, "string", "int")) in text
        case list() as items:
            return any(same(each, item) for each in items)
        case held:
            return bool(member(held, _text(item)))


@_function("first", 1)
def _first(value: Value) -> Value:
    if isinstance(value, str):
        return value[:1]
    return _want(value, "array")[0] if value else None


@_function("last", 1)
def _last(value: Value) -> Value:
    if isinstance(value, str):
        return value[-1:]
    return _want(value, "array")[-1] if value else None


@_function("take", 2)
def _take(value: Value, count: Value) -> Value:
    return _want(value, "string", "array")[: max(0, _int(count))]


@_function("skip", 2)
def _skip(value: Value, count: Value) -> Value:
    return _want(value, "string", "array")[max(0, _int(count)) :]


@_function("indexOf", 2)
def _index(value: Value, item: Value) -> int:
    if isinstance(value, str):
        return value.lower().find(_text(item).lower())
    return next((at for at, each in enumerate(_want(value, "array")) if same(each, item)), -1)


@_function("lastIndexOf", 2)
def _last_index(value: Value, item: Value) -> int:
    if isinstance(value, str):
        return value.lower().rfind(_text(item).lower())
    return max((at for at, each in enumerate(_want(value, "array")) if same(each, item)), default=-1)


@_function("range", 2)
def _range(start: Value, count: Value) -> list[int]:
    if not 0 <= _int(count) <= LONGEST_LIST:
        raise TemplateError(f"the count must be between 0 and {LONGEST_LIST}")
    return list(range(_int(start), start + count))


@_function("union", 1, MANY)
def _union(*values: Value) -> Value:
    if isinstance(values[0], list):
        return short_list(list({mark(item): item for each in values for item in _want(each, "array")}.values()))
    merged: dict[str, Value] = {}
    for each in values:
        merged = _merged(merged, _want(each, "object"))
    return merged


def _merged(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    """Merge objects, and the objects in them."""
    out = dict(one)
    for name, value in other.items():
        held = out.get(name)
        out[name] = _merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return out


@_function("shallowMerge", 1)
def _shallow(items: Value) -> dict[str, Value]:
    return {name: value for each in _want(items, "array") for name, value in _want(each, "object").items()}


@_function("intersection", 1, MANY)
def _intersection(first: Value, *others: Value) -> Value:
    if isinstance(first, list):
        found = {mark(item): item for item in first}
        for other in others:
            there = {mark(item) for item in _want(other, "array")}
            found = {each: item for each, item in found.items() if each in there}
        return list(found.values())
    return {
        name: value
        for name, value in _want(first, "object").items()
        if all(name in _want(other, "object") and same(other[name], value) for other in others)
    }


@_function("items", 1)
def _items(value: Value) -> list[Value]:
    return [{"key": name, "value": each} for name, each in sorted(_want(value, "object").items())]


@_function("objectKeys", 1)
def _keys(value: Value) -> list[str]:
    return sorted(_want(value, "object"))


@_function("flatten", 1)
def _flatten(value: Value) -> list[Value]:
    return short_list([item for each in _want(value, "array") for item in _want(each, "array")])


@_function("tryGet", 2, MANY)
def _try_get(value: Value, *path: Value) -> Value:
    for part in path:
        if isinstance(value, dict) and isinstance(part, str):
            name = member(value, part)
            value = value[name[0]] if name else None
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if 0 <= part < len(value) else None
        else:
            return None
    return value


# --- ranges of addresses ---


def _network(text: Value) -> IPv4Network | IPv6Network:
    try:
        return ip_network(_text(text), strict=False)
    except ValueError:
        raise TemplateError(f"'{str(text)[:60]}' is not a range of addresses") from None


@_function("parseCidr", 1)
def _parse_cidr(text: Value) -> dict[str, Value]:
    network = _network(text)
    out = {"network": str(network[0]), "netmask": str(network.netmask), "cidr": network.prefixlen,
           "firstUsable": str(network[min(1, network.num_addresses - 1)]),
           "lastUsable": str(network[max(0, network.num_addresses - 2)])}  # fmt: skip
    return out | ({"broadcast": str(network[-1])} if network.version == 4 else {})  # noqa: PLR2004


@_function("cidrSubnet", 3)
def _cidr_subnet(text: Value, prefix: Value, index: Value) -> str:
    network, length, at = _network(text), _int(prefix), _int(index)
    if not network.prefixlen <= length <= network.max_prefixlen or not 0 <= at < 1 << (length - network.prefixlen):
        raise TemplateError("there is no such subnet in the range")
    start = int(network.network_address) + (at << (network.max_prefixlen - length))
    return f"{type(network.network_address)(start)}/{length}"


@_function("cidrHost", 2)
def _cidr_host(text: Value, index: Value) -> str:
    network, at = _network(text), _int(index)
    if not 0 <= at < network.num_addresses - 1:
        raise TemplateError("there is no such address in the range")
    return str(network[at + 1])


# --- numbers, comparisons, logic ---


def _numbers(values: tuple[Value, ...]) -> list[int]:
    items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    if not items:
        raise TemplateError("expected at least one number")
    return [_int(each) for each in items]


def _divisor(value: Value) -> int:
    if _int(value) == 0:
        raise TemplateError("division by zero")
    return _int(value)


def _toward_zero(one: int, other: int) -> int:
    return abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)


_function("add", 2)(lambda one, other: _bounded(_int(one) + _int(other)))
_function("sub", 2)(lambda one, other: _bounded(_int(one) - _int(other)))
_function("mul", 2)(lambda one, other: _bounded(_int(one) * _int(other)))
_function("div", 2)(lambda one, other: _toward_zero(_int(one), _divisor(other)))
_function("mod", 2)(lambda one, other: _int(one) - _toward_zero(_int(one), _divisor(other)) * other)
_function("min", 1, MANY)(lambda *values: min(_numbers(values)))
_function("max", 1, MANY)(lambda *values: max(_numbers(values)))
_function("null", 0)(lambda: None)
_function("true", 0)(lambda: True)
_function("false", 0)(lambda: False)
_function("not", 1)(lambda value: not _want(value, "bool"))
_function("equals", 2)(same)


@_function("int", 1)
def _to_int(value: Value) -> int:
    try:
        return _bounded(int(_want(value, "string", "int")))
    except (ValueError, OverflowError):
        raise TemplateError(f"'{str(value)[:40]}' is not an integer") from None


@_function("float", 1)
def _to_float(value: Value) -> float:
    try:
        found = float(_want(value, "string", "int"))
    except ValueError:
        raise TemplateError(f"'{str(value)[:40]}' is not a number") from None
    if found != found or found in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN differs from itself
        raise TemplateError(f"'{str(value)[:40]}' is not a number")
    return found


@_function("bool", 1)
def _to_bool(value: Value) -> bool:
    match _want(value, "string", "int", "bool"):
        case str() as text if text.lower() in ("true", "false", "1", "0"):
            return text.lower() in ("true", "1")
        case str() as text:
            raise TemplateError(f"'{text[:40]}' is not a bool")
        case other:
            return bool(other)


def _compare(one: Value, other: Value) -> int:
    if kind(one) != kind(other) or kind(one) not in ("int", "string"):
        raise TemplateError(f"can't compare {kind(one)} with {kind(other)}")
    return int(one > other) - int(one < other)


_function("less", 2)(lambda one, other: _compare(one, other) < 0)
_function("lessOrEquals", 2)(lambda one, other: _compare(one, other) <= 0)
_function("greater", 2)(lambda one, other: _compare(one, other) > 0)
_function("greaterOrEquals", 2)(lambda one, other: _compare(one, other) >= 0)
