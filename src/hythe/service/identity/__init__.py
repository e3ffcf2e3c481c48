"""Knows who asks and proves who answers: principals, their tokens, and the certificates of the service."""
