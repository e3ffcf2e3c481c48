"""The ways to a group besides its address: by host name, by a port of this machine, and the names themselves."""

from .doors import Doors
from .names import Names, Target
from .publish import Publisher

__all__ = ["Doors", "Names", "Publisher", "Target"]
