"""The vocabulary of Hythe: container groups, resource groups and what is in them, as plain data.

What fewer programs need is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from . import common as _common
from . import container_group as _container_group
from . import enums as _enums
from . import resources as _resources
from ._base import Model
from ._reading import TooDeep, wire_form
from ._twin import from_builtins, from_json, to_builtins, to_json, wire_type
from .common import *  # noqa: F403
from .container_group import *  # noqa: F403
from .enums import *  # noqa: F403
from .resources import *  # noqa: F403

if TYPE_CHECKING:
    from .authorization import *  # noqa: F403
    from .containers import *  # noqa: F403
    from .deployments import *  # noqa: F403
    from .identities import *  # noqa: F403
    from .locations import *  # noqa: F403
    from .n_groups import *  # noqa: F403
    from .networks import *  # noqa: F403
    from .profiles import *  # noqa: F403
    from .sandbox_groups import *  # noqa: F403
    from .workspaces import *  # noqa: F403

_LATER = {
    "authorization": "RoleAssignment Permission RoleDefinition",
    "containers": (
        "Logs ContainerExecRequestTerminalSize ContainerExecRequest ContainerExecResponse "
        "ContainerAttachResponse UsageName Usage UsageListResult OperationDisplay Operation "
        "OperationListResult"
    ),
    "deployments": "Deployment",
    "identities": "ManagedIdentity",
    "locations": (
        "CachedImages CachedImagesListResult CapabilitiesCapabilities Capabilities CapabilitiesListResult"
    ),
    "n_groups": (
        "ApiEntityReference LoadBalancerBackendAddressPool LoadBalancer ApplicationGatewayBackendAddressPool "
        "ApplicationGateway NetworkProfile FileShareProperties FileShare StorageProfile "
        "NGroupCGPropertyVolume NGroupCGPropertyContainerProperties NGroupCGPropertyContainer "
        "NGroupContainerGroupProperties ContainerGroupProfileStub "
        "ElasticProfileContainerGroupNamingPolicyGuidNamingPolicy ElasticProfileContainerGroupNamingPolicy "
        "ElasticProfile PlacementProfile UpdateProfileRollingUpdateProfile UpdateProfile NGroupIdentity "
        "NGroupProperties NGroup NGroupPatch NGroupsListResult"
    ),
    "networks": "AddressSpace Delegation ServiceEndpoint DhcpOptions Subnet VirtualNetwork",
    "profiles": (
        "ContainerGroupProfileProperties ContainerGroupProfile ContainerGroupProfileListResult "
        "ContainerGroupProfilePatch"
    ),
    "sandbox_groups": (
        "ManagedServiceIdentity SubnetReference SandboxGroupNetworkProfile SandboxGroupProperties "
        "SandboxGroup SandboxGroupListResult SandboxGroupTagsUpdate SandboxGroupAccessToken"
    ),
    "workspaces": "WorkspaceSku Workspace SharedKeys",
}
"""The models of each module that is loaded when one of them is first used."""
_MODULES = {name: module for module, names in _LATER.items() for name in names.split()}

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
        for module in (_enums, _common, _container_group, _resources)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ),
    *_MODULES,
]


if not TYPE_CHECKING:

    def __getattr__(name):
        """Load the module of a model when it is first used."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        globals()[name] = found = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
