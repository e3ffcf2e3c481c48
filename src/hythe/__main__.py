"""Runs the command line as ``python -m hythe``."""

from .cli import main

main()
