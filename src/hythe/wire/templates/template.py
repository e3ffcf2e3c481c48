"""Reads a template: its parameters, and the resources that it asks for, each with what it depends on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from msgspec import Struct

from .evaluate import LOOKS, Evaluator, Reference, Scope, expressions, references, variables_of
from .expressions import Apply, TemplateError, is_expression, parse
from .texts import utc_now
from .values import Value, kind, member, same

MOST_RESOURCES = 800
_MOST_PARAMETERS, _MOST_VARIABLES, _MOST_OUTPUTS = 256, 512, 64
_MOST_NESTED = 5
DEPLOYMENT = "Microsoft.Resources/deployments"
_CONTROL = frozenset(
    ("type", "name", "apiversion", "dependson", "condition", "copy", "scope", "resources", "comments", "metadata",
     "existing", "resourcegroup", "subscriptionid", "asserts", "import")
)  # fmt: skip
"""Members of a resource that are for the deployment, not for the resource."""
_UNREAD = frozenset(("resources", "comments", "metadata", "asserts", "import"))
"""Members of a resource or an output that are not evaluated with it."""
_TYPES = {
    "string": "string", "securestring": "string", "int": "int", "bool": "bool", "array": "array",
    "object": "object", "secureobject": "object",
}  # fmt: skip


class Step(Struct, kw_only=True):
    """One resource that a template asks for."""

    id: str
    type: str
    name: str
    api_version: str
    after: tuple[str, ...] = ()
    """Ids of what has to be there before."""
    definition: dict[str, Value]
    """As the template has it."""
    loops: tuple[tuple[str, int], ...] = ()
    """The loops that it is in, with their indexes."""
    symbol: str = ""

    @property
    def key(self) -> str:
        """The id in lower case."""
        return self.id.lower()


class Plan:
    """What a template asks for, with its parameters filled in."""

    def __init__(
        self, evaluator: Evaluator, steps: list[Step], outputs: dict[str, Any], parameters: dict[str, Value]
    ) -> None:
        self._evaluator = evaluator
        self._outputs = outputs
        self._counted: set[str] = set()
        self.steps = steps
        """In an order in which each comes after what it depends on."""
        self.parameters = parameters
        """Every parameter's value, by its name in the template."""

    def body(self, step: Step, reference: Reference) -> dict[str, Value]:
        """Evaluate what is sent for a resource.  Raises `TemplateError`."""
        evaluator = self._evaluator
        body = {name: each for name, each in step.definition.items() if name.lower() not in _CONTROL}
        template: Value = None
        if step.type.lower() == DEPLOYMENT.lower():
            properties = dict(body.get("properties") or {})
            template = properties.pop("template", None)
            body["properties"] = properties
        with _inside(evaluator, step.loops), self._referring(reference, step.key):
            found = evaluator.value(body)
        if template is not None:
            found["properties"]["template"] = template  # its expressions are evaluated by its own deployment
        return found  # type: ignore[no-any-return]

    def needs_reference(self, step: Step) -> bool:
        """Tell whether a resource can be evaluated only when others are there."""
        return any(True for _ in _looking(_own(step.definition, step.type)))

    def needs_keys(self, step: Step) -> bool:
        """Tell whether a resource is given keys of others, which are secret."""
        return any(call.name == "listkeys" for call in _looking(_own(step.definition, step.type)))

    def keys_of(self) -> Iterator[str]:
        """Give the names or ids of resources whose keys are asked for, as far as they are known before these exist."""
        places: list[tuple[Value, tuple[tuple[str, int], ...]]] = [
            (_own(step.definition, step.type), step.loops) for step in self.steps
        ]
        for value, loops in [*places, (self._outputs, ())]:
            for call in _looking(value):
                if call.name == "listkeys":
                    with suppress(TemplateError), _inside(self._evaluator, loops):
                        yield str(self._evaluator.node(call.args[0]))

    def outputs(self, reference: Reference) -> dict[str, Value]:
        """Evaluate the outputs: name -> type and value.  Raises `TemplateError`."""
        out = {}
        with self._referring(reference, ""):
            for name, each in self._outputs.items():
                if "condition" in each and self._evaluator.value(each["condition"]) is not True:
                    continue
                type_ = str(each.get("type", "")).lower()
                shown = {"type": {"int": "Int", "bool": "Bool"}.get(type_, str(each.get("type")).capitalize())}
                if "copy" in each:
                    value: Value = self._evaluator.looped(each["copy"], name)
                else:
                    value = self._evaluator.value(each.get("value"))
                if type_.startswith("secure"):
                    out[name] = {"type": each["type"]}
                    continue
                if type_ not in _TYPES or kind(value) not in (_TYPES[type_], "null"):
                    raise TemplateError(f"The template output '{name}' is not of the type '{each.get('type')}'")
                out[name] = shown | {"value": value}
        return out

    @contextmanager
    def _referring(self, reference: Reference, what: str) -> Iterator[None]:
        """Let the evaluator look at resources within a block.  What is evaluated again is counted once."""
        evaluator, before = self._evaluator, self._evaluator.work
        evaluator.reference = reference
        try:
            yield
        except TemplateError:
            raise
        except BaseException:  # the resource that it looked at has to be read first: it begins anew
            evaluator.work = before
            raise
        else:
            if what in self._counted:
                evaluator.work = before
            self._counted.add(what)
        finally:
            evaluator.reference = None


