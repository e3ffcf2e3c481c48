"""Reads JSON as people write templates: comments, bare member names, single quotes, line breaks in texts.

`az deployment group create` sends the template's file as it is, comments and all, under a member name without quotes.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from .faults import invalid_content

_WORD = re.compile(r"[A-Za-z_$][\w$-]*")
_GAP = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_PLAIN = re.compile(r"[^\"'/{}\[\],:A-Za-z_$\s]+")
_LITERALS = frozenset(("true", "false", "null"))


def loads(body: bytes) -> Any:
    """Decode a body, strictly if possible and leniently otherwise.  Raises `Fault` (InvalidRequestContent)."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        first = error
    except UnicodeDecodeError:
        raise invalid_content("it is not UTF-8") from None
    try:
        return msgspec.json.decode(_strict(body.decode("utf-8-sig")))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, _CannotRead):
        raise invalid_content(str(first)) from None


class _CannotRead(Exception):
    """Says that a text is not even lenient JSON."""


def _strict(text: str) -> str:
    """Write a text as strict JSON, in one walk over it."""
    out: list[str] = []
    at = 0
    while at < len(text):
        mark = text[at]
        if gap := _GAP.match(text, at):
            at = gap.end()
        elif mark in "\"'":
            at = _string(text, at, out)
        elif word := _WORD.match(text, at):
            at = word.end()
            follows = _GAP.match(text, at)
            named = text.startswith(":", follows.end() if follows else at)
            if not named and word[0] not in _LITERALS and not _part_of_number(out):
                raise _CannotRead
            out.append(f'"{word[0]}"' if named else word[0])
        elif mark in "}]":
            if out and out[-1] == ",":
                out.pop()
            out.append(mark)
            at += 1
        elif mark in "{[,:":
            out.append(mark)
            at += 1
        elif plain := _PLAIN.match(text, at):
            out.append(plain[0])
            at = plain.end()
        else:
            raise _CannotRead
    return "".join(out)


def _part_of_number(out: list[str]) -> bool:
    """Tell whether a word goes on a number: ``1e5``."""
    return bool(out) and out[-1][-1:].isdigit()


def _string(text: str, at: int, out: list[str]) -> int:
    """Copy one text with its quotes; give where it ends."""
    quote, start = text[at], at + 1
    at = start
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise _CannotRead
    inner = text[start:at]
    if quote == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    out.append(f'"{inner.replace(chr(13), "").replace(chr(10), chr(92) + "n").replace(chr(9), chr(92) + "t")}"')
    return at + 1
