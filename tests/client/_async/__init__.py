"""Holds the tests of the asynchronous clients, written by hand."""
