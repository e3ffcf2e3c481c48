"""The planner shared by runtimes without pods of their own: a small kubelet, written as pure functions."""

from .plan import GRACE, LONGEST_WAIT, Backoff, plan
from .spec import (
    allowance,
    config_digest,
    config_maps,
    digest,
    effective_policy,
    ended,
    find,
    has_network,
    images,
    volume_digest,
)

__all__ = [
    "GRACE", "LONGEST_WAIT", "Backoff", "allowance", "config_digest", "config_maps", "digest", "effective_policy",
    "ended", "find", "has_network", "images", "plan", "volume_digest",
]  # fmt: skip
