"""Tests what templates ask for, and which are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hythe.wire.templates import Part, Plan, TemplateError

from .reading import ACI, RG, SUB, evaluate, fails, nothing, read

# --- parameters ---


def parameter(type_: str, **more: Any) -> dict[str, Any]:
    return {"resources": [], "parameters": {"p": {"type": type_, **more}}}


def test_parameters_have_values_and_defaults() -> None:
    plan = read(
        parameter("string", defaultValue="[concat('a', parameters('q'))]")
        | {
            "parameters": {
                "p": {"type": "string", "defaultValue": "[concat('a', parameters('q'))]"},
                "q": {"type": "int", "defaultValue": 3},
            }
        },
        {"Q": 4},
    )
    assert plan.parameters == {"p": "a4", "q": 4}


def test_what_differs_each_time_is_for_defaults_only_and_stays_for_one_deployment() -> None:
    template = {
        "resources": [],
        "parameters": {
            "now": {"type": "string", "defaultValue": "[utcNow()]"},
            "day": {"type": "string", "defaultValue": "[utcNow('d')]"},
            "id": {"type": "string", "defaultValue": "[newGuid()]"},
            "other": {"type": "string", "defaultValue": "[newGuid()]"},
        },
    }
    one, other = read(template).parameters, read(template).parameters
    assert (one["now"], one["day"]) == ("20260131T050607Z", "01/31/2026")
    assert one == other and one["id"] != one["other"]


@pytest.mark.parametrize(
    ("template", "given", "words"),
    [
        (parameter("string"), {}, "'p' is not provided"),
        (parameter("string"), {"p": "a", "z": 1}, "not present in the original template"),
        (parameter("string"), {"p": 1}, "Expected 'string'. Actual 'int'"),
        (parameter("int"), {"p": True}, "Expected 'int'. Actual 'bool'"),
        (parameter("strange"), {"p": 1}, "is not valid"),
        (parameter("string", allowedValues=["a"]), {"p": "b"}, "not part of the allowed"),
        (parameter("int", maxValue=3), {"p": 4}, "out of its bounds"),
        (parameter("string", minLength=3), {"p": "a"}, "out of its bounds"),
        ({}, {}, "no 'resources'"),
        ({"resources": 3}, {}, "not of the right type"),
        (
            {"resources": [], "outputs": {"o": {"type": "array", "copy": []}}},
            {},
            "copy loop of the template output 'o'",
        ),
        ([], {}, "not an object"),
    ],
)
def test_parameters_and_templates_that_are_wrong(template: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(TemplateError, match=words.replace("'", ".")):
        read(template, given)


def test_a_secure_value_is_in_no_error_and_no_output() -> None:
    with pytest.raises(TemplateError) as error:
        read(parameter("secureString", allowedValues=["a"]), {"p": "hush"})
    assert "hush" not in str(error.value)
    template = parameter("secureString") | {"outputs": {"x": {"type": "securestring", "value": "[parameters('p')]"}}}
    assert "hush" not in json.dumps(read(template, {"p": "hush"}).outputs(nothing))


# --- resources ---


def group(name: str, **more: Any) -> dict[str, Any]:
    return {"type": ACI, "apiVersion": "2023-05-01", "name": name, "location": "[resourceGroup().location]", **more}


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.steps]


def test_resources_come_after_what_they_depend_on() -> None:
    plan = read(
        {
            "resources": [
                group("c", dependsOn=["b"]),
                group("b", dependsOn=[f"[resourceId('{ACI}', 'a')]"]),
                group("a"),
                group("d", dependsOn=[f"{ACI}/c"]),
                group("e", properties={"x": "[reference('d', '2023-05-01').ipAddress.ip]"}),
            ]
        }
    )
    assert names(plan) == ["a", "b", "c", "d", "e"]
    assert plan.steps[0].id == f"{RG}/providers/{ACI}/a"
    body = plan.body(plan.steps[4], lambda word, version, part: {"ipAddress": {"ip": f"{word}{version}{part}"}})
    assert body == {"location": "eastus", "properties": {"x": "d2023-05-01properties"}}
    assert plan.needs_reference(plan.steps[4]) and not plan.needs_reference(plan.steps[0])


def test_what_is_looked_at_again_and_again_is_counted_once() -> None:
    words = [f"[reference('g{n}', 'v').x]" for n in range(60)]
    plan = read({"resources": [group("a")], "outputs": {"x": {"type": "array", "value": words}}})
    seen: set[str] = set()

    class Lacks(Exception):
        pass

    def reference(word: str, version: str, part: Part) -> Any:
        if word not in seen:
            seen.add(word)
            raise Lacks
        return {"x": "y" * 2000}

    for _ in range(60):
        with pytest.raises(Lacks):
            plan.outputs(reference)
    for _ in range(60):
        assert len(plan.outputs(reference)["x"]["value"]) == 60


def test_loops_make_many() -> None:
    plan = read(
        {
            "resources": [
                group(
                    "[concat('w', copyIndex('loop', 1))]",
                    copy={"name": "loop", "count": "[add(1, 2)]"},
                    properties={
                        "copy": [{"name": "ports", "count": 2, "input": {"port": "[add(80, copyIndex('ports'))]"}}],
                        "index": "[copyIndex()]",
                    },
                ),
                group("after", dependsOn=["loop"]),
            ]
        }
    )
    assert names(plan) == ["w1", "w2", "w3", "after"]
    assert plan.body(plan.steps[1], nothing)["properties"] == {"ports": [{"port": 80}, {"port": 81}], "index": 1}
    serial = read(
        {
            "resources": [
                group("[format('s{0}', copyIndex())]", copy={"name": "l", "count": 5, "mode": "serial", "batchSize": 2})
            ]
        }
    )
    assert [len(step.after) for step in serial.steps] == [0, 0, 2, 2, 2]
    assert names(read({"resources": [group("x", copy={"name": "l", "count": 0})]})) == []


def test_loops_in_variables_and_outputs() -> None:
    variables = {"copy": [{"name": "v", "count": 2, "input": "[copyIndex('v', 5)]"}]}
    with_loop = {
        "resources": [],
        "variables": {"o": variables},
        "outputs": {"x": {"type": "array", "copy": {"count": 2, "input": "[variables('o').v[copyIndex()]]"}}},
    }
    assert read(with_loop).outputs(nothing)["x"] == {"type": "Array", "value": [5, 6]}


def test_loops_make_variables_of_their_names() -> None:
    names_ = {"name": "names", "count": 3, "input": "[concat('web', copyIndex('names'))]"}
    ports = {"name": "Ports", "count": "[length(variables('names'))]", "input": {"port": "[add(80, copyIndex())]"}}
    variables = {"copy": [names_, ports], "first": "[variables('names')[0]]"}
    assert evaluate("[variables('names')]", variables=variables) == ["web0", "web1", "web2"]
    assert evaluate("[variables('ports')[2].port]", variables=variables) == 82
    assert evaluate("[variables('first')]", variables=variables) == "web0"
    many = {"name": "v", "count": 801, "input": "x"}
    assert evaluate("x", variables={"copy": [many]}) == "x"  # nobody asks for it
    assert "between 0 and 800" in fails("[variables('v')]", variables={"copy": [many]})
    itself = {"name": "v", "count": 1, "input": "[variables('v')]"}
    assert "depends on itself" in fails("[variables('v')]", variables={"copy": [itself]})
    assert "'V' is defined multiple times" in fails("x", variables={"copy": [many], "V": 1})
    loops = [many | {"name": f"v{n}"} for n in range(513)]
    assert "more than 512 variables" in fails("x", variables={"copy": loops})


def test_loops_within_loops_are_bounded_without_any_expression() -> None:
    deep: Any = "x"
    for n in range(5):
        deep = {"copy": [{"name": f"l{n}", "count": 800, "input": deep}]}
    assert "produce too much" in fails("[variables('v')]", variables={"v": deep})
    assert "produce too much" in fails("[variables('l4')]", variables=deep)


def test_conditions_leave_out() -> None:
    plan = read(
        {
            "parameters": {"on": {"type": "bool"}},
            "resources": [group("a", condition="[parameters('on')]"), group("b", dependsOn=["a"])],
        },
        {"on": False},
    )
    assert names(plan) == ["b"] and plan.steps[0].after == ()


def test_children_and_what_extends() -> None:
    network = {
        "type": "Microsoft.Network/virtualNetworks",
        "name": "v",
        "apiVersion": "2022-01-01",
        "resources": [{"type": "subnets", "name": "s", "apiVersion": "2022-01-01"}],
    }
    role = {
        "type": "Microsoft.Authorization/roleAssignments",
        "name": "g",
        "apiVersion": "2022-04-01",
        "scope": "Microsoft.Network/virtualNetworks/v",
        "dependsOn": ["v"],
    }
    plan = read({"resources": [role, network]})
    assert [step.id.removeprefix(f"{RG}/providers/") for step in plan.steps] == [
        "Microsoft.Network/virtualNetworks/v",
        "Microsoft.Network/virtualNetworks/v/providers/Microsoft.Authorization/roleAssignments/g",
        "Microsoft.Network/virtualNetworks/v/subnets/s",
    ]


def test_symbolic_names_and_scopes_of_a_subscription() -> None:
    plan = read(
        {
            "languageVersion": "2.0",
            "resources": {
                "two": {
                    "type": "Microsoft.Resources/deployments",
                    "apiVersion": "2021-04-01",
                    "name": "in",
                    "resourceGroup": "n",
                    "dependsOn": ["one"],
                    "properties": {"mode": "Incremental", "template": {"resources": []}},
                },
                "one": {
                    "type": "Microsoft.Resources/resourceGroups",
                    "apiVersion": "2021-04-01",
                    "name": "n",
                    "location": "x",
                },
            },
        },
        group=False,
    )
    assert [step.id for step in plan.steps] == [
        f"/subscriptions/{SUB}/resourceGroups/n",
        f"/subscriptions/{SUB}/resourceGroups/n/providers/Microsoft.Resources/deployments/in",
    ]


@pytest.mark.parametrize("levels", [5, 6])
def test_deployments_are_nested_five_levels_deep_at_most_in_whichever_resource(levels: int) -> None:
    inner: dict[str, Any] = {"resources": []}
    for level in range(levels):
        deeper = {
            "type": "Microsoft.Resources/deployments",
            "apiVersion": "2021-04-01",
            "name": f"deep{level}",
            "properties": {"mode": "Incremental", "template": inner},
        }
        inner = {"resources": [deeper | {"name": "flat", "properties": {"template": {"resources": []}}}, deeper]}
    if levels == 5:
        assert len(read(inner).steps) == 2
    else:
        with pytest.raises(TemplateError, match="more than 5 levels deep"):
            read(inner)


def test_the_template_of_a_nested_deployment_is_left_as_it_is() -> None:
    inner = {"resources": [], "outputs": {"x": {"type": "string", "value": "[parameters('p')]"}}}
    nested = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2021-04-01",
        "name": "n",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "template": inner,
            "parameters": {"p": {"value": "[toLower('AB')]"}},
        },
    }
    plan = read({"resources": [nested]})
    properties = plan.body(plan.steps[0], nothing)["properties"]
    assert properties["template"] == inner and properties["parameters"] == {"p": {"value": "ab"}}
    del nested["properties"]["expressionEvaluationOptions"]
    with pytest.raises(TemplateError, match="scope to 'inner'"):
        read({"resources": [nested]})


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ([group("a", dependsOn=["b"]), group("b", dependsOn=["a"])], "Circular dependency"),
        ([group("a"), group("A")], "defined multiple times"),
        ([group("a", dependsOn=["nobody"])], "not defined in the template"),
        ([group("a/b")], "incorrect segment lengths"),
        ([{"type": ACI, "name": "a"}], "no 'apiVersion'"),
        ([group("a", copy={"name": "l", "count": 801})], "between 0 and 800"),
        ([group(f"a{n}") for n in range(801)], "more than 800 resources"),
        ([group("a", condition="yes")], "not a bool"),
        (["x"], "not an object"),
        ([group("[nope()]")], "'nope' is not valid"),
        (
            [
                {
                    "type": "Microsoft.Resources/deployments",
                    "name": "n",
                    "apiVersion": "2021-04-01",
                    "properties": {"templateLink": {}},
                }
            ],
            "fetches no linked templates",
        ),
    ],
)
def test_resources_that_are_wrong(resources: list[Any], words: str) -> None:
    with pytest.raises(TemplateError, match=words):
        read({"resources": resources})


def test_many_dependencies_are_quick() -> None:
    resources = [group(f"g{n}", dependsOn=[f"g{m}" for m in range(max(0, n - 200), n)]) for n in range(800)]
    assert len(read({"resources": resources[::-1]}).steps) == 800
