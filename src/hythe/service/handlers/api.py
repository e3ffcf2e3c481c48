"""What handlers may use: the verbs, the streams, the owner's ports."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ..admin import Admin
from ..locations import Locations
from ..resource import Resources
from ..sandboxes import Sandboxes
from ..store import SqlStore
from ..streams import Streams


class Api(Struct, kw_only=True):
    """Everything that a handler can lead to."""

    store: SqlStore
    resources: Resources
    streams: Streams
    locations: Locations
    admin: Admin
    sandboxes: Sandboxes
    health: dict[str, Any]
