"""Container group profiles and their revisions."""

from __future__ import annotations

from ...wire.faults import resource_not_found
from ...wire.ids import ResourceId
from ..answers import Answer, listed, shown
from ..call import Call
from ..kinds import PROFILES, Shown
from .api import Api


def _identity(call: Call) -> ResourceId:
    return call.resource(PROFILES.type, "containerGroupProfileName")


def list_all(api: Api, call: Call) -> Answer:
    """List the profiles of a subscription, each at its newest revision."""
    return api.resources.list_(PROFILES, call)


def list_in(api: Api, call: Call) -> Answer:
    """List the profiles of a resource group."""
    return api.resources.list_(PROFILES, call, api.resources.folder(call).resource_group)


def get(api: Api, call: Call) -> Answer:
    """Show the newest revision of a profile."""
    return api.resources.get(PROFILES, _identity(call), call)


async def put(api: Api, call: Call) -> Answer:
    """Make a profile, or a new revision of it."""
    return await api.resources.put(PROFILES, _identity(call), call)


async def patch(api: Api, call: Call) -> Answer:
    """Replace a profile's tags."""
    return await api.resources.patch(PROFILES, _identity(call), call)


async def delete(api: Api, call: Call) -> Answer:
    """Delete a profile with all its revisions; groups made from it stay as they are."""
    return await api.resources.delete(PROFILES, _identity(call), call)


def list_revisions(api: Api, call: Call) -> Answer:
    """List every revision of a profile."""
    row = api.resources.row(PROFILES, _identity(call), call)
    how = Shown(api_version=call.api_version)
    return listed(PROFILES.show(each, how) for each in api.store.revisions(row))


def get_revision(api: Api, call: Call) -> Answer:
    """Show one revision of a profile."""
    row = api.resources.row(PROFILES, _identity(call), call)
    asked = call.params["revisionNumber"]
    found = api.store.revision(row, int(asked)) if asked.isdecimal() and len(asked) < _LONGEST else None
    if found is None:
        raise resource_not_found(f"{PROFILES.type}/revisions", f"{row.name}/{asked}", row.resource_group)
    return shown(PROFILES.show(found, Shown(api_version=call.api_version)))


_LONGEST = 10
"""Digits of a revision number: more than an int32 has none."""
