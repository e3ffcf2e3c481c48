"""The base of kinds that are nothing but a definition: no secrets, and nothing to be carried out."""

from __future__ import annotations

import builtins
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from ...models import Model, from_json, to_json
from ...wire import lenient
from ...wire.faults import Fault
from ...wire.ids import ResourceId
from ..store import Row
from .base import Admission, Defaults, Shown

M = TypeVar("M", bound=Model)

LONGEST_NAME = 260
_NOT_IN_NAMES = frozenset("<>%&\\?/#\"'")


class Record(Defaults, Generic[M]):
    """A kind whose resources are as soon as they are declared."""

    name: str
    type: str
    noun: str
    model: builtins.type[M]
    read_only: ClassVar[tuple[str, ...]] = ("id", "name", "type", "provisioning_state")
    """Members that only the service writes."""

    def read(self, body: bytes, identity: ResourceId) -> M:
        """Read a definition; what only the service writes is dropped."""
        return self._asked(lenient.read(self.model, body))

    def _asked(self, given: M) -> M:
        return replace(given, **{name: None for name in self.read_only if name in given.__struct_fields__})

    def read_again(self, spec: bytes) -> M:
        """Read a stored definition."""
        return from_json(self.model, spec)

    def validate(self, wanted: M, identity: ResourceId) -> None:
        """Check the name."""
        check_name(self.type, identity.name)

    async def admit(self, wanted: M, held: Row | None, identity: ResourceId, admission: Admission) -> M:
        """Promise the definition as it is."""
        return wanted

    def public(self, wanted: Any) -> bytes:
        """Give the definition as JSON; it has no secrets."""
        return to_json(wanted)

    def whole(self, wanted: Any) -> bytes | None:
        """Give None: it has no secrets."""
        return None

    def show(self, row: Row, shown: Shown) -> Model:
        """Give the resource as it is answered."""
        held = replace(self.read_again(row.spec), id=row.id, name=row.name, type=self.type)
        if "provisioning_state" in held.__struct_fields__:
            held = replace(held, provisioning_state="Deleting" if row.desired == "gone" else "Succeeded")
        return held


def check_name(type_: str, name: str, longest: int = LONGEST_NAME) -> None:
    """Refuse a name that can't be part of an id."""
    last = name.rpartition("/")[2]
    wrong = last.endswith(".") or _NOT_IN_NAMES & set(last) or not last.isprintable()
    if not last or len(last) > longest or wrong:
        raise Fault(
            400,
            "InvalidResourceName",
            f"Resource name {last[:longest]} is invalid for the type {type_}. It can hold at most "
            f"{longest} characters, none of {' '.join(sorted(_NOT_IN_NAMES))}, and can't end with '.'.",
        )


def location_of(given: str | None, identity: ResourceId, admission: Admission) -> str:
    """Give the location of a new resource: what was asked for, else its resource group's."""
    if given:
        return given.replace(" ", "").lower()
    folder = admission.store.get(
        ResourceId(subscription=identity.subscription, resource_group=identity.resource_group).key
    )
    location = msgspec.json.decode(folder.spec).get("location") if folder else None
    if not location:
        raise Fault(400, "LocationRequired", "The location property is required for this definition.")
    return str(location)
