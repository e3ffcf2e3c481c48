"""Reads files that define a group, whichever of the three kinds they are."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from hythe.models import ContainerGroup

from .compose import from_compose
from .pods import from_pod


def read_definition(path: str | os.PathLike[str]) -> ContainerGroup:
    """Read a compose file, a pod, or the YAML of ``az container create --file`` (with ``$NAME`` of the environment).

    A file without a name gives the group the name of the file.  Raises ValueError that says what is wrong, and OSError.
    """
    file = Path(path)
    text = file.read_text()
    try:
        first = next((each for each in yaml.safe_load_all(text) if isinstance(each, dict)), None)
    except yaml.YAMLError as why:
        raise ValueError(f"cannot read {file}: {why}") from None
    if first is None:
        raise ValueError(f"cannot read {file}: it defines nothing")
    if "services" in first:
        group = from_compose(file)
    elif "kind" in first:
        group = from_pod(text)
    elif "properties" in first or "containers" in first:
        group = ContainerGroup.from_yaml(text, os.environ)
    else:
        raise ValueError(f"cannot read {file}: it is no compose file, no pod and no definition of a container group")
    group.name = group.name or file.stem
    return group
