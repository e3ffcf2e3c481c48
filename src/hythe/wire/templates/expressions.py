"""Reads expressions: ``[concat('a', parameters('b').c[0])]`` becomes a tree."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct

LONGEST = 24576
_DEEPEST = 50

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_$][\w$]*)|(?P<mark>[()\[\].,?]))"
)


class TemplateError(Exception):
    """Says what is wrong with a template."""


class Literal(Struct, frozen=True):
    """A text or a number."""

    value: Any


class Apply(Struct, frozen=True):
    """A function and its arguments; the name is in lower case, with its namespace if it has one."""

    name: str
    shown: str
    args: tuple[Node, ...]


class Index(Struct, frozen=True):
    """A member of an object or an item of an array; ``safe`` gives null where there is none."""

    base: Node
    index: Node
    safe: bool = False


Node = Literal | Apply | Index


def is_expression(text: str) -> bool:
    """Tell whether a text is an expression; ``[[`` begins a text that only looks like one."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """Read an expression with its brackets.  Raises `TemplateError`."""
    if len(text) > LONGEST:
        raise TemplateError(f"The expression is longer than {LONGEST} characters")
    reader = _Reader(text[1:-1], text)
    node = reader.expression(0)
    reader.end()
    return node


class _Reader:
    """Reads one expression from left to right."""

    def __init__(self, inner: str, whole: str) -> None:
        self._whole = whole if len(whole) <= 200 else f"{whole[:200]}..."  # noqa: PLR2004 - what an error shows
        self._tokens: list[tuple[str, str]] = []
        at = 0
        end = len(inner.rstrip())
        while at < end:
            found = _TOKEN.match(inner, at)
            if found is None or found.lastgroup is None:
                raise self._error(f"unexpected character '{inner[at:].lstrip()[:1]}'")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self._at = 0

    def _error(self, why: str) -> TemplateError:
        return TemplateError(f"The language expression '{self._whole}' is not valid: {why}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "the end")

    def _take(self, mark: str) -> None:
        if self._peek()[1] != mark or self._peek()[0] != "mark":
            raise self._error(f"expected '{mark}' instead of '{self._peek()[1]}'")
        self._at += 1

    def _is(self, mark: str) -> bool:
        return self._peek() == ("mark", mark)

    def end(self) -> None:
        """Check that nothing is left."""
        if self._peek()[0] != "end":
            raise self._error(f"unexpected '{self._peek()[1]}'")

    def expression(self, depth: int) -> Node:
        """Read an expression with what is asked of it."""
        if depth > _DEEPEST:
            raise self._error(f"it is nested more than {_DEEPEST} levels deep")
        node = self._first(depth)
        links = 0
        while self._is(".") or self._is("[") or self._is("?"):
            links += 1
            if links > _DEEPEST:
                raise self._error(f"it has more than {_DEEPEST} members in a row")
            safe = self._is("?")
            if safe:
                raise self._error("unexpected '?'")
            if self._is("."):
                self._take(".")
                safe = self._is("?")
                if safe:
                    self._take("?")
                kind, name = self._peek()
                if kind != "word":
                    raise self._error(f"expected a name instead of '{name}'")
                self._at += 1
                node = Index(node, Literal(name), safe)
            else:
                self._take("[")
                safe = self._is("?")
                if safe:
                    self._take("?")
                index = self.expression(depth + 1)
                self._take("]")
                node = Index(node, index, safe)
        return node

    def _first(self, depth: int) -> Node:
        kind, token = self._peek()
        self._at += 1
        if kind == "text":
            return Literal(token[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(float(token) if "." in token else int(token))
        if kind != "word":
            raise self._error(f"unexpected '{token}'")
        name = token
        if self._is(".") and self._at + 1 < len(self._tokens) and self._tokens[self._at + 1][0] == "word":
            self._at += 1
            name = f"{token}.{self._peek()[1]}"
            self._at += 1
        self._take("(")
        args: list[Node] = []
        while not self._is(")"):
            if args:
                self._take(",")
            args.append(self.expression(depth + 1))
        self._take(")")
        return Apply(name.lower(), name, tuple(args))
