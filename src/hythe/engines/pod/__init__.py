"""The planner shared by runtimes without pods of their own: a small kubelet, written as pure functions."""

from .plan import Backoff, plan
from .spec import allowance, digest, effective_policy, has_network, images

__all__ = ["Backoff", "allowance", "digest", "effective_policy", "has_network", "images", "plan"]