class _inside:
    """Is in the turns of the loops of a step within a block."""

    def __init__(self, evaluator: Evaluator, loops: tuple[tuple[str, int], ...]) -> None:
        self._turns = [evaluator.copying(name, index) for name, index in loops]

    def __enter__(self) -> None:
        for turn in self._turns:
            turn.__enter__()

    def __exit__(self, *_: object) -> None:
        for turn in reversed(self._turns):
            turn.__exit__(None, None, None)


def read_template(template: Value, given: dict[str, Value], scope: Scope, moment: datetime, seed: str) -> Plan:
    """Read a template for a scope with the values of its parameters.  Raises `TemplateError`.

    ``moment`` and ``seed`` stand for what differs from one deployment to the next: utcNow() and newGuid().
    """
    if not isinstance(template, dict):
        raise TemplateError("The template is not an object")
    parts = {name.lower(): each for name, each in template.items()}
    for name, type_ in (
        ("parameters", dict), ("variables", dict), ("outputs", dict), ("resources", (list, dict)), ("functions", list),
        ("definitions", dict),
    ):  # fmt: skip
        if parts.get(name) is not None and not isinstance(parts[name], type_):
            raise TemplateError(f"The template's '{name}' are not of the right type")
    if "resources" not in parts:
        raise TemplateError("The template has no 'resources'")
    written, parts["variables"] = parts.get("variables"), variables_of(parts.get("variables") or {})
    for name, most in (
        ("parameters", _MOST_PARAMETERS), ("variables", _MOST_VARIABLES), ("outputs", _MOST_OUTPUTS)
    ):  # fmt: skip
        if len(parts.get(name) or ()) > most:
            raise TemplateError(f"The template has more than {most} {name}")
    for name, each in (parts.get("outputs") or {}).items():
        if not isinstance(each, dict):
            raise TemplateError(f"The template output '{name}' is not an object")
        if not isinstance(each.get("copy", {}), dict):
            raise TemplateError(f"The copy loop of the template output '{name}' is not an object")
    functions = _user_functions(parts.get("functions") or [])
    evaluator = Evaluator(scope, parts["variables"], functions)
    parameters = _Parameters(evaluator, parts.get("parameters") or {}, given, moment, seed).all()
    # Much is evaluated only when other resources are there, or never: an unknown function is told of before all that.
    Evaluator(scope, {}, {}).check_functions([each.get("output") for each in functions.values()], LOOKS)
    evaluator.check_functions(written, frozenset(("listkeys",)))
    evaluator.check_functions([_own(each, str(each.get("type"))) for each in _written(_resources_of(parts))])
    evaluator.check_functions([_own(each, "") for each in (parts.get("outputs") or {}).values()])
    steps = _Reader(evaluator, scope).steps(parts["resources"] or [])
    return Plan(evaluator, steps, parts.get("outputs") or {}, parameters)


