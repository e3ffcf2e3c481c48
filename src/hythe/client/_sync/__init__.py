"""Holds the synchronous clients, generated from the asynchronous ones by tools/generate_sync.py."""
