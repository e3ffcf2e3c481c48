"""Reads the `$filter` of a list: comparisons joined by ``and``, as Azure's clients write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from .faults import Fault

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_][\w./]*)|(?P<mark>[(),]))")
_MOST = 4096


class Term(Struct, frozen=True):
    """One comparison: a name in lower case, eq, ne, substringof, startswith or call, and a text."""

    name: str
    how: str
    text: str

    def holds(self, value: str) -> bool:
        """Tell whether a value passes; case does not matter."""
        value, text = value.lower(), self.text.lower()
        return {
            "eq": value == text,
            "ne": value != text,
            "substringof": text in value,
            "startswith": value.startswith(text),
        }[self.how]


def parse(filter_: str, names: Mapping[str, frozenset[str]]) -> list[Term]:
    """Read a filter.  ``names`` gives what may be compared and how.  Raises `Fault` (InvalidFilterInQueryString)."""
    if not filter_.strip():
        return []
    tokens = _tokens(filter_)
    terms: list[Term] = []
    while tokens:
        if terms and tokens.pop(0).lower() != "and":
            raise _invalid(filter_)
        term = _term(tokens, filter_)
        if term.how not in names.get(term.name, ()):
            raise _invalid(filter_)
        terms.append(term)
    return terms


def _tokens(filter_: str) -> list[str]:
    tokens, at = [], 0
    while filter_[at:].strip():
        found = _TOKEN.match(filter_, at)
        if found is None or len(filter_) > _MOST:
            raise _invalid(filter_)
        tokens.append(found[0].strip())
        at = found.end()
    return tokens


def _term(tokens: list[str], filter_: str) -> Term:
    match tokens:
        case [function, "(", ")", *_]:
            del tokens[:3]
            return Term(function.lower(), "call", "")
        case [function, "(", first, ")", *_]:
            del tokens[:4]
            return Term(function.lower(), "call", _text(first, filter_))
        case [function, "(", first, ",", second, ")", *_] if function.lower() in ("substringof", "startswith"):
            del tokens[:6]
            name, text = (second, first) if function.lower() == "substringof" else (first, second)
            return Term(name.lower(), function.lower(), _text(text, filter_))
        case [name, how, text, *_] if how.lower() in ("eq", "ne"):
            del tokens[:3]
            return Term(name.lower(), how.lower(), _text(text, filter_))
    raise _invalid(filter_)


def _text(token: str, filter_: str) -> str:
    if not token.startswith("'"):
        raise _invalid(filter_)
    return token[1:-1].replace("''", "'")


def _invalid(filter_: str) -> Fault:
    return Fault(400, "InvalidFilterInQueryString", f"Invalid $filter '{filter_[:200]}' specified in the query string.")