def _user_functions(namespaces: list[Any]) -> dict[str, Any]:
    found = {}
    for each in namespaces:
        members = each.get("members") if isinstance(each, dict) else None
        if not isinstance(members, dict) or not all(isinstance(one, dict) for one in members.values()):
            raise TemplateError("The template's 'functions' are not of the right type")
        for name, definition in members.items():
            found[f"{each.get('namespace', '')}.{name}".lower()] = definition
    return found


# --- parameters ---


class _Parameters:
    """Finds the values of parameters; defaults may name other parameters."""

    def __init__(
        self, evaluator: Evaluator, defined: dict[str, Any], given: dict[str, Value], moment: datetime, seed: str
    ) -> None:
        self._evaluator = evaluator
        self._defined = {name.lower(): (name, each) for name, each in defined.items()}
        self._given = {name.lower(): value for name, value in given.items()}
        self._known: dict[str, Value] = {}
        self._entered: list[str] = []
        self._guids = 0
        self._moment, self._seed = moment, seed
        evaluator.parameters = self._value

    def all(self) -> dict[str, Value]:
        """Give every value.  Raises `TemplateError`."""
        unknown = [name for name in self._given if name not in self._defined]
        if unknown:
            there = ", ".join(name for name, _ in self._defined.values())
            raise TemplateError(
                "The template parameters '" + ", ".join(unknown) + "' in the parameters file are not valid; they are "
                f"not present in the original template and can therefore not be provided at deployment time. The only "
                f"supported parameters for this template are '{there}'"
            )
        lacking = [
            name for key, (name, each) in self._defined.items()
            if key not in self._given and isinstance(each, dict) and "defaultValue" not in each
            and each.get("nullable") is not True
        ]  # fmt: skip
        if lacking:
            raise TemplateError(
                "The value for the template parameter '" + "', '".join(lacking) + "' is not provided. Please see "
                "https://aka.ms/arm-create-parameter-file for usage details"
            )
        return {name: self._value(name) for name, _ in self._defined.values()}

    def _new_guid(self) -> str:
        self._guids += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._seed}-{self._guids}"))

    def _value(self, name: str) -> Value:
        key = name.lower()
        if key in self._known:
            return self._known[key]
        if key not in self._defined:
            raise TemplateError(f"The template parameter '{name}' is not found")
        if key in self._entered:
            raise TemplateError(f"The template parameter '{name}' depends on itself")
        shown, definition = self._defined[key]
        if not isinstance(definition, dict):
            raise TemplateError(f"The template parameter '{shown}' is not an object")
        if key in self._given:
            value = self._given[key]
        elif "defaultValue" not in definition:
            value = None
        else:
            value = self._default(key, definition["defaultValue"])
        _check_parameter(shown, definition, value)
        self._known[key] = value
        return value

    def _default(self, key: str, given: Value) -> Value:
        evaluator = self._evaluator
        held = evaluator.only_here
        self._entered.append(key)
        evaluator.only_here = {
            "newguid": self._new_guid,
            "utcnow": lambda *pattern: utc_now(self._moment, *pattern),
        }
        try:
            return evaluator.value(given)
        finally:
            self._entered.pop()
            evaluator.only_here = held


