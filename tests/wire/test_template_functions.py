"""Tests what expressions of templates give, and which are refused."""

from __future__ import annotations

import contextlib
import random
import string
from typing import Any

import pytest

from hythe.wire.templates import Part, TemplateError
from hythe.wire.templates.expressions import parse

from .reading import ACI, RG, SUB, evaluate, fails, nothing, read

# --- functions: examples of Microsoft's documentation and of Azure's own answers ---


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[concat('a', 'b', 1)]", "ab1"),
        ("[concat(createArray(1), createArray(2, 3))]", [1, 2, 3]),
        ("[[not an expression]", "[not an expression]"),
        ("plain", "plain"),
        ("['it''s']", "it's"),
        (
            "[format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)]",
            "Hello, User. Formatted number: 8,175,133",
        ),
        ("[format('{{{0}}} {1:D3} {1,5}|{1,-5}|{2:X2} {3:F1}', 'x', 7, 255, 2)]", "{x} 007     7|7    |FF 2.0"),
        ("[uniqueString('hello', 'world')]", "a7wkljktk6wne"),
        ("[uniqueString('tyeth')]", "zcztcwvu6iyg6"),
        ("[guid('a', 'b')]", "2d796349-8c7e-55ec-9624-54ece82ed031"),
        ("[base64('one, two, three')]", "b25lLCB0d28sIHRocmVl"),
        ("[base64ToString('b25lLCB0d28sIHRocmVl')]", "one, two, three"),
        ("[base64ToJson(base64('{''one'': ''a'', ''two'': ''b''}'))]", {"one": "a", "two": "b"}),
        ("[dataUri('Hello')]", "data:text/plain;charset=utf8;base64,SGVsbG8="),
        ("[dataUriToString('data:;base64,SGVsbG8=')]", "Hello"),
        ("[uriComponent('http://contoso.com/resources/')]", "http%3A%2F%2Fcontoso.com%2Fresources%2F"),
        ("[uri('http://contoso.org/firstpath/', 'myscript.sh')]", "http://contoso.org/firstpath/myscript.sh"),
        ("[if(equals('a', 'a'), 'yes', variables('no such'))]", "yes"),
        ("[if(true(), 1, div(1, 0))]", 1),
        ("[equals(1, true())]", False),
        ("[equals(createObject('a', createArray(1)), json('{\"a\": [1]}'))]", True),
        ("[length('abc')]", 3),
        ("[length(createObject('a', 1, 'b', 2))]", 2),
        ("[split('one;two,three', createArray(';', ','))]", ["one", "two", "three"]),
        ("[join(createArray('a', 'b'), '-')]", "a-b"),
        ("[toLower('ÄB')]", "äb"),
        ("[toUpper(trim('  a '))]", "A"),
        ("[array('a')]", ["a"]),
        ("[array(createArray('a'))]", ["a"]),
        ("[union(createArray(1, 2, 2), createArray(2, 3))]", [1, 2, 3]),
        ('[union(json(\'{"a": {"b": 1}}\'), json(\'{"a": {"c": 2}, "d": 3}\'))]', {"a": {"b": 1, "c": 2}, "d": 3}),
        ("[intersection(createArray('one', 'two'), createArray('two', 'three'))]", ["two"]),
        ("[createObject('a', 1, 'b', null())]", {"a": 1, "b": None}),
        ("[contains('OneTwo', 'eT')]", True),
        ("[contains(createObject('One', 1), 'one')]", True),
        ("[contains(createArray('one'), 'two')]", False),
        ("[first('One Two')]", "O"),
        ("[last(createArray('one', 'two'))]", "two"),
        ("[first(createArray())]", None),
        ("[take(createArray(1, 2, 3), 2)]", [1, 2]),
        ("[skip('abc', 1)]", "bc"),
        ("[indexOf('testing', 'T')]", 0),
        ("[lastIndexOf('testing', 't')]", 3),
        ("[indexOf(createArray('a', 'b'), 'b')]", 1),
        ("[range(5, 3)]", [5, 6, 7]),
        ("[min(1, 2, 0)]", 0),
        ("[max(createArray(3, 9, 4))]", 9),
        ("[add(2, mul(3, sub(5, 1)))]", 14),
        ("[div(-7, 2)]", -3),
        ("[mod(-7, 2)]", -1),
        ("[int('42')]", 42),
        ("[bool('true')]", True),
        ("[string(createObject('a', createArray(1, true())))]", '{"a":[1,true]}'),
        ("[string(true())]", "True"),
        ("[padLeft('123', 6, '0')]", "000123"),
        ("[replace('a-b-c', '-', '')]", "abc"),
        ("[substring('one two three', 4, 3)]", "two"),
        ("[startsWith('abcdef', 'AB')]", True),
        ("[endsWith('abcdef', 'x')]", False),
        ("[empty('')]", True),
        ("[empty(null())]", True),
        ("[coalesce(null(), createObject('a', 1).a)]", 1),
        ("[and(true(), not(false()), or(false(), true()))]", True),
        ("[less('a', 'b')]", True),
        ("[greaterOrEquals(2, 2)]", True),
        ("[items(createObject('b', 1, 'a', 2))]", [{"key": "a", "value": 2}, {"key": "b", "value": 1}]),
        ("[tryGet(createObject('a', createArray(1)), 'a', 0)]", 1),
        ("[tryGet(createObject(), 'a')]", None),
        ("[createObject('a', 1).?b]", None),
        ("[createObject('a', createArray(1, createObject('B', 'x'))).A[1].b]", "x"),
        ("[map(range(0, 3), lambda('i', mul(lambdaVariables('i'), 2)))]", [0, 2, 4]),
        ("[filter(range(0, 5), lambda('i', greater(lambdaVariables('i'), 2)))]", [3, 4]),
        ("[reduce(range(1, 4), 0, lambda('sum', 'i', add(lambdaVariables('sum'), lambdaVariables('i'))))]", 10),
        ("[sort(createArray(3, 1, 2), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))]", [1, 2, 3]),
        ("[mapValues(createObject('a', 1), lambda('v', add(lambdaVariables('v'), 1)))]", {"a": 2}),
        (
            "[groupBy(createArray('ab', 'ac', 'b'), lambda('w', first(lambdaVariables('w'))))]",
            {"a": ["ab", "ac"], "b": ["b"]},
        ),
        ("[cidrSubnet('10.144.0.0/20', 24, 1)]", "10.144.1.0/24"),
        ("[cidrHost('10.144.3.0/24', 0)]", "10.144.3.1"),
        (
            "[parseCidr('10.144.0.0/20')]",
            {
                "network": "10.144.0.0",
                "netmask": "255.255.240.0",
                "broadcast": "10.144.15.255",
                "firstUsable": "10.144.0.1",
                "lastUsable": "10.144.15.254",
                "cidr": 20,
            },
        ),
        ("[dateTimeAdd('2020-01-31T00:00:00Z', 'P1M')]", "2020-02-29T00:00:00Z"),
        ("[dateTimeAdd('20200301T120000Z', '-PT2H', 'yyyy-MM-dd HH:mm')]", "2020-03-01 10:00"),
        ("[dateTimeToEpoch(dateTimeFromEpoch(1683040573))]", 1683040573),
        ("[resourceGroup().location]", "eastus"),
        ("[subscription().subscriptionId]", SUB),
        ("[deployment().name]", "d"),
        (f"[resourceId('{ACI}', 'web')]", f"{RG}/providers/{ACI}/web"),
        (
            "[resourceId('other', 'Microsoft.Network/virtualNetworks/subnets', 'v', 's')]",
            f"/subscriptions/{SUB}/resourceGroups/other/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
        ),
        (f"[resourceId('s2', 'other', '{ACI}', 'w')]", f"/subscriptions/s2/resourceGroups/other/providers/{ACI}/w"),
        (
            "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')]",
            f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/r",
        ),
        (
            "[extensionResourceId(resourceGroup().id, 'Microsoft.Authorization/locks', 'l')]",
            f"{RG}/providers/Microsoft.Authorization/locks/l",
        ),
    ],
)
def test_functions(expression: Any, value: Any) -> None:
    assert evaluate(expression) == value
    assert type(evaluate(expression)) is type(value)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("[frobnicate(1)]", "The template function 'frobnicate' is not valid"),
        ("[listSecrets('x', 'y')]", "is not offered by this service: of its like there is listKeys"),
        ("[listKeys('x')]", "does not take 1"),
        ("[newGuid()]", "for default values of parameters only"),
        ("[concat('a']", "is not valid"),
        ("[concat('a' 'b')]", "expected ','"),
        ("[]", "is not valid"),
        ("['a]", "unexpected character"),
        ("[variables('x')]", "'x' is not found"),
        ("[parameters('x')]", "'x' is not found"),
        ("[createObject('a', 1).b]", "available properties are 'a'"),
        ("[createArray(1)[1]]", "out of bounds"),
        ("[div(1, 0)]", "division by zero"),
        ("[substring('abc', 2, 5)]", "within the text"),
        ("[length(1)]", "expected string or array or object, found int"),
        ("[range(0, 10001)]", "between 0 and 10000"),
        ("[padLeft('a', 200000)]", "padLeft"),
        ("[if('a', 1, 2)]", "expected a bool"),
        ("[copyIndex()]", "outside of a copy loop"),
        ("[json('{')]", "not JSON"),
        ("[resourceId('web')]", "does not take 1"),
        ("[resourceId('a/b', 'c', 'd')]", "a name for each"),
        ("[mul(9223372036854775807, 2)]", "64 bits"),
        ("[format('{1}', 'a')]", "no argument fills"),
        ("[" + "concat(" * 60 + "'a'" + ")" * 60 + "]", "levels deep"),
        ("['" + "a" * 24600 + "']", "longer than 24576"),
    ],
)
def test_what_is_wrong_is_said(expression: str, words: str) -> None:
    assert words in fails(expression)


