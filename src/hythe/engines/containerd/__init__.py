"""Runs container groups on containerd, through the Container Runtime Interface that Kubernetes nodes use."""

from .clone import GitLimits
from .config import Place
from .engine import ContainerdEngine
from .garbage import DiskLimits

__all__ = ["ContainerdEngine", "DiskLimits", "GitLimits", "Place"]
