"""Tells what would change if a definition were applied to a group that is there.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from hythe.models import ContainerGroup, Model
from hythe.models._base import wire_name

Action = Literal["create", "none", "tags", "update", "replace"]
"""Make it; leave it; replace its tags, which restarts nothing; put it anew, which restarts all containers in place;
delete it and make it again."""

_OWNED = frozenset({
    "volumes", "volumeMounts", "environmentVariables", "ports", "initContainers", "containers", "command",
    "livenessProbe", "readinessProbe", "securityContext", "dnsConfig", "ipAddress", "diagnostics", "configMap",
    "imageRegistryCredentials", "identity", "subnetIds", "dnsNameLabel", "tags",
})  # fmt: skip
"""What a definition that leaves it out takes away; the service fills in a default for the rest."""
_IDENTITY = frozenset({"id", "name", "type", "system_data"})
_REPLACING = re.compile(
    r"location|zones.*|osType|restartPolicy|sku|priority|subnetIds.*|containers\[[^]]*\]\.resources\..*"
)


class Change(Struct, frozen=True):
    """One difference: ``before`` is None for what would be new, ``after`` for what would go."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.path}: {self.after!r}"
        if self.after is None:
            return f"- {self.path}: {self.before!r}"
        return f"~ {self.path}: {self.before!r} -> {self.after!r}"


class Plan(Struct, frozen=True, kw_only=True):
    """What `apply` would do.  Its text is meant for people."""

    name: str
    resource_group: str
    action: Action
    changes: tuple[Change, ...] = ()
    unseen: tuple[str, ...] = ()
    """Secrets in the definition: the service does not show those it has, so they can't be compared."""

    def __str__(self) -> str:
        what = {
            "create": "would be created", "none": "is as it should be", "tags": "would get other tags",
            "update": "would be updated; all its containers restart",
            "replace": "would be deleted and created again",
        }[self.action]  # fmt: skip
        lines = [f"Group {self.name!r} in {self.resource_group!r} {what}."]
        lines += [f"  {change}" for change in self.changes]
        if self.unseen and self.action in ("none", "tags"):
            unseen = ", ".join(self.unseen)
            lines.append(f"  Not compared, because secrets are not shown: {unseen}. force=True sends all.")
        return "\n".join(lines)


def compare(name: str, resource_group: str, wanted: ContainerGroup, there: ContainerGroup | None) -> Plan:
    """Say what has to be done to make a group as it is wanted."""
    if there is None:
        return Plan(name=name, resource_group=resource_group, action="create")
    unseen: list[str] = []
    after = _flat(_plain(wanted, "", unseen))
    before = _flat(_plain(there, "", []))
    changes = tuple(_differences(before, after, ""))
    return Plan(
        name=name, resource_group=resource_group, action=_action(changes), changes=changes, unseen=tuple(unseen)
    )


def _action(changes: tuple[Change, ...]) -> Action:
    if not changes:
        return "none"
    if all(change.path.startswith("tags") for change in changes):
        return "tags"
    if any(_REPLACING.fullmatch(change.path) for change in changes):
        return "replace"
    return "update"


def _plain(value: Any, path: str, unseen: list[str]) -> Any:
    """Write dicts and lists as on the wire, without secrets and what only the service writes."""
    if isinstance(value, Model):
        found = {}
        for name in value.__struct_fields__:
            each = getattr(value, name)
            if each is None or name in value.__read_only__ or (not path and name in _IDENTITY):
                continue
            key = wire_name(name)
            if name in value.__secrets__:
                unseen.append(f"{path}.{key}".lstrip("."))
                each = True if isinstance(each, Mapping) else None
            if each is not None:
                found[key] = _plain(each, f"{path}.{key}".lstrip("."), unseen)
        return found
    if isinstance(value, list):
        return [_plain(each, f"{path}[{_label(each) or index}]", unseen) for index, each in enumerate(value)]
    if isinstance(value, Mapping):
        return {str(key): each for key, each in value.items()}
    return value


def _label(value: Any) -> str:
    """Name an entry of a list by what tells it apart."""
    found = value.get("name") if isinstance(value, Mapping) else getattr(value, "name", None)
    if found is None and isinstance(value, Mapping) and "port" in value:
        found = f"{value['port']}/{value.get('protocol') or 'TCP'}"
    return "" if found is None else str(found)


def _flat(value: Any) -> Any:
    """Bring values into one form: lists of named things by name, words in lower case where case means nothing."""
    if isinstance(value, Mapping):
        return {key: _flat(each) for key, each in value.items()}
    if isinstance(value, list):
        labels = [_label(each) for each in value]
        if value and all(labels) and len(set(labels)) == len(labels):
            return {f"[{label}]": _flat(each) for label, each in zip(labels, value, strict=True)}
        return [_flat(each) for each in value]
    return value


def _differences(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        entries = any(key.startswith("[") for key in (*before, *after)) or path == "tags"
        for key, each in after.items():
            where = f"{path}{key}" if key.startswith("[") else f"{path}.{key}".lstrip(".")
            if key not in before:
                if each not in ({}, []):
                    yield Change(where, None, each)
            else:
                yield from _differences(before[key], each, where)
        for key, each in before.items():
            where = f"{path}{key}" if key.startswith("[") else f"{path}.{key}".lstrip(".")
            if key not in after and (entries or key in _OWNED) and each not in ({}, []):
                yield Change(where, each, None)
    elif not _same(before, after, path):
        yield Change(path, before, after)


def _same(before: Any, after: Any, path: str) -> bool:
    if path == "location":
        return str(before).replace(" ", "").lower() == str(after).replace(" ", "").lower()
    if isinstance(before, str) and isinstance(after, str) and path.endswith(("protocol", "type", "scheme", "Policy")):
        return before.lower() == after.lower()
    return bool(before == after)