def test_growth_is_bounded() -> None:
    variables = {"v0": ["x" * 100]} | {
        f"v{n + 1}": f"[createArray(variables('v{n}'), variables('v{n}'))]" for n in range(40)
    }
    assert "produce too much" in fails("[variables('v40')]", variables=variables)
    texts = {"v0": "x" * 100} | {f"v{n + 1}": f"[concat(variables('v{n}'), variables('v{n}'))]" for n in range(40)}
    assert "longer than 131072" in fails("[variables('v40')]", variables=texts)
    nested = "[length(map(range(0, 9999), lambda('a', map(range(0, 9999), lambda('b', 1)))))]"
    assert "produce too much" in fails(nested)


def test_growth_by_mere_mention_is_bounded() -> None:
    lists = {"v0": ["x" * 100]} | {f"v{n + 1}": [f"[variables('v{n}')]", f"[variables('v{n}')]"] for n in range(40)}
    assert "produce too much" in fails("[variables('v40')]", variables=lists)
    big = [{"name": f"n{n}", "text": "x" * 1000} for n in range(200)]
    items = [f"[parameters('p')[{n}].name]" for n in range(200)]
    plan = read({"resources": [], "parameters": {"p": {"type": "array"}},
                 "outputs": {"x": {"type": "array", "value": items * 5}}}, {"p": big})  # fmt: skip
    assert len(plan.outputs(nothing)["x"]["value"]) == 1000


