"""Runs container groups on containerd, through the Container Runtime Interface that Kubernetes nodes use."""

from .config import Place
from .engine import ContainerdEngine

__all__ = ["ContainerdEngine", "Place"]
