"""Reads dicts that people and older tools write: names in any case, of the wire or of Python, nested or flat.

`wire_form` brings such a dict into the one form that the contract has; the models and the service read only that.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec

from ._base import Model, wire_name
from ._twin import from_builtins, to_builtins

M = TypeVar("M", bound=Model)

_MOST_DEPTH = 32
_PROPERTIES = "properties"


class TooDeep(ValueError):
    """Reports a value that is nested deeper than any definition."""


class _Member(NamedTuple):
    wire: str
    hint: Any
    inner: bool
    """Whether it stands under ``properties`` on the wire."""
    single: bool = False
    """Whether this is an older name that has one thing where there is a list of them now."""


@cache
def _members(model: type[Model], python_names: bool) -> dict[str, _Member]:
    """Give the members of a model by their names in lower case."""
    hints = typing.get_type_hints(model, include_extras=True)
    found: dict[str, _Member] = {}
    for name in model.__struct_fields__:
        inner = bool(model.__outer__) and name not in model.__outer__
        member = _Member(wire_name(name), hints[name], inner)
        found[member.wire.lower()] = member
        if python_names:
            found[name.lower()] = member
    if python_names:
        many = inner_models(model)
        for alias, name in model.__aliases__.items():
            found[alias.lower()] = found[name]._replace(single=name in many and many[name][1] is list)
    return found


def wire_form(
    model: type[Model], value: Mapping[str, Any], *, python_names: bool = True, known_only: bool = False
) -> dict[str, Any]:
    """Write a mapping as the contract does.  Raises `TooDeep`.

    ``python_names`` also takes ``os_type`` and members that stand beside ``properties`` instead of in it.
    ``known_only`` leaves out members that the model does not have; else they stay as they are.
    """
    return _Reader(python_names, known_only).model(model, value, 0)


class _Reader(NamedTuple):
    python_names: bool
    known_only: bool

    def model(self, model: type[Model], value: Mapping[str, Any], depth: int) -> dict[str, Any]:
        outer: dict[str, Any] = {}
        inner: dict[str, Any] = {}
        members = _members(model, self.python_names)
        for key, each in value.items():
            if model.__outer__ and _is_properties(key):
                each = to_builtins(each) if isinstance(each, Model) else each  # noqa: PLW2901
                if isinstance(each, Mapping):
                    inner.update(self._into(members, each, True, depth))
                elif each is not None:
                    outer[_PROPERTIES] = each  # reading it says what is wrong
        if self.python_names or not model.__outer__:
            beside = {key: each for key, each in value.items() if not (model.__outer__ and _is_properties(key))}
            both = self._into(members, beside, None, depth)
            for name, each in both.items():
                known = members.get(name.lower())
                (inner if known and known.inner else outer).setdefault(name, each)
        else:
            outer |= self._into(members, value, False, depth)
        if inner:
            outer[_PROPERTIES] = inner
        return outer

    def _into(
        self, members: dict[str, _Member], given: Mapping[str, Any], inner: bool | None, depth: int
    ) -> dict[str, Any]:
        """Read the members of one level: those under ``properties``, those beside it, or (None) all."""
        made: dict[str, Any] = {}
        for key, each in given.items():
            known = members.get(str(key).lower())
            if known is not None and inner in (None, known.inner):
                value = [each] if known.single and each is not None else each
                made[known.wire] = self.value(known.hint, value, depth + 1)
            elif not self.known_only:
                made[key] = _plain(each)
        return made

    def value(self, hint: Any, value: Any, depth: int) -> Any:
        """Read one value of a member."""
        if depth > _MOST_DEPTH:
            raise TooDeep(f"it is nested more than {_MOST_DEPTH} levels deep")
        value = value.value if isinstance(value, Enum) else value
        origin = typing.get_origin(hint)
        if origin in (typing.Union, types.UnionType):
            inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
            return value if value is None or len(inner) != 1 else self.value(inner[0], value, depth)
        if origin is Annotated:
            return self._word(hint, value, depth)
        if isinstance(value, Mapping):
            if isinstance(hint, type) and issubclass(hint, Model):
                return self.model(hint, value, depth)
            if origin is dict:
                item = typing.get_args(hint)[1]
                if item is str:  # tags: documented ones of sets have true as their value
                    value = {key: str(each).lower() if isinstance(each, bool) else each for key, each in value.items()}
                return {key: self.value(item, each, depth + 1) for key, each in value.items()}
        if origin is list and isinstance(value, list | tuple):
            return [self.value(typing.get_args(hint)[0], each, depth + 1) for each in value]
        return str(value) if hint is str and _is_number(value) else _plain(value)

    def _word(self, hint: Any, value: Any, depth: int) -> Any:
        base, *extras = typing.get_args(hint)
        for extra in extras:
            known = (extra.extra or {}).get("words") if isinstance(extra, msgspec.Meta) else None
            if known and isinstance(value, str):
                return known.get(value.lower(), value)
        return self.value(base, value, depth)


def _is_properties(key: Any) -> bool:
    return str(key).lower() == _PROPERTIES


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """Write the models inside a value as the wire does."""
    if isinstance(value, Model):
        return to_builtins(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def from_dict(model: type[M], value: Any) -> M:
    """Make a model of a mapping in any of the forms.  Raises `ValueError`."""
    if not isinstance(value, Mapping):
        raise ValueError(f"cannot make a {model.__name__} of {type(value).__name__}: give a mapping of its members")
    try:
        return from_builtins(model, wire_form(model, value), strict=False)
    except msgspec.ValidationError as why:
        raise ValueError(f"cannot make a {model.__name__}: {why}") from why


def flat_dict(model: Model) -> dict[str, Any]:
    """Write a model with Python's names and without ``properties``."""
    return {name: _flat(value) for name in model.__struct_fields__ if (value := getattr(model, name)) is not None}