def _check_parameter(name: str, definition: dict[str, Any], value: Value) -> None:
    type_ = str(definition.get("type", "")).lower()
    if "$ref" in definition or "type" not in definition:
        raise TemplateError(f"The template parameter '{name}' has no type; definitions of one's own are not offered")
    if type_ not in _TYPES:
        raise TemplateError(f"The template parameter '{name}' has the type '{definition['type']}', which is not valid")
    if value is None and (definition.get("nullable") or "defaultValue" in definition):
        return
    secure = type_.startswith("secure")
    if kind(value) != _TYPES[type_] or isinstance(value, float):
        raise TemplateError(
            f"Template parameter JToken type is not valid. Expected '{_TYPES[type_]}'. Actual '{kind(value)}': "
            f"parameter '{name}'"
        )
    allowed = definition.get("allowedValues")
    if isinstance(allowed, list) and not any(same(value, each) for each in allowed):
        inside = isinstance(value, list) and all(any(same(one, each) for each in allowed) for one in value)
        if not inside:
            shown = "" if secure else f" '{value}'"
            raise TemplateError(
                f"The provided value{shown} for the template parameter '{name}' is not valid. It is not part of the "
                "allowed values"
            )
    size = value if type_ == "int" else len(value) if type_ in ("string", "securestring", "array") else None
    least, most = ("minValue", "maxValue") if type_ == "int" else ("minLength", "maxLength")
    if size is not None and (
        (isinstance(definition.get(least), int) and size < definition[least])
        or (isinstance(definition.get(most), int) and size > definition[most])
    ):
        raise TemplateError(f"The provided value for the template parameter '{name}' is out of its bounds")


# --- resources ---


