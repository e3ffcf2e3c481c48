"""What a container group must be: every rule adds its problem, none stops at the first.  Pure.

Codes and sentences are those of Azure's service (with its own typos): programs match on them.
"""

from __future__ import annotations

from ....models import ContainerGroup
from ....wire.faults import Detail
from .address import address_problems
from .containers import container_problems
from .group import group_problems
from .probes import probe_problems
from .refused import refused
from .resolving import resolving_problems
from .rights import right_problems
from .subnets import subnet_problems
from .tags import tag_problems
from .volumes import share_named, volume_problems

__all__ = ["problems", "share_named"]


def problems(group: ContainerGroup, name: str) -> list[Detail]:
    """Give everything that is wrong with a definition, in the order in which Azure finds it."""
    return [
        *group_problems(group, name),
        *container_problems(group, name),
        *address_problems(group, name),
        *tag_problems(group.tags),
        *volume_problems(group, name),
        *probe_problems(group, name),
        *right_problems(group, name),
        *resolving_problems(group, name),
        *subnet_problems(group, name),
        *refused(group, name),
    ]
