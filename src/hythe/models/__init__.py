"""The vocabulary of Hythe: container groups, resource groups and what is in them, as plain data."""

from __future__ import annotations

from . import authorization as _authorization
from . import common as _common
from . import container_group as _container_group
from . import deployments as _deployments
from . import enums as _enums
from . import identities as _identities
from . import locations as _locations
from . import n_groups as _n_groups
from . import networks as _networks
from . import profiles as _profiles
from . import resources as _resources
from . import sandbox_groups as _sandbox_groups
from ._base import Model
from ._reading import TooDeep, wire_form
from ._twin import from_builtins, from_json, to_builtins, to_json, wire_type
from .authorization import *  # noqa: F403
from .common import *  # noqa: F403
from .container_group import *  # noqa: F403
from .deployments import *  # noqa: F403
from .enums import *  # noqa: F403
from .identities import *  # noqa: F403
from .locations import *  # noqa: F403
from .n_groups import *  # noqa: F403
from .networks import *  # noqa: F403
from .profiles import *  # noqa: F403
from .resources import *  # noqa: F403
from .sandbox_groups import *  # noqa: F403

__all__ = [
    "Model",
    "TooDeep",
    "from_builtins",
    "from_json",
    "to_builtins",
    "to_json",
    "wire_form",
    "wire_type",
    *(
        name
        for module in (
            _enums,
            _authorization,
            _common,
            _container_group,
            _deployments,
            _identities,
            _locations,
            _n_groups,
            _networks,
            _profiles,
            _resources,
            _sandbox_groups,
        )
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ),
]
