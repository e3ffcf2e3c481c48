"""What handlers may use: the verbs, the streams, the owner's ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct

from ...wire import faults, ids
from ..admin import Admin
from ..call import Call, Caller
from ..deployer import Deployer
from ..locations import Locations
from ..metrics import Metrics
from ..resource import Resources
from ..sandboxes import Sandboxes
from ..store import SqlStore
from ..streams import Streams


class RightsPort(Protocol):
    """Who may do what.  Scopes are ids in any case, ``""`` or ``/`` for the tenant."""

    def may(self, caller: Caller, action: str, scope: str) -> bool:
        """Tell whether a caller may do something."""

    def sees(self, caller: Caller, scope: str) -> bool:
        """Tell whether a caller has any role over a scope or over something in it."""


class Api(Struct, kw_only=True):
    """Everything that a handler can lead to."""

    store: SqlStore
    resources: Resources
    streams: Streams
    locations: Locations
    metrics: Metrics
    admin: Admin
    sandboxes: Sandboxes
    rights: RightsPort
    deployer: Deployer
    health: dict[str, Any]
    derive: Callable[[str, str], str]
    """Port: a key for a purpose, of what has this uid."""

    def shows(self, caller: Caller | None, scope: str) -> bool:
        """Tell whether a list may name a scope to a caller."""
        return caller is not None and self.rights.sees(caller, scope)

    def check_operation(self, call: Call) -> None:
        """Refuse who may not read the resource that an operation is about: its URL names the subscription only."""
        operation = self.store.operation(call.params["operationId"])
        if operation is None or call.caller is None:
            return  # that it is not there is said elsewhere
        resource = ids.parse(operation.resource_id)
        kind = (resource.type if resource else "") or "Microsoft.Resources/subscriptions/resourceGroups"
        if not self.rights.may(call.caller, f"{kind}/read", operation.key):
            raise faults.forbidden(call.caller.app_id, call.caller.object_id, f"{kind}/read", operation.key)
