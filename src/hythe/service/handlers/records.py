"""Kinds of a resource group that nothing is done for beyond the verbs: one set of handlers for all."""

from __future__ import annotations

from msgspec import Struct

from ...wire.ids import ResourceId
from ..answers import Answer
from ..call import Call
from ..kinds import IDENTITIES, NETWORK_PROFILES, WORKSPACES, Kind
from .api import Api


class Records(Struct, frozen=True, kw_only=True):
    """The handlers of one kind."""

    kind: Kind
    parameter: str
    """Of the path, that has the resource's name."""

    def identity(self, call: Call) -> ResourceId:
        """Name the resource of a call."""
        return ResourceId(
            subscription=call.subscription,
            resource_group=call.params["resourceGroupName"],
            type=self.kind.type,
            name=call.params[self.parameter],
        )

    def list_all(self, api: Api, call: Call) -> Answer:
        """List those of a subscription."""
        return api.resources.list_(self.kind, call)

    def list_in(self, api: Api, call: Call) -> Answer:
        """List those of a resource group."""
        return api.resources.list_(self.kind, call, api.resources.folder(call).resource_group)

    def get(self, api: Api, call: Call) -> Answer:
        """Show one."""
        return api.resources.get(self.kind, self.identity(call), call)

    async def put(self, api: Api, call: Call) -> Answer:
        """Create or update one."""
        return await api.resources.put(self.kind, self.identity(call), call)

    async def patch(self, api: Api, call: Call) -> Answer:
        """Replace the tags of one."""
        return await api.resources.patch(self.kind, self.identity(call), call)

    async def delete(self, api: Api, call: Call) -> Answer:
        """Delete one."""
        return await api.resources.delete(self.kind, self.identity(call), call)


identities = Records(kind=IDENTITIES, parameter="resourceName")
network_profiles = Records(kind=NETWORK_PROFILES, parameter="networkProfileName")
workspaces = Records(kind=WORKSPACES, parameter="workspaceName")
