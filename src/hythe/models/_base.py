"""The base of every model: plain data with a repr that never shows a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec

_WIRE_NAMES = {
    # msgspec's camel case would write memoryInGb, workspaceResourceId is regular
    "memory_in_gb": "memoryInGB",
    "max_memory_in_gb": "maxMemoryInGB",
    "exec_property": "exec",  # Microsoft's name for it; the word itself is a built-in of Python
}


def wire_name(name: str) -> str:
    """Give the member name that the contract uses for a field: ``dns_name_label`` -> ``dnsNameLabel``."""
    known = _WIRE_NAMES.get(name)
    if known is not None:
        return known
    head, *tail = name.rstrip("_").split("_")
    return head + "".join(part.capitalize() for part in tail)


class _Constructor(msgspec.StructMeta):
    """Lets a model be made of all that Microsoft's are made of.

    That is keyword arguments, one mapping, ``properties=``, older names, and dicts in the place of inner models.
    Reading JSON does not come through here, and costs nothing more.
    """

    if not TYPE_CHECKING:

        def __call__(cls, *given: Mapping[str, object], **members: object) -> object:
            from ._reading import completed, from_dict

            if given:
                (mapping,) = given
                return from_dict(cls, {**mapping, **members})
            return super().__call__(**completed(cls, members))


class Model(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False, rename=wire_name, metaclass=_Constructor):
    """Plain data of the contract: keyword arguments, equality by value, None for "not there".

    ``__outer__`` names the fields that stand beside ``properties`` on the wire; where it is empty, the wire
    is as flat as the class.  ``__secrets__`` names the fields that a repr shows as ``***``, ``__read_only__`` those
    that only the service writes, ``__aliases__`` older names of fields; ``__arm_type__`` is a resource's type.

    The members can also be reached by their names on the wire, ``group["location"]``, as in Microsoft's newest models.
    """

    __outer__: ClassVar[tuple[str, ...]] = ()
    __secrets__: ClassVar[frozenset[str]] = frozenset()
    __read_only__: ClassVar[frozenset[str]] = frozenset()
    __aliases__: ClassVar[Mapping[str, str]] = {}
    __arm_type__: ClassVar[str] = ""

    def __repr__(self) -> str:
        shown = []
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not None:
                shown.append(f"{name}={'***' if name in self.__secrets__ else repr(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def as_dict(self, *, exclude_readonly: bool = False, flat: bool = False) -> dict[str, Any]:
        """Return plain dicts and lists: the wire form, or with ``flat`` the form of Microsoft's packages up to 10.1.

        The wire form has ``{"properties": {"osType": ...}}``, the flat one ``{"os_type": ...}``.  Both hold secrets.
        """
        from ._reading import flat_dict
        from ._twin import to_builtins

        shown = without_read_only(self) if exclude_readonly else self
        return flat_dict(shown) if flat else to_builtins(shown)

    def serialize(self, keep_readonly: bool = False) -> dict[str, Any]:
        """Return the wire form, without what only the service writes unless it is asked for."""
        return self.as_dict(exclude_readonly=not keep_readonly)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make a model of dicts and lists: names of the wire in any case, or of Python, nested or flat.

        Unknown members are left out.  Raises `ValueError` that says what is wrong where.
        """
        from ._reading import from_dict

        return from_dict(cls, data)

    @classmethod
    def deserialize(cls, data: str | bytes | Mapping[str, Any], content_type: str | None = None) -> Self:
        """Make a model of a JSON document, or of what `from_dict` takes.  Raises `ValueError` for anything else."""
        from ._reading import from_dict

        return from_dict(cls, msgspec.json.decode(data) if isinstance(data, str | bytes) else data)

    @classmethod
    def from_yaml(cls, text: str | bytes, variables: Mapping[str, str] | None = None) -> Self:
        """Read the YAML (or JSON) that ``az container create --file`` takes.

        ``variables`` are put in the place of ``$NAME`` and ``${NAME}``, as the az CLI does with the environment's;
        without them nothing is replaced.  Raises `ValueError` that says what is wrong where.
        """
        from ._yaml import from_yaml

        return from_yaml(cls, text, variables)

    def to_yaml(self, api_version: str | None = None) -> str:
        """Write that YAML, secrets included, without what only the service writes; `from_yaml` reads it back."""
        from ._yaml import to_yaml

        return to_yaml(self, api_version, self.__arm_type__)

    def __getitem__(self, name: str) -> Any:
        return getattr(self, self._field(name))

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, self._field(name), value)

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def get(self, name: str, default: Any = None) -> Any:
        """Return the member of this name on the wire, or the default if it is not there."""
        try:
            value = self[name]
        except KeyError:
            return default
        return default if value is None else value

    def keys(self) -> list[str]:
        """Name the members that are there, as the wire does."""
        there = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if not self.__outer__:
            return [wire_name(name) for name in there]
        inner = any(name not in self.__outer__ for name in there)
        return [wire_name(name) for name in there if name in self.__outer__] + ["properties"] * inner

    def values(self) -> list[Any]:
        """Give the members that are there."""
        return [self[name] for name in self.keys()]

    def items(self) -> list[tuple[str, Any]]:
        """Give the members that are there with their names on the wire."""
        return [(name, self[name]) for name in self.keys()]

    def _field(self, name: str) -> str:
        if name == "properties" and self.__outer__:
            return "properties"
        for field in self.__struct_fields__:
            if wire_name(field) == name:
                return field
        raise KeyError(name)


def without_read_only(model: Model) -> Model:
    """Copy a model without what only the service writes, at every depth."""
    members = {}
    for name in model.__struct_fields__:
        value = getattr(model, name)
        if value is None or name in model.__read_only__:
            continue
        if isinstance(value, Model):
            value = without_read_only(value)
        elif isinstance(value, list):
            value = [without_read_only(each) if isinstance(each, Model) else each for each in value]
        elif isinstance(value, dict):
            value = {key: without_read_only(each) if isinstance(each, Model) else each for key, each in value.items()}
        members[name] = value
    return type(model)(**members)


def words(enum: type[Any]) -> msgspec.Meta:
    """Mark a string whose usual words are those of ``enum``; reading folds their case."""
    return msgspec.Meta(extra={"words": {member.value.lower(): member.value for member in enum}})
