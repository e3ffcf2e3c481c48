"""Holds the asynchronous clients, written by hand; the synchronous ones are generated from them."""