class _Reader:
    """Expands loops and conditions, names everything, and puts it in order."""

    def __init__(self, evaluator: Evaluator, scope: Scope) -> None:
        self._evaluator = evaluator
        self._scope = scope
        self._steps: dict[str, Step] = {}
        self._skipped: set[str] = set()
        """Ids and names of what a condition left out, in lower case."""
        self._loops: dict[str, list[str]] = {}
        self._wanted: dict[str, list[str]] = {}
        """What each step says it depends on, as written."""
        self._by_id: dict[str, list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        self._count = 0

    def steps(self, resources: list[Value] | dict[str, Value]) -> list[Step]:
        """Give the resources in order.  Raises `TemplateError`."""
        named = resources.items() if isinstance(resources, dict) else (("", each) for each in resources)
        for symbol, each in named:
            self._expand(each, symbol, None)
        for key, each in self._steps.items():
            ways = {key.strip("/"), each.symbol, f"{each.type}/{each.name}".lower(), key.partition("/providers/")[2]}
            for way in ways - {""}:
                self._by_id.setdefault(way, []).append(key)
            self._by_name.setdefault(each.name.lower(), []).append(key)
        for step in self._steps.values():
            wanted = [key for text in self._wanted[step.key] for key in self._resolve(text, step)]
            wanted += self._referred(step)
            step.after = tuple(dict.fromkeys(key for key in (*step.after, *wanted) if key != step.key))
        return _ordered(self._steps)

    def _expand(self, given: Value, symbol: str, parent: Step | None) -> None:
        if not isinstance(given, dict):
            raise TemplateError("A resource of the template is not an object")
        copy = given.get("copy")
        if copy is None:
            self._add(given, symbol, parent, ())
            return
        if not isinstance(copy, dict) or not isinstance(copy.get("name"), str) or parent is not None:
            raise TemplateError(
                "The copy loop of a resource needs a name and a count, and can't be in another resource"
            )
        count = self._evaluator.count(copy.get("count"), copy["name"])
        serial = str(copy.get("mode", "parallel")).lower() == "serial"
        batch = copy.get("batchSize", 1)
        if not isinstance(batch, int) or batch < 1:
            raise TemplateError(f"The batch size of the copy loop '{copy['name']}' is not valid")
        made = self._loops.setdefault(copy["name"].lower(), [])
        if symbol:
            self._loops[symbol.lower()] = made
        for index in range(count):
            step = self._add(given, symbol, None, ((copy["name"], index),))
            if step is not None:
                if serial:
                    begun = index // batch * batch
                    step.after = tuple(made[max(0, begun - batch) : begun])
                made.append(step.key)

    def _add(
        self, given: dict[str, Value], symbol: str, parent: Step | None, loops: tuple[tuple[str, int], ...]
    ) -> Step | None:
        self._count += 1
        if self._count > MOST_RESOURCES:
            raise TemplateError(f"The template has more than {MOST_RESOURCES} resources")
        loops = loops or (parent.loops if parent else ())
        with _inside(self._evaluator, loops):
            type_, name = self._word(given, "type"), self._word(given, "name")
            if parent is not None and not type_.lower().startswith(f"{parent.type}/".lower()):
                type_, name = f"{parent.type}/{type_}", f"{parent.name}/{name}"
            step = Step(
                id=self._id(given, type_, name),
                type=type_,
                name=name,
                api_version=self._word(given, "apiVersion"),
                definition=given,
                loops=loops,
                symbol=symbol.lower(),
                after=(parent.key,) if parent else (),
            )
            condition = self._evaluator.value(given.get("condition", True))
            depends = self._evaluator.value(given.get("dependsOn") or [])
        if not isinstance(depends, list) or not all(isinstance(each, str) for each in depends):
            raise TemplateError(f"The dependsOn of the resource '{name}' is not a list of names and ids")
        if condition not in (True, False):
            raise TemplateError(f"The condition of the resource '{name}' is not a bool")
        if given.get("existing") is True or not condition:
            self._skipped |= {step.key, name.lower(), step.symbol}
            return None
        if step.key in self._steps:
            raise TemplateError(f"The resource '{step.id}' is defined multiple times in a template")
        if type_.lower() == DEPLOYMENT.lower():
            _check_nested(given, name)
        self._steps[step.key] = step
        self._wanted[step.key] = depends
        for child in given.get("resources") or ():
            self._expand(child, "", step)
        return step

    def _word(self, given: dict[str, Value], name: str) -> str:
        found = member(given, name)
        value = self._evaluator.value(given[found[0]]) if found else None
        if not isinstance(value, str) or not value:
            raise TemplateError(f"A resource of the template has no '{name}', or it is not a text")
        return value

    def _id(self, given: dict[str, Value], type_: str, name: str) -> str:
        namespace, *types = type_.split("/")
        names = name.split("/")
        if not types or len(types) != len(names) or not all(names):
            raise TemplateError(
                f"The template resource '{name}' for type '{type_}' has incorrect segment lengths. A resource must "
                "have as many names as its type has parts"
            )
        subscription = str(self._scope.subscription["subscriptionId"])
        group = (self._scope.resource_group or {}).get("name")
        if type_.lower() == DEPLOYMENT.lower():
            if "subscriptionId" in given:
                subscription, group = self._word(given, "subscriptionId"), None
            group = self._word(given, "resourceGroup") if "resourceGroup" in given else group
        if type_.lower() == "microsoft.resources/resourcegroups":
            return f"/subscriptions/{subscription}/resourceGroups/{name}"
        head = f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group is not None else "")
        if "scope" in given:
            head = self._over(self._word(given, "scope"), head)
        pairs = [part for pair in zip(types, names, strict=True) for part in pair]
        return "/".join([head, "providers", namespace, *pairs])

    def _over(self, scope: str, head: str) -> str:
        """Give the id of what a resource extends: an id, or a type and a name in the same group."""
        if scope.startswith("/"):
            return scope.rstrip("/")
        parts = scope.split("/")
        if len(parts) < 3 or len(parts) % 2 == 0:  # noqa: PLR2004 - namespace, type, name
            raise TemplateError(f"The scope '{scope}' of a resource is not valid")
        return f"{head}/providers/{scope}"

    def _resolve(self, text: str, step: Step) -> list[str]:
        """Find what a dependency names: an id, type and name, a name, a loop, or a symbol."""
        low = text.lower().strip("/")
        if low in self._loops:
            return self._loops[low]
        found = self._by_id.get(low) or self._by_name.get(low)
        if found:
            return found[:1]
        if low in self._skipped or f"/{low}" in self._skipped or low.startswith("subscriptions/"):
            return []
        raise TemplateError(
            f"The resource '{step.type}/{step.name}' depends on '{text}', which is not defined in the template. Please "
            "see https://aka.ms/arm-syntax for usage details"
        )

    def _referred(self, step: Step) -> Iterator[str]:
        """Find the resources of the template that a resource refers to: it comes after them."""
        for call in _looking(_own(step.definition, step.type)):
            try:
                with _inside(self._evaluator, step.loops):
                    named = self._evaluator.node(call.args[0])
                yield from self._resolve(str(named), step)
            except TemplateError:
                continue  # what it names is known only later, or is not of this template


