"""Tests the ids of resources: what they are made of, and what is none."""

from __future__ import annotations

import pytest

from hythe.wire import ids

S = "/subscriptions/11111111-1111-1111-1111-111111111111"
FOLDER = f"{S}/resourceGroups/rg"
GROUPS = f"{FOLDER}/providers/Microsoft.ContainerInstance/containerGroups"
SUBNET = f"{FOLDER}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
ASSIGNMENT = "/providers/Microsoft.Authorization/roleAssignments/aaaaaaaa-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    "text",
    [
        "",
        S,
        FOLDER,
        f"{GROUPS}/web",
        SUBNET,
        f"{GROUPS}/web{ASSIGNMENT}",
        f"{S}{ASSIGNMENT}",
        ASSIGNMENT,
    ],
)
def test_ids_are_read_and_written(text: str) -> None:
    found = ids.parse(text)
    assert found is not None and found.text == text
    assert ids.parse(text.upper() + "/") is not None


@pytest.mark.parametrize(
    "text", ["/subscriptions", "x", f"{FOLDER}/x/y", f"{FOLDER}/providers/a/b", f"{S}/resourceGroups"]
)
def test_what_is_no_id(text: str) -> None:
    assert ids.parse(text) is None
