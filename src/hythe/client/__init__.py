"""Drives a service: operations, pagers, pollers, credentials, over one transport seam.

`hythe` has the names for synchronous programs and `hythe.aio` the same names for asynchronous ones.
"""
