"""Keeps what was promised: resources, operations and who may ask.  One transaction each for promise and result."""

from .records import Change, Note, Operation, Outcome, Principal, Row, Share, Status, Subscription, View
from .shares import ShareTable
from .sql import SqlStore, Stale

__all__ = [
    "Change", "Note", "Operation", "Outcome", "Principal", "Row", "Share", "ShareTable", "SqlStore", "Stale", "Status",
    "Subscription", "View",
]  # fmt: skip
