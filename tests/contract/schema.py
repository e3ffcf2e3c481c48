"""Checks JSON against the schemas of a swagger or OpenAPI document: as much of JSON Schema as these use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


class Document:
    """A document whose references can be followed, into files beside it too."""

    def __init__(self, content: Any, find: Callable[[str], Path] | None = None) -> None:
        self.content = content
        self._find = find
        self.at = cache(self._at)

    @classmethod
    def read(cls, path: Path, find: Callable[[str], Path]) -> Document:
        return cls(json.loads(path.read_text()), find)

    def _at(self, reference: str) -> tuple[Document, Any]:
        file, _, pointer = reference.partition("#/")
        document = self
        if file:
            assert self._find
            document = Document.read(self._find(file), self._find)
        value = document.content
        for step in pointer.split("/"):
            value = value[step.replace("~1", "/")]
        return document, value

    def members(self, schema: dict[str, Any]) -> dict[str, tuple[Document, Any]]:
        """Give the members of an object, those of what it extends too."""
        found: dict[str, tuple[Document, Any]] = {}
        for part in schema.get("allOf", ()):
            document, real = self.at(part["$ref"])
            found |= document.members(real)
        return found | {name: (self, each) for name, each in schema.get("properties", {}).items()}

    def problems(self, schema: dict[str, Any], value: Any, path: str = "$", *, but: frozenset[str]) -> Iterator[str]:
        """Give what is wrong with a value; ``but`` names members that may be there although no schema knows them."""
        if "$ref" in schema:
            document, real = self.at(schema["$ref"])
            yield from document.problems(real, value, path, but=but)
            return
        if "anyOf" in schema:
            tried = [list(self.problems(each, value, path, but=but)) for each in schema["anyOf"]]
            if all(tried):
                yield from min(tried, key=len)
            return
        type_ = schema.get("type") or ("object" if "properties" in schema or "allOf" in schema else None)
        if type_ is not None and not TYPES[type_](value):
            yield f"{path} is {type(value).__name__}, not {type_}"
            return
        words = None if schema.get("x-ms-enum", {}).get("modelAsString") else schema.get("enum")
        if words and value not in words:
            yield f"{path} is {value!r}, not one of {words}"
        if schema.get("format") == "date-time" and isinstance(value, str):
            datetime.fromisoformat(value)
        if isinstance(value, list):
            for index, each in enumerate(value):
                yield from self.problems(schema.get("items", {}), each, f"{path}[{index}]", but=but)
        if isinstance(value, dict):
            yield from self._object(schema, value, path, but)

    def _object(self, schema: dict[str, Any], value: dict[str, Any], path: str, but: frozenset[str]) -> Iterator[str]:
        members = self.members(schema)
        more = schema.get("additionalProperties")
        for name in schema.get("required", ()):
            secret = name in members and members[name][1].get("x-ms-secret")  # answers leave it out
            if name not in value and not secret:
                yield f"{path} lacks {name}"
        for name, each in value.items():
            if name in members:
                document, real = members[name]
                yield from document.problems(real, each, f"{path}.{name}", but=but)
            elif isinstance(more, dict):
                yield from self.problems(more, each, f"{path}.{name}", but=but)
            elif members and not more and name not in but:
                yield f"{path} has {name}, which the contract does not know"
