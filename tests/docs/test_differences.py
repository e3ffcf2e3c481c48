"""Tests that what docs/reference/differences.md says about members and codes is so."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.service.harness import GROUPS, container, group, running

from .blocks import ROOT

PAGE = (ROOT / "docs" / "reference" / "differences.md").read_text()

KEPT: dict[str, dict[str, Any]] = {
    "zones": {"zones": ["1"]},
    "priority": {"properties": {"priority": "Spot"}},
    "encryptionProperties": {
        "properties": {"encryptionProperties": {"vaultBaseUrl": "https://v", "keyName": "k", "keyVersion": "1"}}
    },
    "extensions": {
        "properties": {
            "extensions": [{"name": "x", "properties": {"extensionType": "e", "version": "1", "settings": {"a": 1}}}]
        }
    },
    "diagnostics.logAnalytics": {
        "properties": {"diagnostics": {"logAnalytics": {"workspaceId": "w", "logType": "ContainerInsights"}}}
    },
}
"""What is in the page below "Kept", and a definition that has it."""

NEEDS = {"requests": {"cpu": 1, "memoryInGB": 1}}
REFUSED: dict[str, dict[str, Any]] = {
    "Windows": {"properties": {"osType": "Windows"}},
    "GPUs": {
        "properties": {
            "containers": [container(resources={"requests": NEEDS["requests"] | {"gpu": {"count": 1, "sku": "V100"}}})]
        }
    },
    "Confidential": {"properties": {"sku": "Confidential"}},
    "Dedicated": {"properties": {"sku": "Dedicated"}},
    "standby pools": {
        "properties": {"standbyPoolProfile": {"id": "/pool", "failContainerGroupCreateOnReuseFailure": True}}
    },
    "key vaults": {
        "properties": {
            "secretReferences": [{"name": "s", "identity": "i", "secretReferenceUri": "https://v/secrets/s"}]
        }
    },
}
"""What is in the page below "Refused", and a definition that asks for it."""


def section(title: str) -> str:
    """Give the first paragraph below a heading."""
    return PAGE.partition(f"\n## {title}")[2].partition("\n")[2].strip().partition("\n\n")[0]


def definition(more: dict[str, Any]) -> dict[str, Any]:
    whole = group(container())
    return whole | more | {"properties": whole["properties"] | more.get("properties", {})}


def contains(answer: Any, asked: Any) -> bool:
    """Tell whether an answer has all that was asked for."""
    if isinstance(asked, dict):
        return isinstance(answer, dict) and all(contains(answer.get(key), value) for key, value in asked.items())
    return bool(answer == asked)


def test_the_lists_are_those_of_the_page() -> None:
    kept = re.findall(r"`([\w.]+)`", section("Kept for reading back, without effect"))
    assert [word for word in kept if word != "hythe.toml"] == [*KEPT]
    assert all(word in section("Refused when the group is put") for word in REFUSED)


@pytest.mark.parametrize("word", KEPT)
async def test_what_is_kept_is_given_back(word: str) -> None:
    async with running() as service:
        await service.make_folder()
        made = await service.ask("PUT", f"{GROUPS}/web", definition(KEPT[word]), version="2026-07-01")
        assert made.status == 201, made.raw
        got = (await service.ask("GET", f"{GROUPS}/web", version="2026-07-01")).json

    assert contains(got, KEPT[word])


@pytest.mark.parametrize("word", REFUSED)
async def test_what_is_refused_is_refused_with_its_path(word: str) -> None:
    async with running() as service:
        await service.make_folder()
        answer = await service.ask("PUT", f"{GROUPS}/web", definition(REFUSED[word]), version="2026-07-01")
        assert (await service.ask("GET", f"{GROUPS}/web")).status == 404

    error = answer.json["error"]
    every = [error, *error.get("details", ())]
    assert answer.status == 400
    assert any(each["code"] == "FeatureNotSupported" and each.get("target") for each in every), answer.raw


def test_codes_of_the_page_are_codes_of_the_service() -> None:
    table = PAGE.partition("\n## Codes that are Hythe's")[2].partition("\n## ")[0]
    codes = {code for row in re.findall(r"^\| ([A-Z][\w, ]+) \|", table, re.MULTILINE) for code in row.split(", ")}
    sources = "".join(path.read_text() for path in (ROOT / "src" / "hythe").rglob("*.py"))

    assert len(codes) > 15
    assert [code for code in sorted(codes) if f'"{code}"' not in sources] == []
