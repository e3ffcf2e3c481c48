"""The base of every model: plain data with a repr that never shows a secret."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

_WIRE_NAMES = {
    # msgspec's camel case would write memoryInGb, workspaceResourceId is regular
    "memory_in_gb": "memoryInGB",
    "max_memory_in_gb": "maxMemoryInGB",
}


def wire_name(name: str) -> str:
    """Give the member name that the contract uses for a field: ``dns_name_label`` -> ``dnsNameLabel``."""
    known = _WIRE_NAMES.get(name)
    if known is not None:
        return known
    head, *tail = name.rstrip("_").split("_")
    return head + "".join(part.capitalize() for part in tail)


def words(enum: type[Any]) -> msgspec.Meta:
    """Mark a string whose usual words are those of ``enum``; reading folds their case."""
    return msgspec.Meta(extra={"words": {member.value.lower(): member.value for member in enum}})


class Model(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False, rename=wire_name):
    """Plain data of the contract: keyword arguments, equality by value, None for "not there".

    ``__outer__`` names the fields that stand beside ``properties`` on the wire; where it is empty, the wire
    is as flat as the class.  ``__secrets__`` names the fields that a repr shows as ``***``.
    """

    __outer__: ClassVar[tuple[str, ...]] = ()
    __secrets__: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        shown = []
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not None:
                shown.append(f"{name}={'***' if name in self.__secrets__ else repr(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def as_dict(self) -> dict[str, Any]:
        """Return the wire form as plain dicts and lists, as Microsoft's models do."""
        from ._twin import to_builtins

        return to_builtins(self)
