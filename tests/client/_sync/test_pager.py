# Generated from tests/client/_async/test_pager.py by tools/generate_sync.py: change that file, not this one.
"""Tests lists that come in pages."""

from __future__ import annotations

import pytest

from hythe.errors import UnexpectedAnswer

from ..script import BASE, answer, group
from .subject import client

__all__ = []

NEXT = f"{BASE}/subscriptions/x/next?api-version=2018-01-01&$skiptoken=a%2Fb"


def page(*names: str, link: str | None = None) -> dict[str, object]:
    """Make a page of groups."""
    return {"value": [group(name=name) for name in names], "nextLink": link}


def test_follows_the_link_as_it_is() -> None:
    aci, script, _ = client(answer(200, page("a", "b", link=NEXT)), answer(200, page("c")))
    assert [one.name for one in aci.container_groups.list()] == ["a", "b", "c"]
    assert script.requests[1].url == NEXT


def test_gives_pages() -> None:
    aci, _, _ = client(answer(200, page("a", "b", link=NEXT)), answer(200, page("c")))
    pages = [page for page in aci.container_groups.list_by_resource_group("rg").by_page()]
    assert [[one.name for one in page] for page in pages] == [["a", "b"], ["c"]]


def test_asks_for_a_page_only_when_needed() -> None:
    aci, script, _ = client(answer(200, page("a", link=NEXT)))
    for one in aci.container_groups.list():
        assert one.name == "a"
        break
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/next",
        "https://localhost:8443@elsewhere.example/next",
        "https://localhost:9000/next",
        "http://localhost:8443/next",
        "//elsewhere.example/next",
        "nonsense",
    ],
)
def test_the_token_never_goes_to_another_origin(link: str) -> None:
    aci, script, _ = client(answer(200, page("a", link=link)))
    with pytest.raises(UnexpectedAnswer, match="at another host"):
        assert [one for one in aci.container_groups.list()]
    assert len(script.requests) == 1


def test_a_ring_of_pages_ends() -> None:
    aci, _, _ = client(*[answer(200, page("a", link=NEXT))] * 2)
    with pytest.raises(UnexpectedAnswer, match="lead back"):
        assert [one for one in aci.container_groups.list()]


def test_a_page_that_is_none_is_a_clear_error() -> None:
    aci, _, _ = client(answer(200, {"items": []}))
    with pytest.raises(UnexpectedAnswer, match="value"):
        assert [one for one in aci.container_groups.list()]
