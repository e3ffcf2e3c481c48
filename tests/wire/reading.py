"""Reads templates for tests, and evaluates what stands in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hythe.wire.templates import Part, Plan, Scope, TemplateError, read_template

SUB = "11111111-1111-1111-1111-111111111111"
RG = f"/subscriptions/{SUB}/resourceGroups/rg"
ACI = "Microsoft.ContainerInstance/containerGroups"


def scope(group: bool = True) -> Scope:
    return Scope(
        subscription={"id": f"/subscriptions/{SUB}", "subscriptionId": SUB, "tenantId": "t", "displayName": "s"},
        tenant={"tenantId": "t"},
        deployment={"name": "d"},
        environment={"name": "Hythe"},
        resource_group={"id": RG, "name": "rg", "location": "eastus", "tags": {}} if group else None,
    )


def read(template: dict[str, Any], given: dict[str, Any] | None = None, *, group: bool = True) -> Plan:
    return read_template(template, given or {}, scope(group), datetime(2026, 1, 31, 5, 6, 7, tzinfo=UTC), "seed")


def nothing(word: str, version: str, part: Part) -> Any:
    raise AssertionError(word)


def evaluate(expression: Any, **more: Any) -> Any:
    type_ = "object"
    plan = read({"resources": [], "outputs": {"x": {"type": type_, "value": {"v": expression}}}} | more)
    return plan.outputs(nothing)["x"]["value"]["v"]


def fails(expression: Any, **more: Any) -> str:
    with pytest.raises(TemplateError) as error:
        evaluate(expression, **more)
    return str(error.value)
