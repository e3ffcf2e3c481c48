"""Tests lists that come in pages."""

from __future__ import annotations

import pytest

from hythe.errors import ServiceError, UnexpectedAnswer

from ..script import BASE, SUBSCRIPTION, answer, group
from .subject import client, pytestmark

__all__ = ["pytestmark"]

NEXT = f"{BASE}/subscriptions/x/next?api-version=2018-01-01&$skiptoken=a%2Fb"


def page(*names: str, link: str | None = None) -> dict[str, object]:
    """Make a page of groups."""
    return {"value": [group(name=name) for name in names], "nextLink": link}


async def test_follows_the_link_as_it_is() -> None:
    aci, script, _ = client(answer(200, page("a", "b", link=NEXT)), answer(200, page("c")))
    assert [one.name async for one in aci.container_groups.list()] == ["a", "b", "c"]
    assert script.requests[1].url == NEXT


async def test_asks_for_instance_views_by_name() -> None:
    path = f"{BASE}/subscriptions/{SUBSCRIPTION}"
    listed = "/providers/Microsoft.ContainerInstance/containerGroups"
    aci, script, _ = client(answer(200, page("a", link=NEXT)), answer(200, page("b")), answer(200, page("c")))
    found = aci.container_groups.list(expand="instanceView", params={"more": "1"})
    assert [one.name async for one in found] == ["a", "b"]
    found = aci.container_groups.list_by_resource_group("rg", expand="instanceView")
    assert [one.name async for one in found] == ["c"]
    first, second, third = (request.url.partition("?") for request in script.requests)
    assert first[0] == path + listed and {"%24expand=instanceView", "more=1"} <= set(first[2].split("&"))
    assert "".join(second) == NEXT
    assert third[0] == f"{path}/resourceGroups/rg{listed}" and "%24expand=instanceView" in third[2].split("&")


async def test_gives_pages() -> None:
    aci, _, _ = client(answer(200, page("a", "b", link=NEXT)), answer(200, page("c")))
    pages = [page async for page in aci.container_groups.list_by_resource_group("rg").by_page()]
    assert [[one.name for one in page] for page in pages] == [["a", "b"], ["c"]]


async def test_asks_for_a_page_only_when_needed() -> None:
    aci, script, _ = client(answer(200, page("a", link=NEXT)))
    async for one in aci.container_groups.list():
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
async def test_the_token_never_goes_to_another_origin(link: str) -> None:
    aci, script, _ = client(answer(200, page("a", link=link)))
    with pytest.raises(UnexpectedAnswer, match="at another host"):
        assert [one async for one in aci.container_groups.list()]
    assert len(script.requests) == 1


async def test_a_ring_of_pages_ends() -> None:
    aci, _, _ = client(*[answer(200, page("a", link=NEXT))] * 2)
    with pytest.raises(UnexpectedAnswer, match="lead back"):
        assert [one async for one in aci.container_groups.list()]


async def test_a_page_that_is_none_is_a_clear_error() -> None:
    aci, _, _ = client(answer(200, {"items": []}))
    with pytest.raises(UnexpectedAnswer, match="value"):
        assert [one async for one in aci.container_groups.list()]


async def test_goes_on_from_a_token() -> None:
    aci, script, _ = client(answer(200, page("a", "b", link=NEXT)), answer(200, page("c")))
    pages = aci.container_groups.list().by_page()
    assert [one.name for one in await anext(pages)] == ["a", "b"]
    token = pages.continuation_token
    assert token == NEXT
    rest = aci.container_groups.list().by_page(continuation_token=token)
    assert [one.name for one in await anext(rest)] == ["c"]
    assert rest.continuation_token is None
    assert [page async for page in rest] == []
    assert len(script.requests) == 2


async def test_next_goes_through_all_items() -> None:
    aci, _, _ = client(answer(200, page("a", link=NEXT)), answer(200, page("b")))
    pager = aci.container_groups.list()
    assert [(await anext(pager)).name, (await anext(pager)).name] == ["a", "b"]
    assert await anext(pager, None) is None


async def test_the_items_of_a_page_come_both_ways() -> None:
    aci, _, _ = client(answer(200, page("a", "b")))
    (found,) = [page async for page in aci.container_groups.list().by_page()]
    assert [one.name for one in found] == [one.name async for one in found] == ["a", "b"]


async def test_a_page_that_failed_can_be_asked_for_again() -> None:
    aci, _, _ = client(*[answer(503)] * 4, answer(200, page("a")))
    pages = aci.container_groups.list().by_page()
    with pytest.raises(ServiceError):
        await anext(pages)
    assert [one.name for one in await anext(pages)] == ["a"]
