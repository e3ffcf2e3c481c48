"""Keeps the promises: looks at what is, does what is missing, writes down what it found."""

from .deployments import DeploymentPass
from .folders import FolderPass
from .groups import GroupPass
from .loop import Loop
from .n_groups import CannotDeclare, Members, NGroupPass
from .pool import Pool
from .prober import Prober
from .reconcile import Reconciler
from .sandbox_groups import SandboxGroupPass
from .sweep import RUN_BY_ENGINE, show_lost, sweep

__all__ = [
    "RUN_BY_ENGINE",
    "CannotDeclare",
    "DeploymentPass",
    "FolderPass",
    "GroupPass",
    "Loop",
    "Members",
    "NGroupPass",
    "Pool",
    "Prober",
    "Reconciler",
    "SandboxGroupPass",
    "show_lost",
    "sweep",
]
