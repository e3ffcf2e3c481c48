"""Declares what is made for another resource - the groups of a set - by the same verbs that serve callers."""

from __future__ import annotations

import uuid

from ..models import NGroup
from ..wire.faults import Fault
from ..wire.ids import ResourceId
from .control import CannotDeclare
from .kinds import CONTAINER_GROUPS, SANDBOXES, Kind
from .kinds.n_groups import member, prefix
from .resource import Resources
from .store import Row, SqlStore


class DeclaredMembers:
    """The port through which control asks for what only the API may write."""

    def __init__(self, resources: Resources, store: SqlStore) -> None:
        self._resources = resources
        self._store = store

    async def create(self, parent: Row, wanted: NGroup, profile: int, zone: str) -> None:
        """Make a group from the n-th profile of a set, with a name of its own."""
        await self._promise(parent, wanted, profile, zone, _group_id(parent, prefix(wanted) + str(uuid.uuid4())))

    async def update(self, parent: Row, wanted: NGroup, profile: int, member: str) -> None:
        """Define a group anew; it stays in its zone."""
        row = self._store.get(member)
        if row is not None:
            zones = CONTAINER_GROUPS.read_again(row.spec).zones or [""]
            await self._promise(parent, wanted, profile, zones[0], _group_id(parent, row.name))

    async def _promise(self, parent: Row, wanted: NGroup, profile: int, zone: str, identity: ResourceId) -> None:
        stub = (wanted.container_group_profiles or [])[profile]
        group = member(wanted, stub, zone, parent.id)
        try:
            await self._resources.promise(
                CONTAINER_GROUPS, group, identity, parent=parent.id, parent_epoch=parent.epoch
            )
        except Fault as fault:
            raise CannotDeclare(fault.code, fault.message) from None

    def turn(self, parent: Row, member: str, verb: str) -> None:
        """Start, stop or restart a group."""
        row = self._store.get(member)
        if row is not None and row.desired != "gone":
            try:
                self._resources.turn(
                    CONTAINER_GROUPS, row, _group_id(parent, row.name), verb, parent_epoch=parent.epoch
                )
            except Fault as fault:
                raise CannotDeclare(fault.code, fault.message) from None

    def remove(self, member: str) -> None:
        """Delete a group or a sandbox; the count of its set stays."""
        row = self._store.get(member)
        if row is not None:
            kind: Kind = SANDBOXES if row.kind == SANDBOXES.name else CONTAINER_GROUPS
            identity = ResourceId(
                subscription=row.subscription, resource_group=row.resource_group, type=kind.type, name=row.name
            )
            try:
                self._resources.remove(row, identity)
            except Fault as fault:
                raise CannotDeclare(fault.code, fault.message) from None


def _group_id(parent: Row, name: str) -> ResourceId:
    """Name a group beside its set, with subscription and resource group as the set's id has them."""
    _, _, subscription, _, folder, *_ = parent.id.split("/")
    return ResourceId(subscription=subscription, resource_group=folder, type=CONTAINER_GROUPS.type, name=name)
