"""Lists: instance views on request, pages that follow each other, bodies that are never old."""

from __future__ import annotations

from typing import Any

import pytest

from hythe.service import paging
from hythe.service.settings import ServiceSettings

from .harness import FOLDER, GROUPS, SUBSCRIPTION, Service, group, running

ALL = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/containerGroups"
ACI = f"{FOLDER}/providers/Microsoft.ContainerInstance"
NETWORK = f"{FOLDER}/providers/Microsoft.Network"
PLACE = {"location": "eastus"}
IDENTITY = f"{FOLDER}/providers/Microsoft.ManagedIdentity"
SPACE = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}


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


async def pages(service: Service, path: str, query: str = "") -> tuple[list[list[str]], list[str]]:
    """Follow a list to its end: the names on each page, and the links."""
    names: list[list[str]] = []
    links: list[str] = []
    link = path
    while link:
        reply = await service.ask("GET", link, query=query, version="2021-04-01")
        assert reply.status == 200, reply.raw
        names.append([each["name"] for each in reply.json["value"]])
        link, query = reply.json.get("nextLink", ""), ""
        links.append(link)
    return names, links


async def test_resource_groups_and_resources_have_pages_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "SIZE", 2)
    top = FOLDER.rpartition("/resourceGroups/")[0]
    async with running() as service:
        await make(service, 5)
        for name in ("sb", "sc"):
            await service.make_folder(f"{top}/resourceGroups/{name}")
        folders, links = await pages(service, f"{top}/resourcegroups")
        inside, _ = await pages(service, f"{FOLDER}/resources")
        everywhere, _ = await pages(service, f"{top}/resources", "$filter=name ne 'g1'&$top=3".replace(" ", "%20"))
        one, ends = await pages(service, f"{FOLDER}/resources", "$top=2")

    assert folders == [["rg", "sb"], ["sc"]]
    assert links[0].startswith(f"https://localhost{top}/resourcegroups?") and "api-version=2021-04-01" in links[0]
    assert inside == [["g0", "g1"], ["g2", "g3"], ["g4"]]
    assert everywhere == [["g0", "g2"], ["g3"]]
    assert (one, ends) == ([["g0", "g1"]], [""])


@pytest.mark.parametrize(
    ("path", "body", "code", "words"),
    [
        (f"{GROUPS}/x", group(), "ContainerGroupTransitioning", "The container group 'x'"),
        (
            f"{ACI}/containerGroupProfiles/x",
            group(),
            "ContainerGroupProfileTransitioning",
            "group profile 'x'",
        ),
        (f"{ACI}/sandboxGroups/x", {"location": "eastus"}, "SandboxGroupTransitioning", "The sandbox group 'x'"),
        (f"{NETWORK}/virtualNetworks/x", SPACE, "AnotherOperationInProgress", "The virtual network 'x'"),
        (
            f"{IDENTITY}/userAssignedIdentities/x",
            {"location": "eastus"},
            "AnotherOperationInProgress",
            "managed identity",
        ),
        (FOLDER, {"location": "eastus"}, "AnotherOperationInProgress", "The resource group 'rg'"),
    ],
)
async def test_what_is_busy_says_so_in_its_own_words(path: str, body: dict, code: str, words: str) -> None:
    async with running(settings=ServiceSettings(answer_seconds=0.01, hold_seconds=0.01)) as service:
        await service.make_folder()
        await service.loop.rest(0.02)
        service.store.claim = lambda *_: False  # type: ignore[method-assign]  # nothing that is declared is carried out
        version = "2022-01-01" if "Microsoft.Network" in path else "2026-07-01"
        await service.ask("PUT", path, body, version=version)
        reply = await service.ask("PUT", path, body, version=version)

    assert (reply.status, reply.code) == (409, code), reply.raw
    assert words in reply.json["error"]["message"] and "is still transitioning" in reply.json["error"]["message"]
