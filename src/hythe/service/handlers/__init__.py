"""The handlers behind the table of routes, a module for each part of the API: each is one call of a verb or a port."""

from .api import Api

__all__ = ["Api"]
