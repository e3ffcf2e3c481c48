"""The kinds of resource: what each is made of, what it must be, how it is shown."""

from .base import Admission, Kind, Shown
from .container_groups import ContainerGroups
from .resource_groups import ResourceGroups

__all__ = ["Admission", "ContainerGroups", "Kind", "ResourceGroups", "Shown"]
