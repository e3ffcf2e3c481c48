"""The description of the API, and a page to read it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ..answers import Answer
from ..call import Call
from .api import Api

_PAGE = Path(__file__).parents[1] / "openapi.html"
_OWN_ONLY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"


def document(api: Api, call: Call) -> Answer:
    """Give the OpenAPI document."""
    from ..openapi import document
    from ..routes import ROUTES  # it imports this module

    return Answer(body=document(ROUTES))


@cache
def _page() -> bytes:
    return _PAGE.read_bytes()


def page(api: Api, call: Call) -> Answer:
    """Give the page that shows the OpenAPI document; it asks nobody but this service."""
    return Answer(
        body=_page(), content_type="text/html; charset=utf-8", headers=[("Content-Security-Policy", _OWN_ONLY)]
    )
