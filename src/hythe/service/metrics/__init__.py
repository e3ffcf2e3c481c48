"""What groups use: sampled each second while they run, kept as seconds for an hour and as minutes for a month."""

from .metrics import Metrics

__all__ = ["Metrics"]
