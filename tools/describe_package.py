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
import warnings
from typing import Any

_KEYWORD = re.compile(r":keyword (?:[\w.~]+ )?(\w+):")


class _Credential:
    """Stands in for a credential; nobody asks it."""

    def get_token(self, *_: object, **__: object) -> None:
        """Give nothing."""

    def signed_session(self, *_: object) -> None:
        """Give nothing; what 1.x looks for."""


def function(each: Any) -> dict[str, Any]:
    """Describe one operation."""
    parameters = [
        [name, parameter.kind.name, parameter.default is not inspect.Parameter.empty]
        for name, parameter in inspect.signature(each).parameters.items()
        if name != "self"
    ]
    documented = sorted(set(_KEYWORD.findall(inspect.getdoc(each) or "")))
    return {"parameters": parameters, "async": inspect.iscoroutinefunction(each), "keywords": documented}


def client(package: str) -> dict[str, Any]:
    """Describe the groups of operations of a client."""
    cls = importlib.import_module(package).ContainerInstanceManagementClient
    made = cls(_Credential(), "00000000-0000-0000-0000-000000000000")
    groups: dict[str, Any] = {}
    for name in dir(made):
        value = None if name.startswith("_") else getattr(made, name, None)
        if not type(value).__name__.endswith("Operations"):
            continue
        groups[name] = {
            method: function(each)
            for method, each in inspect.getmembers(type(value), callable)
            if not method.startswith("_") and method != "models"
        }
    methods = {
        name: function(each) for name, each in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")
    }
    return {"groups": groups, "methods": methods}


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
            found[name] = {"members": members(value)}
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
