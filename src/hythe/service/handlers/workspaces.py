"""The keys of log workspaces."""

from __future__ import annotations

from ...models.workspaces import SharedKeys
from ..answers import Answer, shown
from ..call import Call
from .api import Api
from .records import workspaces


def shared_keys(api: Api, call: Call) -> Answer:
    """Show the keys of a workspace: they follow from its uid, and stay as long as it lives."""
    row = api.resources.row(workspaces.kind, workspaces.identity(call), call)
    first, second = (api.derive(f"workspace {which}", row.uid) for which in ("primary", "secondary"))
    return shown(SharedKeys(primary_shared_key=first, secondary_shared_key=second))
