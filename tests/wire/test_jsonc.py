"""Tests the lenient JSON of deployments: what az sends that JSON does not know, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from hythe.wire import jsonc
from hythe.wire.faults import Fault


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (
            '{"properties": {"mode": "Incremental", template:{"x": [1,2,],}}}',
            {"properties": {"mode": "Incremental", "template": {"x": [1, 2]}}},
        ),
        (
            "{a: 'it\"s', /* no { */ b: -1.5e3, // x: 1\n c: [true, null]}",
            {"a": 'it"s', "b": -1500.0, "c": [True, None]},
        ),
        ('{"a": "two\nlines", "b": "http://x"}', {"a": "two\nlines", "b": "http://x"}),
        ('{"a": "say \\"hi\\" //no"}', {"a": 'say "hi" //no'}),
    ],
)
def test_lenient_json(text: str, value: Any) -> None:
    assert jsonc.loads(text.encode()) == value


@pytest.mark.parametrize("text", ["", "{", "{a: b}", '{"a" 1}', '{"a": "x}', "{'a': 1", "[" * 100000, b"\xff"])
def test_what_is_no_json_at_all(text: Any) -> None:
    with pytest.raises(Fault) as fault:
        jsonc.loads(text if isinstance(text, bytes) else text.encode())
    assert fault.value.code == "InvalidRequestContent"