def _flat(value: Any) -> Any:
    if isinstance(value, Model):
        return flat_dict(value)
    if isinstance(value, list):
        return [_flat(each) for each in value]
    if isinstance(value, dict):
        return {key: _flat(each) for key, each in value.items()}
    return msgspec.to_builtins(value)


@cache
def inner_models(model: type[Model]) -> dict[str, tuple[type[Model], type]]:
    """Name the members whose values are models, with the model and ``list``, ``dict`` or ``object`` for one alone."""
    hints = typing.get_type_hints(model)
    return {name: found for name in model.__struct_fields__ if (found := _model_in(hints[name])) is not None}


def _model_in(hint: Any, shape: type = object) -> tuple[type[Model], type] | None:
    if isinstance(hint, type) and issubclass(hint, Model):
        return hint, shape
    origin = typing.get_origin(hint)
    shape = origin if origin in (list, dict) else shape
    return next((found for arg in typing.get_args(hint) if (found := _model_in(arg, shape)) is not None), None)


def completed(model: type[Model], members: dict[str, Any]) -> dict[str, Any]:
    """Bring a constructor's arguments into the names and types of the fields."""
    fields = model.__struct_fields__
    inner = inner_models(model)
    for name in [name for name in members if name not in fields]:
        if name == _PROPERTIES and model.__outer__:
            members = {**_opened(model, members.pop(name)), **members}
        elif name in model.__aliases__:
            value, newer = members.pop(name), model.__aliases__[name]
            if value is not None:
                members[newer] = [value] if newer in inner and inner[newer][1] is list else value
    for name, value in members.items():
        if name in inner and isinstance(value, dict | list):
            members[name] = _modelled(*inner[name], value)
    return members


def _opened(model: type[Model], properties: Any) -> dict[str, Any]:
    """Give what is under ``properties`` as arguments of the flat constructor."""
    if isinstance(properties, Mapping):
        properties = from_dict(model, {_PROPERTIES: properties, **_placeholders(model)})
    names = [name for name in properties.__struct_fields__ if name not in model.__outer__]
    return {name: value for name in names if (value := getattr(properties, name)) is not None}


def _placeholders(model: type[Model]) -> dict[str, str]:
    """Stand in for members that must be there beside ``properties``."""
    return {field.encode_name: "" for field in msgspec.structs.fields(model) if field.required}


def _modelled(model: type[M], shape: type, value: Any) -> Any:
    """Turn dicts that stand for a model into it: one, those of a list, or those of a dict of models."""
    if isinstance(value, list) and shape is list:
        return [from_dict(model, each) if isinstance(each, dict) else each for each in value]
    if isinstance(value, dict) and shape is dict:
        return {key: from_dict(model, each) if isinstance(each, dict) else each for key, each in value.items()}
    return from_dict(model, value) if isinstance(value, dict) else value