def _check_nested(given: dict[str, Value], name: str) -> None:
    """Refuse nested deployments that this service does not evaluate as Azure does."""
    properties = given.get("properties")
    level, depth = _nested_in(given), 1
    while level:
        depth += 1
        if depth > _MOST_NESTED:
            raise TemplateError(f"Deployments are nested more than {_MOST_NESTED} levels deep")
        level = [inner for each in level for inner in _nested_in(each)]
    if not isinstance(properties, dict) or "template" not in properties:
        raise TemplateError(
            f"The nested deployment '{name}' has no template in it: this service fetches no linked templates"
        )
    options = properties.get("expressionEvaluationOptions") or {}
    if str(options.get("scope", "outer") if isinstance(options, dict) else "").lower() != "inner" and any(
        True for _ in expressions(properties["template"])
    ):
        raise TemplateError(
            f"The nested deployment '{name}' asks for its expressions to be evaluated in the outer template. Set "
            "properties.expressionEvaluationOptions.scope to 'inner' and hand values in as parameters"
        )


def _nested_in(deployment: dict[str, Value]) -> list[dict[str, Value]]:
    """Give the deployments in the template of a deployment."""
    properties = deployment.get("properties")
    template = properties.get("template") if isinstance(properties, dict) else None
    return [
        each for each in _resources_of(template)
        if isinstance(each, dict) and str(each.get("type", "")).lower() == DEPLOYMENT.lower()
    ]  # fmt: skip


def _resources_of(template: Value) -> list[Value]:
    resources = template.get("resources") if isinstance(template, dict) else None
    return [*resources.values()] if isinstance(resources, dict) else resources if isinstance(resources, list) else []


def _written(resources: list[Value]) -> Iterator[dict[str, Value]]:
    """Give resources and their children as they are written, those too that a condition or a loop may leave out."""
    for each in resources:
        if isinstance(each, dict):
            yield each
            yield from _written(_resources_of(each))


def _looking(value: Value) -> Iterator[Apply]:
    """Find every call in a value that looks at a resource which it names."""
    return (call for text in expressions(value) for call in references(parse(text)) if call.args)


def _own(definition: dict[str, Value], type_: str) -> dict[str, Value]:
    """Give what its own deployment evaluates of a resource or an output: of a nested one not the template."""
    out = {name: each for name, each in definition.items() if name.lower() not in _UNREAD}
    nested = type_.lower() == DEPLOYMENT.lower() or is_expression(type_)  # what that gives is not known yet
    if nested and isinstance(out.get("properties"), dict):
        out["properties"] = {name: each for name, each in out["properties"].items() if name != "template"}
    return out


def _ordered(steps: dict[str, Step]) -> list[Step]:
    """Put each after what it depends on.  Raises `TemplateError` for a circle."""
    waiting = {key: {each for each in step.after if each in steps} for key, step in steps.items()}
    out: list[Step] = []
    while waiting:
        ready = [key for key, before in waiting.items() if not before]
        if not ready:
            names = ", ".join(steps[key].id for key in list(waiting)[:5])
            raise TemplateError(f"Circular dependency detected on resource: '{names}'")
        for key in ready:
            del waiting[key]
            out.append(steps[key])
        done = set(ready)
        for before in waiting.values():
            before.difference_update(done)
    return out


__all__ = ["Plan", "Step", "read_template"]
