"""Derives the wire twin of a flat model, and converts between the two.

ARM nests most members of a resource under ``properties``; Python users write them flat.  A model is declared
once, flat; its twin is made here with `msgspec.defstruct`, so JSON is decoded straight into structs (a pass
through dicts would take five times as long), and small compiled functions move the members across.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec

from ._base import Model, wire_name

M = TypeVar("M", bound=Model)

_DICT = " if f.__class__ is dict: f = read(f)\n"
"""A dict that was assigned where a model belongs is taken for the model."""


class _Twin(typing.NamedTuple):
    wire: type[msgspec.Struct]
    to_flat: Callable[[Any], Any]
    to_wire: Callable[[Any], Any]


def _models_in(hint: Any) -> list[type[Model]]:
    if isinstance(hint, type) and issubclass(hint, Model):
        return [hint]
    return [model for part in typing.get_args(hint) for model in _models_in(part)]


def _replace(hint: Any) -> Any:
    """Put twins in the place of models inside a type hint."""
    if isinstance(hint, type) and issubclass(hint, Model):
        twin = _twin(hint)
        return twin.wire if twin else hint
    args = typing.get_args(hint)
    if not args:
        return hint
    new = tuple(_replace(arg) for arg in args)
    if new == args:
        return hint
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return typing.Union[new]  # noqa: UP007  (the parts are known only here)
    return origin[new]


def _converter(hint: Any, direction: str, names: dict[str, Any]) -> str | None:
    """Write the expression that converts ``{v}`` of this hint, or None where nothing has to change."""
    models = [model for model in _models_in(hint) if _twin(model)]
    if not models:
        return None
    (model,) = models
    function = f"{direction}_{model.__name__}"
    names[function] = getattr(_twin(model), direction)
    inner = [typing.get_origin(arg) for arg in typing.get_args(hint)] + [typing.get_origin(hint)]
    if list in inner:
        return f"(None if {{v}} is None else [{function}(x) for x in {{v}}])"
    if dict in inner:
        return f"(None if {{v}} is None else {{{{k: {function}(x) for k, x in {{v}}.items()}}}})"
    return f"(None if {{v}} is None else {function}({{v}}))"


def _compile(source: str, names: dict[str, Any]) -> Callable[[Any], Any]:
    exec(source, names)  # noqa: S102  the text is made of our own field names only
    return typing.cast(Callable[[Any], Any], names["convert"])


@cache
def _twin(cls: type[Model]) -> _Twin | None:
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = msgspec.structs.fields(cls)
    nested = bool(cls.__outer__)
    inner = {model for field in fields for model in _models_in(hints[field.name])} - {cls}
    if not nested and not any(_twin(model) for model in inner):
        return None

    def declare(name: str, chosen: list[Any]) -> type[msgspec.Struct]:
        declared: list[Any] = []
        for field in chosen:
            hint = _replace(hints[field.name])
            declared.append((field.name, hint) if field.required else (field.name, hint, field.default))
        return msgspec.defstruct(
            name, declared, kw_only=True, omit_defaults=True, gc=False, rename=wire_name, module=cls.__module__
        )

    # past the constructor for people, which looks at every argument
    flat_names: dict[str, Any] = {"make": msgspec.StructMeta.__call__, "flat": cls}
    wire_names: dict[str, Any] = {"read": cls.from_dict}

    def move(chosen: list[Any], source: str, direction: str, names: dict[str, Any]) -> str:
        parts = []
        for field in chosen:
            value = f"{source}.{field.name}"
            expression = _converter(hints[field.name], direction, names)
            parts.append(f"{field.name}={expression.format(v=value) if expression else value}")
        return ", ".join(parts)

    if nested:
        outer = [field for field in fields if field.name in cls.__outer__]
        within = [field for field in fields if field.name not in cls.__outer__]
        properties = declare(f"{cls.__name__}Properties", within)
        wire = msgspec.defstruct(
            f"{cls.__name__}Wire",
            [
                ("properties", properties | None, None),
                *(
                    (f.name, _replace(hints[f.name])) if f.required else (f.name, _replace(hints[f.name]), f.default)
                    for f in outer
                ),
            ],
            kw_only=True,
            omit_defaults=True,
            gc=False,
            rename=wire_name,
            module=cls.__module__,
        )
        flat_names["empty"] = properties
        wire_names.update(wire=wire, properties=properties)
        beside, under = move(outer, "w", "to_flat", flat_names), move(within, "p", "to_flat", flat_names)
        to_flat = _compile(
            f"def convert(w):\n p = w.properties\n if p is None: p = empty()\n return make(flat, {beside}, {under})",
            flat_names,
        )
        to_wire = _compile(
            f"def convert(f):\n{_DICT} return wire({move(outer, 'f', 'to_wire', wire_names)},"
            f" properties=properties({move(within, 'f', 'to_wire', wire_names)}))",
            wire_names,
        )
    else:
        wire = declare(f"{cls.__name__}Wire", list(fields))
        wire_names["wire"] = wire
        every = list(fields)
        to_flat = _compile(
            f"def convert(w):\n return make(flat, {move(every, 'w', 'to_flat', flat_names)})", flat_names
        )
        to_wire = _compile(
            f"def convert(f):\n{_DICT} return wire({move(every, 'f', 'to_wire', wire_names)})", wire_names
        )
    return _Twin(wire, to_flat, to_wire)


@cache
def _decoder(cls: type[Model]) -> tuple[msgspec.json.Decoder[Any], Callable[[Any], Any] | None]:
    twin = _twin(cls)
    return (msgspec.json.Decoder(twin.wire), twin.to_flat) if twin else (msgspec.json.Decoder(cls), None)


def wire_type(cls: type[Model]) -> type[msgspec.Struct]:
    """Return the struct that has exactly the members of the wire."""
    twin = _twin(cls)
    return twin.wire if twin else cls


def from_json(cls: type[M], data: bytes | str | msgspec.Raw) -> M:
    """Decode a JSON document of the wire into the flat model.  Raises `msgspec.ValidationError` with a path."""
    decoder, to_flat = _decoder(cls)
    decoded = decoder.decode(data)
    return typing.cast(M, to_flat(decoded) if to_flat else decoded)


def from_builtins(cls: type[M], value: Any, *, strict: bool = True) -> M:
    """Convert dicts and lists in wire form into the flat model; ``strict=False`` also takes ``"80"`` for 80."""
    twin = _twin(cls)
    decoded = msgspec.convert(value, twin.wire if twin else cls, strict=strict)
    return typing.cast(M, twin.to_flat(decoded) if twin else decoded)


def to_json(model: Model) -> bytes:
    """Encode the flat model as the JSON document of the wire."""
    twin = _twin(type(model))
    return msgspec.json.encode(twin.to_wire(model) if twin else model)


def to_builtins(model: Model) -> dict[str, Any]:
    """Give the wire form as dicts and lists."""
    twin = _twin(type(model))
    return typing.cast(dict[str, Any], msgspec.to_builtins(twin.to_wire(model) if twin else model))