def test_circles_are_found() -> None:
    assert "depends on itself" in fails(
        "[variables('a')]", variables={"a": "[variables('b')]", "b": "[variables('a')]"}
    )
    with pytest.raises(TemplateError, match="depends on itself"):
        read({"resources": [], "parameters": {"a": {"type": "string", "defaultValue": "[parameters('a')]"}}})


def test_user_functions_see_their_own_parameters_only() -> None:
    function = {
        "parameters": [{"name": "p", "type": "string"}],
        "output": {"type": "string", "value": "[concat('<', parameters('p'), '>')]"},
    }
    functions = [{"namespace": "my", "members": {"wrap": function}}]
    assert evaluate("[my.wrap('x')]", functions=functions) == "<x>"
    assert "takes 1 arguments" in fails("[my.wrap()]", functions=functions)
    assert "not valid" in fails("[my.other()]", functions=functions)


BOGUS = "[bogus(reference('id1').clientId)]"


def inner(template: dict[str, Any], type_: str = "Microsoft.Resources/deployments") -> dict[str, Any]:
    options = {"expressionEvaluationOptions": {"scope": "inner"}, "mode": "Incremental", "template": template}
    return {"type": type_, "apiVersion": "2021-04-01", "name": "n", "properties": options}


@pytest.mark.parametrize(
    "more",
    [
        {"variables": {"unused": BOGUS}},
        {"variables": {"copy": [{"name": "unused", "count": 1, "input": {"a": [BOGUS]}}]}},
        {"outputs": {"o": {"type": "string", "condition": False, "value": BOGUS}}},
        {"resources": [{"type": ACI, "apiVersion": "x", "name": "a", "properties": {BOGUS: 1}}]},
        {"resources": [{"type": ACI, "apiVersion": "x", "name": "a", "condition": False, "tags": {"a": BOGUS}}]},
        {"resources": [{"type": ACI, "apiVersion": "x", "name": "a", "tags": "[if(true(), 1, bogus())]"}]},
        {"resources": [{"type": ACI, "apiVersion": "x", "name": BOGUS, "copy": {"name": "l", "count": 0}}]},
        {"resources": [{"type": ACI, "apiVersion": "x", "name": "a", "resources": [{"name": "b", "tags": BOGUS}]}]},
        {"resources": {"a": {"type": ACI, "apiVersion": "x", "name": "a", "existing": True, "tags": BOGUS}}},
        {"resources": [inner({"resources": []}) | {"tags": {"a": BOGUS}}]},
        {"functions": [{"namespace": "my", "members": {"f": {"output": {"type": "string", "value": BOGUS}}}}]},
    ],
)
def test_an_unknown_function_is_told_of_wherever_it_is(more: dict[str, Any]) -> None:
    with pytest.raises(TemplateError, match="The template function 'bogus' is not valid"):
        read({"resources": []} | more)


