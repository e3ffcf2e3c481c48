"""User-assigned identities."""

from __future__ import annotations

from ...wire.ids import ResourceId
from ..answers import Answer
from ..call import Call
from ..kinds import IDENTITIES
from .api import Api


def _identity(call: Call) -> ResourceId:
    return ResourceId(
        subscription=call.subscription,
        resource_group=call.params["resourceGroupName"],
        type=IDENTITIES.type,
        name=call.params["resourceName"],
    )


def list_all(api: Api, call: Call) -> Answer:
    """List the identities of a subscription."""
    return api.resources.list_(IDENTITIES, call)


def list_in(api: Api, call: Call) -> Answer:
    """List the identities of a resource group."""
    return api.resources.list_(IDENTITIES, call, api.resources.folder(call).resource_group)


def get(api: Api, call: Call) -> Answer:
    """Show an identity."""
    return api.resources.get(IDENTITIES, _identity(call), call)


async def put(api: Api, call: Call) -> Answer:
    """Create or update an identity."""
    return await api.resources.put(IDENTITIES, _identity(call), call)


async def patch(api: Api, call: Call) -> Answer:
    """Replace an identity's tags."""
    return await api.resources.patch(IDENTITIES, _identity(call), call)


async def delete(api: Api, call: Call) -> Answer:
    """Delete an identity; the roles that were assigned to it name nobody any more."""
    return await api.resources.delete(IDENTITIES, _identity(call), call)
