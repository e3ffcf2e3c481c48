"""What names, labels and ports may look like.  Pure."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LONGEST_NAME = 63
_SHORTEST_LABEL = 5
LAST_PORT = 65535


def named(name: str) -> bool:
    """Tell whether a group or a container may have this name."""
    return len(name) <= LONGEST_NAME and _NAME.fullmatch(name) is not None


def labelled(label: str) -> bool:
    """Tell whether an address may have this DNS name label."""
    return _SHORTEST_LABEL <= len(label) <= LONGEST_NAME and _LABEL.fullmatch(label) is not None


def variable(name: str) -> bool:
    """Tell whether an environment variable may have this name."""
    return len(name) <= LONGEST_NAME and _VARIABLE.fullmatch(name) is not None