def test_an_unknown_function_of_ones_own_is_told_of_too() -> None:
    with pytest.raises(TemplateError, match=r"The template function 'my\.other' is not valid"):
        read({"resources": [], "variables": {"unused": "[my.other()]"}})


def test_what_is_not_evaluated_may_name_any_function() -> None:
    template = {"resources": [], "variables": {"v": BOGUS}}
    remarks = {"comments": BOGUS, "metadata": {"a": BOGUS}, "tags": {"a": f"[{BOGUS}"}}
    deployment = "[concat('Microsoft.Resources', '/deployments')]"
    plan = read(
        {
            "variables": {"v": f"[{BOGUS}", "w": "[later"},
            "resources": [
                {"type": ACI, "apiVersion": "x", "name": "a", **remarks},
                inner(template),
                inner(template, deployment) | {"name": "m"},
            ],
            "outputs": {"o": {"type": "string", "metadata": {"a": BOGUS}, "value": "[variables('v')]"}},
        }
    )
    assert plan.outputs(nothing)["o"]["value"] == BOGUS
    assert plan.body(plan.steps[0], nothing) == {"tags": {"a": BOGUS}}
    assert not plan.needs_reference(plan.steps[0])


WORKSPACE = "[listKeys(resourceId('Microsoft.OperationalInsights/workspaces', 'logs'), '2020-08-01')]"


def test_keys_are_asked_for_as_properties_are() -> None:
    logs = {"type": "Microsoft.OperationalInsights/workspaces", "apiVersion": "2020-08-01", "name": "logs"}
    web = {"type": ACI, "apiVersion": "x", "name": "web", "properties": {"key": f"{WORKSPACE[:-1]}.primarySharedKey]"}}
    plan = read({"resources": [web, logs], "outputs": {"o": {"type": "string", "value": "[listKeys('logs', 'v').a]"}}})
    assert [step.name for step in plan.steps] == ["logs", "web"]
    id_ = plan.steps[0].id
    assert [*plan.keys_of()] == [id_, "logs"]
    assert [(plan.needs_keys(step), plan.needs_reference(step)) for step in plan.steps] == [(False,) * 2, (True,) * 2]
    asked: list[tuple[str, str, Part]] = []

    def reference(word: str, version: str, part: Part) -> Any:
        asked.append((word, version, part))
        return {"primarySharedKey": "k", "a": "b"}

    assert plan.body(plan.steps[1], reference) == {"properties": {"key": "k"}}
    assert plan.outputs(reference)["o"]["value"] == "b"
    assert asked == [(id_, "2020-08-01", "keys"), ("logs", "v", "keys")]


@pytest.mark.parametrize(
    "more",
    [
        {"variables": {"unused": WORKSPACE}},
        {"functions": [{"namespace": "my", "members": {"f": {"output": {"type": "object", "value": WORKSPACE}}}}]},
        {"functions": [{"namespace": "my", "members": {"f": {"output": {"value": "[reference('x')]"}}}}]},
        {"parameters": {"p": {"type": "object", "defaultValue": WORKSPACE}}},
        {"resources": [{"type": ACI, "apiVersion": "x", "name": WORKSPACE}]},
    ],
)
def test_keys_are_for_properties_and_outputs_only(more: dict[str, Any]) -> None:
    with pytest.raises(TemplateError, match="is not expected here: it is for properties and outputs"):
        read({"resources": []} | more)


def test_random_texts_never_break_the_reader() -> None:
    chosen = random.Random(7)
    letters = string.ascii_letters + string.digits + "'()[].,? -\n"
    for _ in range(3000):
        text = "[" + "".join(chosen.choices(letters, k=chosen.randrange(40))) + "]"
        with contextlib.suppress(TemplateError):
            parse(text)


def test_random_trees_evaluate_to_themselves() -> None:
    chosen = random.Random(11)

    def tree(depth: int) -> tuple[str, Any]:
        kind = chosen.randrange(6 if depth else 4)
        if kind == 0:
            number = chosen.randrange(-1000, 1000)
            return str(number), number
        if kind == 1:
            text = "".join(chosen.choices("ab'\"\\[ ]{}é", k=5))
            return "'" + text.replace("'", "''") + "'", text
        if kind in (2, 3):
            return (("true()", True), ("null()", None))[kind - 2]
        parts = [tree(depth - 1) for _ in range(chosen.randrange(4))]
        if kind == 4:
            return f"createArray({', '.join(text for text, _ in parts)})", [value for _, value in parts]
        pairs = ", ".join(f"'k{at}', {text}" for at, (text, _) in enumerate(parts))
        return f"createObject({pairs})", {f"k{at}": value for at, (_, value) in enumerate(parts)}

    for _ in range(300):
        text, value = tree(4)
        assert evaluate(f"[{text}]") == value
        if isinstance(value, list | dict):
            assert evaluate(f"[json(string({text}))]") == value
