"""The vocabulary of Hythe: container groups, resource groups and what is in them, as plain data."""

from __future__ import annotations

from . import container_group as _container_group
from . import enums as _enums
from . import resources as _resources
from ._base import Model
from ._twin import from_builtins, from_json, to_builtins, to_json, wire_type
from .container_group import *  # noqa: F403
from .enums import *  # noqa: F403
from .resources import *  # noqa: F403

__all__ = [
    "Model",
    "from_builtins",
    "from_json",
    "to_builtins",
    "to_json",
    "wire_type",
    *(
        name
        for module in (_enums, _container_group, _resources)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ),
]
