"""Evaluates expressions: lazily where the language is lazy, and within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from typing import Literal as OneOf

from msgspec import Struct

from .expressions import Apply, Index, Literal, Node, TemplateError, is_expression, parse
from .functions import FUNCTIONS
from .values import Value, kind, member, short_list, text_of, weigh

MOST_COPIES = 800
_MOST_WORK = 1_000_000
"""Characters and items that the expressions of one template may produce, taken together."""
_LOOKUPS = frozenset(
    ("parameters", "variables", "resourcegroup", "subscription", "tenant", "deployment", "environment", "reference",
     "listkeys", "lambdavariables", "if", "coalesce")
)  # fmt: skip
_DEEPEST_BODY = 64
_DEEPEST_CALL = 100

Part = OneOf["properties", "whole", "keys"]
Reference = Callable[[str, str, Part], Value]
"""Gives what is asked of a resource: name or id, api-version (or empty), and which part of it."""
LOOKS = frozenset(("reference", "listkeys"))
"""Functions that look at resources."""


class Scope(Struct, kw_only=True):
    """Where a template is deployed."""

    subscription: dict[str, Value]
    """As `subscription()` shows it."""
    tenant: dict[str, Value]
    deployment: dict[str, Value]
    environment: dict[str, Value]
    resource_group: dict[str, Value] | None = None
    """As `resourceGroup()` shows it; None for a deployment of a subscription."""


class _Lambda(Struct, frozen=True):
    names: tuple[str, ...]
    body: Node


class _Loop(Struct, frozen=True):
    """What a variable is that a copy loop fills."""

    definition: dict[str, Value]


class Evaluator:
    """Evaluates the expressions of one template."""

    def __init__(self, scope: Scope, variables: Mapping[str, Value], functions: Mapping[str, Any]) -> None:
        """Take variables as `variables_of` gives them, and functions by lower-case name with their namespace."""
        self.scope = scope
        self.parameters: Callable[[str], Value] = _nothing("parameters")
        self.reference: Reference | None = None
        self.only_here: dict[str, Callable[..., Value]] = {}
        """Functions that are offered for a while: newGuid and utcNow in default values."""
        self._variables = variables
        self._known: dict[str, Value] = {}
        self._entered: list[str] = []
        self._functions = functions
        self._copies: list[tuple[str, int]] = []
        self._locals: list[dict[str, Value]] = []
        self.work = 0
        """Characters and items produced so far."""
        self._depth = 0

    # --- values ---

    def value(self, given: Value, depth: int = 0) -> Value:
        """Evaluate all expressions in a value.  Raises `TemplateError`."""
        if depth > _DEEPEST_BODY:
            raise TemplateError(f"The template is nested more than {_DEEPEST_BODY} levels deep")
        if isinstance(given, str):
            if is_expression(given):
                found = self.expression(given)
                self._count(found)
                return found
            return given[1:] if given.startswith("[[") else given
        if isinstance(given, list):
            return [self.value(each, depth + 1) for each in given]
        if isinstance(given, dict):
            out: dict[str, Value] = {}
            for name, each in given.items():
                if name.lower() == "copy" and _is_copy(each):
                    out |= {str(loop["name"]): self.looped(loop, str(loop["name"]), depth) for loop in each}
                else:
                    key = self.expression(name) if is_expression(name) else name
                    out[text_of(key)] = self.value(each, depth + 1)
            return out
        return given

    def looped(self, loop: dict[str, Value], name: str, depth: int = 0) -> list[Value]:
        """Evaluate the input of a copy loop once for each of its turns."""
        items = []
        for index in range(self.count(loop.get("count"), name)):
            with self.copying(name, index):
                items.append(self.value(loop.get("input"), depth + 1))
            self._count(items[-1])  # an input without expressions grows too, in loops within loops above all
        return items

    def count(self, given: Value, name: str) -> int:
        """Evaluate the count of a loop."""
        count = self.value(given)
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_COPIES:
            raise TemplateError(f"The copy count of '{name}' must be an integer between 0 and {MOST_COPIES}")
        return count

    def expression(self, text: str) -> Value:
        """Evaluate one expression, with its brackets."""
        return self.node(parse(text))

    @contextmanager
    def copying(self, name: str, index: int) -> Iterator[None]:
        """Be in one turn of a loop."""
        self._copies.append((name.lower(), index))
        try:
            yield
        finally:
            self._copies.pop()

    def variable(self, name: str) -> Value:
        """Evaluate a variable, once."""
        key = name.lower()
        if key in self._known:
            return self._known[key]
        if key not in self._variables:
            raise TemplateError(f"The template variable '{name}' is not found")
        if key in self._entered:
            raise TemplateError(f"The template variable '{name}' depends on itself")
        self._entered.append(key)
        copies, self._copies = self._copies, []
        locals_, self._locals = self._locals, []
        try:
            given = self._variables[key]
            found = self.looped(given.definition, name) if isinstance(given, _Loop) else self.value(given)
            self._known[key] = found
        finally:
            self._entered.pop()
            self._copies, self._locals = copies, locals_
        return found

    # --- nodes ---

    def node(self, node: Node) -> Value:
        """Evaluate a tree."""
        if isinstance(node, Literal):
            return node.value
        self._depth += 1
        try:
            if self._depth > _DEEPEST_CALL:
                raise TemplateError("The template's expressions refer to each other too deeply")
            found = self._index(node) if isinstance(node, Index) else self._apply(node)
        finally:
            self._depth -= 1
        made = isinstance(node, Apply) and node.name not in _LOOKUPS
        self._count(found if made else None)
        return found

    def _count(self, made: Value) -> None:
        """Count what was made; to look at what is there costs little, however big it is."""
        self.work += weigh(made, _MOST_WORK)
        if self.work > _MOST_WORK:
            raise TemplateError("The template's expressions produce too much")

    def _index(self, node: Index) -> Value:
        base = self.node(node.base)
        index = self.node(node.index)
        if base is None and node.safe:
            return None
        if isinstance(base, dict) and isinstance(index, str):
            name = member(base, index)
            if name:
                return base[name[0]]
            if node.safe:
                return None
            there = ", ".join(list(base)[:20])
            raise TemplateError(
                f"The language expression property '{index}' doesn't exist, available properties are '{there}'"
            )
        if isinstance(base, list) and isinstance(index, int) and not isinstance(index, bool):
            if 0 <= index < len(base):
                return base[index]
            if node.safe:
                return None
            raise TemplateError(f"The language expression property array index '{index}' is out of bounds")
        raise TemplateError(f"The language expression property '{text_of(index)[:40]}' can't be had of a {kind(base)}")

    def _apply(self, node: Apply) -> Value:
        special = getattr(self, f"_do_{node.name}", None)
        if special is not None:
            return special(node)
        if "." in node.name:
            return self._user_function(node)
        known = FUNCTIONS.get(node.name)
        here = self.only_here.get(node.name)
        if known is None and here is None:
            raise TemplateError(self._unknown(node))
        args = [self.node(each) for each in node.args]
        if known is not None and not known.least <= len(args) <= known.most:
            raise TemplateError(f"The template function '{node.shown}' does not take {len(args)} arguments")
        try:
            return here(*args) if here else known.call(*args)  # type: ignore[union-attr]
        except TemplateError as error:
            raise TemplateError(f"The template function '{node.shown}' can't be evaluated: {error}") from None
        except TypeError:
            raise TemplateError(f"The template function '{node.shown}' was given the wrong arguments") from None

    def check_functions(self, value: Value, unfit: frozenset[str] = frozenset()) -> None:
        """See that every function in a value is known, before anything of it is evaluated.

        ``unfit`` are those that may not be there.  Raises `TemplateError`.
        """
        for text in expressions(value):
            for node in applications(parse(text)):
                special = hasattr(self, f"_do_{node.name}") or node.name in self.only_here
                if not special and node.name not in FUNCTIONS and node.name not in self._functions:
                    raise TemplateError(self._unknown(node))
                if node.name in unfit:
                    raise TemplateError(_not_here(node))

    def _unknown(self, node: Apply) -> str:
        if node.name in ("newguid", "utcnow"):
            return f"The template function '{node.shown}' is for default values of parameters only"
        if node.name.startswith("list"):
            return (
                f"The template function '{node.shown}' is not offered by this service: of its like there is listKeys, "
                "for log workspaces"
            )
        return f"The template function '{node.shown}' is not valid"

    def _user_function(self, node: Apply) -> Value:
        definition = self._functions.get(node.name)
        if definition is None:
            raise TemplateError(f"The template function '{node.shown}' is not valid")
        names = [str(each.get("name")) for each in definition.get("parameters") or ()]
        if len(names) != len(node.args):
            raise TemplateError(f"The template function '{node.shown}' takes {len(names)} arguments")
        given = {name.lower(): self.node(each) for name, each in zip(names, node.args, strict=True)}
        inner = Evaluator(self.scope, {}, {})
        inner.work, inner._depth = self.work, self._depth
        inner.parameters = lambda name: _from(given, name, "parameter")
        found = inner.value((definition.get("output") or {}).get("value"))
        self.work = inner.work
        return found

    # --- functions that look at the template, or are lazy ---

    def _args(self, node: Apply, least: int, most: int) -> list[Value]:
        if not least <= len(node.args) <= most:
            raise TemplateError(f"The template function '{node.shown}' does not take {len(node.args)} arguments")
        return [self.node(each) for each in node.args]

    def _name(self, node: Apply) -> str:
        (name,) = self._args(node, 1, 1)
        if not isinstance(name, str):
            raise TemplateError(f"The template function '{node.shown}' takes a name")
        return name

    def _do_parameters(self, node: Apply) -> Value:
        return self.parameters(self._name(node))

    def _do_variables(self, node: Apply) -> Value:
        return self.variable(self._name(node))

    def _do_if(self, node: Apply) -> Value:
        if len(node.args) != 3:  # noqa: PLR2004
            raise TemplateError("The template function 'if' takes 3 arguments")
        return self.node(node.args[1 if self._bool(node.args[0]) else 2])

    def _bool(self, node: Node) -> bool:
        found = self.node(node)
        if not isinstance(found, bool):
            raise TemplateError(f"expected a bool, found {kind(found)}")
        return found

    def _do_and(self, node: Apply) -> bool:
        return all(self._bool(each) for each in node.args)

    def _do_or(self, node: Apply) -> bool:
        return any(self._bool(each) for each in node.args)

    def _do_coalesce(self, node: Apply) -> Value:
        return next((found for found in map(self.node, node.args) if found is not None), None)

    def _do_copyindex(self, node: Apply) -> int:
        args = self._args(node, 0, 2)
        name = next((each.lower() for each in args if isinstance(each, str)), None)
        offset = next((each for each in args if isinstance(each, int)), 0)
        for loop, index in reversed(self._copies):
            if name in (None, loop):
                return index + offset
        raise TemplateError("The template function 'copyIndex' is used outside of a copy loop")

    def _do_resourcegroup(self, node: Apply) -> Value:
        self._args(node, 0, 0)
        if self.scope.resource_group is None:
            raise TemplateError("The template function 'resourceGroup' is not expected at the scope of a subscription")
        return self.scope.resource_group

    def _do_subscription(self, node: Apply) -> Value:
        self._args(node, 0, 0)
        return self.scope.subscription

    def _do_tenant(self, node: Apply) -> Value:
        self._args(node, 0, 0)
        return self.scope.tenant

    def _do_deployment(self, node: Apply) -> Value:
        self._args(node, 0, 0)
        return self.scope.deployment

    def _do_environment(self, node: Apply) -> Value:
        self._args(node, 0, 0)
        return self.scope.environment

    # --- ids ---

    def _do_resourceid(self, node: Apply) -> str:
        args = self._texts(node)
        at = _type_at(args, node)
        before = args[:at]
        subscription, group = (
            str(self.scope.subscription["subscriptionId"]),
            (self.scope.resource_group or {}).get("name"),
        )
        if len(before) > 2:  # noqa: PLR2004
            raise TemplateError("The template function 'resourceId' takes a subscription, a group, a type and names")
        if len(before) == 2:  # noqa: PLR2004
            subscription, group = before
        elif before:
            group = before[0]
        head = f"/subscriptions/{subscription}"
        if group is not None:
            head += f"/resourceGroups/{group}"
        return _id(head, args[at], args[at + 1 :], node)

    def _do_subscriptionresourceid(self, node: Apply) -> str:
        args = self._texts(node)
        at = _type_at(args, node)
        subscription = args[0] if at else str(self.scope.subscription["subscriptionId"])
        return _id(f"/subscriptions/{subscription}", args[at], args[at + 1 :], node)

    def _do_tenantresourceid(self, node: Apply) -> str:
        args = self._texts(node)
        return _id("", args[0], args[1:], node)

    def _do_extensionresourceid(self, node: Apply) -> str:
        scope, type_, *names = self._texts(node)
        return _id(scope.rstrip("/"), type_, names, node)

    def _texts(self, node: Apply) -> list[str]:
        return self._words(node, 2, 50)

    def _words(self, node: Apply, least: int, most: int) -> list[str]:
        args = self._args(node, least, most)
        if not all(isinstance(each, str) for each in args):
            raise TemplateError(f"The template function '{node.shown}' takes texts")
        return args

    def _do_reference(self, node: Apply) -> Value:
        name, version, full = [*self._words(node, 1, 3), "", ""][:3]
        return self._look(node)(name, version, "whole" if full.lower() == "full" else "properties")

    def _do_listkeys(self, node: Apply) -> Value:
        name, version = self._words(node, 2, 2)
        return self._look(node)(name, version, "keys")

    def _look(self, node: Apply) -> Reference:
        if self.reference is None:
            raise TemplateError(_not_here(node))
        return self.reference

    # --- lambdas ---

    def _do_lambda(self, node: Apply) -> _Lambda:
        *names, body = node.args or (Literal(None),)
        if not all(isinstance(each, Literal) and isinstance(each.value, str) for each in names):
            raise TemplateError("The template function 'lambda' takes names and an expression")
        return _Lambda(tuple(str(each.value).lower() for each in names if isinstance(each, Literal)), body)

    def _do_lambdavariables(self, node: Apply) -> Value:
        name = self._name(node).lower()
        for held in reversed(self._locals):
            if name in held:
                return held[name]
        raise TemplateError(f"The lambda variable '{name}' is not found")

    def _call(self, function: Value, *values: Value) -> Value:
        if not isinstance(function, _Lambda) or not 1 <= len(function.names) <= len(values):
            raise TemplateError("expected a lambda")
        self.work += 1
        self._locals.append(dict(zip(function.names, values, strict=False)))
        try:
            return self.node(function.body)
        finally:
            self._locals.pop()

    def _items(self, node: Apply, count: int) -> tuple[list[Value], list[Value]]:
        items, *rest = self._args(node, count, count)
        if not isinstance(items, list):
            raise TemplateError(f"The template function '{node.shown}' takes an array")
        return short_list(items), rest

    def _do_map(self, node: Apply) -> list[Value]:
        items, (function,) = self._items(node, 2)
        return [self._call(function, each, at) for at, each in enumerate(items)]

    def _do_filter(self, node: Apply) -> list[Value]:
        items, (function,) = self._items(node, 2)
        return [each for at, each in enumerate(items) if self._call(function, each, at) is True]

    def _do_reduce(self, node: Apply) -> Value:
        items, (found, function) = self._items(node, 3)
        for at, each in enumerate(items):
            found = self._call(function, found, each, at)
        return found

    def _do_sort(self, node: Apply) -> list[Value]:
        items, (function,) = self._items(node, 2)
        out: list[Value] = []
        for each in items:  # insertion: the lambda says which of two comes first
            low, high = 0, len(out)
            while low < high:
                middle = (low + high) // 2
                low, high = (low, middle) if self._call(function, each, out[middle]) is True else (middle + 1, high)
            out.insert(low, each)
        return out

    def _do_toobject(self, node: Apply) -> dict[str, Value]:
        items, (key, *value) = self._items(node, len(node.args))
        return {text_of(self._call(key, each)): self._call(value[0], each) if value else each for each in items}

    def _do_groupby(self, node: Apply) -> dict[str, list[Value]]:
        items, (function,) = self._items(node, 2)
        out: dict[str, list[Value]] = {}
        for each in items:
            out.setdefault(text_of(self._call(function, each)), []).append(each)
        return out

    def _do_mapvalues(self, node: Apply) -> dict[str, Value]:
        held, function = self._args(node, 2, 2)
        if not isinstance(held, dict):
            raise TemplateError("The template function 'mapValues' takes an object")
        return {name: self._call(function, each) for name, each in held.items()}


def _nothing(what: str) -> Callable[[str], Value]:
    def nothing(name: str) -> Value:
        raise TemplateError(f"The template function '{what}' is not expected here: '{name}'")

    return nothing


def _not_here(node: Apply) -> str:
    return f"The template function '{node.shown}' is not expected here: it is for properties and outputs"


def _from(given: Mapping[str, Value], name: str, what: str) -> Value:
    if name.lower() not in given:
        raise TemplateError(f"The template {what} '{name}' is not found")
    return given[name.lower()]


def _is_copy(value: Value) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) and isinstance(each.get("name"), str) and "count" in each for each in value)
    )


def variables_of(given: Mapping[str, Value]) -> dict[str, Value]:
    """Give the variables of a template by lower-case name, those among them that its ``copy`` loops fill.

    Raises `TemplateError` for a name that is there twice.
    """
    out: dict[str, Value] = {}
    for name, each in given.items():
        loops = name.lower() == "copy" and _is_copy(each)
        for key, value in [(loop["name"], _Loop(loop)) for loop in each] if loops else [(name, each)]:
            if key.lower() in out:
                raise TemplateError(f"The template variable '{key}' is defined multiple times in a template")
            out[key.lower()] = value
    return out


def _type_at(args: list[str], node: Apply) -> int:
    """Find the type among the arguments of a function that makes an id: what holds a slash and is no id."""
    for at, text in enumerate(args):
        if "/" in text and not text.startswith("/"):
            return at
    raise TemplateError(
        f"The template function '{node.shown}' lacks a resource type, such as Microsoft.Network/virtualNetworks"
    )


def _id(head: str, type_: str, names: list[str], node: Apply) -> str:
    namespace, *types = type_.split("/")
    if not types or len(types) != len(names):
        raise TemplateError(f"The template function '{node.shown}' needs a name for each part of the type '{type_}'")
    pairs = [part for pair in zip(types, names, strict=True) for part in pair]
    return "/".join([head, "providers", namespace, *pairs])


def applications(node: Node) -> Iterator[Apply]:
    """Find every call of a function in a tree."""
    if isinstance(node, Index):
        yield from applications(node.base)
        yield from applications(node.index)
    elif isinstance(node, Apply):
        yield node
        for each in node.args:
            yield from applications(each)


def references(node: Node) -> Iterator[Apply]:
    """Find every call of ``reference`` and ``listKeys`` in a tree."""
    return (each for each in applications(node) if each.name in LOOKS)


def expressions(value: Value) -> Iterator[str]:
    """Find every expression in a value."""
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, str):
            if is_expression(each):
                yield each
        elif isinstance(each, list):
            stack.extend(each)
        elif isinstance(each, dict):
            stack.extend(each)
            stack.extend(each.values())
