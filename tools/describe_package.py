"""Print what a package for container groups offers, as JSON: operations with their parameters, models, enums.

Runs in the environment of the package that it describes: ``python describe_package.py azure.mgmt.containerinstance``.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import re
import sys
import types
import typing
import warnings
from typing import Any

_KEYWORD = re.compile(r":keyword (?:[\w.~]+ )?(\w+):")


class _Credential:
    """Stands in for a credential; nobody asks it."""

    def get_token(self, *_: object, **__: object) -> None:
        """Give nothing."""

    def signed_session(self, *_: object) -> None:
        """Give nothing; what 1.x looks for."""


Parameters = list[list[Any]]


def parameters(each: Any) -> Parameters:
    """Give name, kind, and whether there is a default, of each parameter."""
    return [
        [name, parameter.kind.name, parameter.default is not inspect.Parameter.empty]
        for name, parameter in inspect.signature(each).parameters.items()
        if name != "self"
    ]


def function(each: Any) -> dict[str, Any]:
    """Describe one operation, or a class by what makes it."""
    documented = sorted(set(_KEYWORD.findall(inspect.getdoc(each) or "")))
    return {"parameters": parameters(each), "async": inspect.iscoroutinefunction(each), "keywords": documented}


def constructors(model: Any) -> list[Parameters]:
    """Give the ways to make a model: of keyword arguments, and of a mapping if that goes."""
    if hasattr(model, "__struct_fields__"):  # ours: what its metaclass takes besides
        older = [[name, "KEYWORD_ONLY", True] for name in vars(model).get("__aliases__", ())]
        whole = [["properties", "KEYWORD_ONLY", True]] if model.__outer__ else []
        return [[*parameters(model), *older, *whole], [["mapping", "POSITIONAL_OR_KEYWORD", False]]]
    make = model.__init__
    written = typing.get_overloads(make) if isinstance(make, types.FunctionType) else []
    return [parameters(each) for each in written or [make]]  # what has overloads says *args, **kwargs itself


def attributes(made: Any) -> list[str]:
    """Name what is public on an object, beside its methods and the groups of operations."""
    names = [name for name in dir(made) if not name.startswith("_")]
    held = {name: getattr(made, name) for name in names}
    return [
        name
        for name, value in held.items()
        if not inspect.isroutine(value) and not type(value).__name__.endswith("Operations")
    ]


def client(package: str) -> dict[str, Any]:
    """Describe the groups of operations of a client."""
    cls = importlib.import_module(package).ContainerInstanceManagementClient
    made = cls(_Credential(), "00000000-0000-0000-0000-000000000000")
    groups: dict[str, Any] = {}
    held: dict[str, list[str]] = {}
    for name in dir(made):
        value = None if name.startswith("_") else getattr(made, name, None)
        if not type(value).__name__.endswith("Operations"):
            continue
        groups[name] = {
            method: function(each)
            for method, each in inspect.getmembers(type(value), callable)
            if not method.startswith("_") and method != "models"
        }
        held[name] = attributes(value)
    methods = {
        name: function(each) for name, each in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")
    }
    return {
        "groups": groups,
        "methods": methods,
        "constructor": function(cls),
        "attributes": {"": attributes(made), **held},
        "classes": sorted(importlib.import_module(f"{package}.operations").__all__),
    }


def members(model: type) -> list[str]:
    """Name the members of a model, of whichever of Microsoft's two kinds, or of ours."""
    if hasattr(model, "_attribute_map"):
        return sorted(model._attribute_map)
    if hasattr(model, "__struct_fields__"):
        return sorted(
            {name for name in dir(model) if not name.startswith("_")} | set(vars(model).get("__aliases__", ()))
        )
    names: set[str] = set()
    for base in model.__mro__:
        names |= {name for name in getattr(base, "__annotations__", {}) if not name.startswith("_")}
        names |= set(base.__dict__.get(f"_{base.__name__}__flattened_items", ()))
    return sorted(names - {""})


def models(package: str) -> dict[str, Any]:
    """Describe the models and the enums."""
    module = importlib.import_module(f"{package}.models")
    found: dict[str, Any] = {}
    for name in getattr(module, "__all__", dir(module)):
        value = getattr(module, name)
        if name.startswith("_") or not inspect.isclass(value):
            continue
        if issubclass(value, enum.Enum):
            found[name] = {"enum": {key: each.value for key, each in value.__members__.items()}}
        elif value.__module__.startswith(package):
            found[name] = {"members": members(value), "constructors": constructors(value)}
    return found


def main(package: str) -> None:
    """Describe a package."""
    warnings.simplefilter("ignore")
    said: dict[str, Any] = {"sync": client(package), "models": models(package)}
    try:
        said["async"] = client(f"{package}.aio")
    except ModuleNotFoundError:
        said["async"] = None  # 1.x has none
    json.dump(said, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
