"""Tests that what people call says where it comes from, in which units its arguments are, and what it raises."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

import hythe
from hythe import operations
from hythe.client._sync.container_instances import ContainerInstanceManagementClient
from hythe.client._sync.group import Group
from hythe.client._sync.operation_group import OperationGroup
from hythe.client._sync.resources import ResourceGroupsOperations, ResourcesOperations
from hythe.service.routes import ROUTES

GROUPS = [*(getattr(operations, name) for name in operations.__all__), ResourceGroupsOperations, ResourcesOperations]
OPERATIONS = {route.name for route in ROUTES}
OLDER = {
    "ContainerGroupProfilesOperations.list": "ListBySubscription",
    "ContainerGroupProfilesOperations.patch": "Update",
    "ContainerGroupUsageOperations.list": "ListUsage",
}
"""Names that the contract has no longer."""
OF_ALL_CLIENTS = {"close", "from_auth", "send_request"}
UNITS = {"timeout": "second", "tail": "line", "interval": "second", "rows": "rows", "columns": "columns"}


def callables() -> Iterator[Any]:
    for holder in dict.fromkeys([*GROUPS, Group, ContainerInstanceManagementClient]):
        for name, value in inspect.getmembers(holder, inspect.isfunction):
            if not name.startswith("_") and name not in OF_ALL_CLIENTS:
                yield pytest.param(holder, value, id=f"{holder.__name__}.{name}")


@pytest.mark.parametrize(("holder", "function"), [*callables()])
def test_a_public_callable_names_its_source_and_its_units(holder: Any, function: Any) -> None:
    said = " ".join((inspect.getdoc(function) or "").split())

    named = re.findall(r"``(\w+_[A-Z]\w*)``", said)
    assert set(named) <= OPERATIONS, "the contract has no such operation"
    if holder in (Group, ContainerInstanceManagementClient):
        assert "Hythe's own" in said
    else:
        (operation,) = named
        words = function.__name__.removeprefix("begin_").split("_")
        verb = OLDER.get(f"{holder.__name__}.{function.__name__}") or "".join(word.capitalize() for word in words)
        assert operation.partition("_")[2] == verb
    for parameter in inspect.signature(function).parameters:
        assert UNITS.get(parameter, "") in said, f"{parameter} has no unit"


@pytest.mark.parametrize("holder", [OperationGroup, Group])
def test_what_every_call_raises_is_said_once(holder: type) -> None:
    assert "raises" in (inspect.getdoc(holder) or "")
    assert "`NotFound`" in (inspect.getdoc(holder) or "")


@pytest.mark.parametrize("name", [name for name in hythe.__all__ if inspect.isfunction(getattr(hythe, name))])
def test_a_public_function_says_what_it_raises(name: str) -> None:
    assert "Raises" in (inspect.getdoc(getattr(hythe, name)) or "")
