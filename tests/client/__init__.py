"""Tests the client library; the synchronous tests are generated from the asynchronous ones."""
