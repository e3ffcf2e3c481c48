"""Lists: instance views on request, pages that follow each other, bodies that are never old."""

from __future__ import annotations

from typing import Any

import pytest

from hythe.service import paging
from hythe.service.settings import ServiceSettings

from .harness import GROUPS, SUBSCRIPTION, Service, group, running

ALL = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/containerGroups"


def views(reply: Any) -> list[bool]:
    """Tell of each group whether it and its containers have an instance view."""
    every = [each["properties"] for each in reply.json["value"]]
    assert all(("instanceView" in one["containers"][0]["properties"]) == ("instanceView" in one) for one in every)
    return ["instanceView" in one for one in every]


@pytest.mark.parametrize("path", [GROUPS, ALL])
async def test_instance_view_on_request(path: str) -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        plain = await service.ask("GET", path)
        expanded = await service.ask("GET", path, query="$expand=instanceView")
        encoded = await service.ask("GET", path, query="%24expand=instanceview")
        one = await service.ask("GET", f"{GROUPS}/web")

    assert (views(plain), views(expanded), views(encoded)) == ([False], [True], [True])
    assert expanded.json["value"] == [one.json]


async def test_instance_view_by_setting() -> None:
    async with running(settings=ServiceSettings(lists_with_instance_view=True)) as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())

        assert views(await service.ask("GET", GROUPS)) == [True]


async def make(service: Service, count: int) -> None:
    await service.make_folder()
    for number in range(count):
        assert (await service.ask("PUT", f"{GROUPS}/g{number}", group())).status == 201


@pytest.mark.parametrize("path", [GROUPS, ALL])
async def test_pages_follow_each_other_and_keep_what_was_asked(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "SIZE", 2)
    async with running() as service:
        await make(service, 5)
        names, links = [], []
        link = path
        query = "$expand=instanceView"
        while link:
            reply = await service.ask("GET", link, query=query, version="2024-05-01-preview")
            names.append([each["name"] for each in reply.json["value"]])
            assert all(views(reply))
            link, query = reply.json.get("nextLink"), ""
            links.append(link)

    assert names == [["g0", "g1"], ["g2", "g3"], ["g4"]]
    assert links[0].startswith(f"https://localhost{path}?")
    assert "api-version=2024-05-01-preview" in links[0]
    assert links[-1] is None


async def test_whole_page_has_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "SIZE", 2)
    async with running() as service:
        await make(service, 2)

        assert "nextLink" not in (await service.ask("GET", GROUPS)).json


@pytest.mark.parametrize("token", ["%FF", "a", "_w", "%00"])
async def test_token_of_nobody(token: str) -> None:
    async with running() as service:
        await service.make_folder()
        reply = await service.ask("GET", GROUPS, query=f"$skiptoken={token}")

    assert (reply.status, reply.code) == (400, "InvalidSkipToken")


async def test_answers_show_every_change_at_once() -> None:
    async with running() as service:
        await service.make_folder()
        seen = []
        await service.ask("PUT", f"{GROUPS}/web", group() | {"tags": {"n": "0"}})
        for change in ("1", "2"):
            await service.ask("PATCH", f"{GROUPS}/web", {"tags": {"n": change}})
            one = (await service.ask("GET", f"{GROUPS}/web")).json
            (listed,) = (await service.ask("GET", GROUPS)).json["value"]
            seen.append((one["tags"]["n"], listed["tags"]["n"]))
        await service.ask("POST", f"{GROUPS}/web/stop")
        stopped = (await service.ask("GET", f"{GROUPS}/web")).json["properties"]["instanceView"]["state"]
        await service.ask("DELETE", f"{GROUPS}/web")
        await service.ask("PUT", f"{GROUPS}/web", group())
        anew = (await service.ask("GET", f"{GROUPS}/web")).json

    assert seen == [("1", "1"), ("2", "2")]
    assert stopped == "Stopped"
    assert anew["tags"] == {}
    assert anew["properties"]["instanceView"]["state"] == "Running"


async def test_what_a_reader_does_to_a_row_changes_no_other_answer() -> None:
    async with running() as service:
        await service.make_folder()
        await service.ask("PUT", f"{GROUPS}/web", group())
        key = f"{GROUPS}/web".lower()
        service.store.get(key).spec = b"{}"

        assert service.store.get(key).spec != b"{}"
