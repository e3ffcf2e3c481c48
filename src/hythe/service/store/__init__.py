"""Keeps what was promised: resources, operations and who may ask.  One transaction each for promise and result."""

from .records import (
    Change,
    DeploymentStatus,
    Note,
    Operation,
    Outcome,
    Principal,
    Row,
    Share,
    Status,
    StepState,
    Subscription,
    View,
)  # fmt: skip
from .shares import ShareTable
from .sql import SqlStore, Stale, StoreFailed

__all__ = [
    "Change", "DeploymentStatus", "Note", "Operation", "Outcome", "Principal", "Row", "Share", "ShareTable",
    "SqlStore", "Stale", "Status", "StepState", "StoreFailed", "Subscription", "View",
]  # fmt: skip
