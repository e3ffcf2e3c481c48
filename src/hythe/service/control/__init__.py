"""Keeps the promises: looks at what is, does what is missing, writes down what it found."""

from .loop import Loop
from .reconcile import Reconciler
from .sweep import show_lost, sweep

__all__ = ["Loop", "Reconciler", "show_lost", "sweep"]
