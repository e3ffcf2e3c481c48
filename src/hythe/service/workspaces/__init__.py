"""Posts what containers write, and what happens to them, to the log workspaces that groups name."""

from .collector import Collector

__all__ = ["Collector"]
