"""Keeps the promises: looks at what is, does what is missing, writes down what it found."""

from .deployments import DeploymentPass
from .folders import FolderPass
from .groups import GroupPass
from .loop import Loop
from .pool import Pool
from .prober import Prober
from .reconcile import Reconciler
from .sweep import show_lost, sweep

__all__ = [
    "DeploymentPass",
    "FolderPass",
    "GroupPass",
    "Loop",
    "Pool",
    "Prober",
    "Reconciler",
    "show_lost",
    "sweep",
]
