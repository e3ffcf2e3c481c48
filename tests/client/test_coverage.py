"""Tests that nothing of Microsoft's packages is missing, by importing theirs and ours."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import compare_with_microsofts as tool
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.clients
@pytest.mark.timeout(600)
def test_every_name_and_parameter_of_microsofts_packages_is_there_and_the_page_says_so() -> None:
    tool = [sys.executable, ROOT / "tools" / "compare_with_microsofts.py", "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def described() -> Any:
    """Describe a small package as the tool does."""
    name, size = ["name", "KEYWORD_ONLY", False], ["size", "KEYWORD_ONLY", True]
    client = {"parameters": [["credential", "POSITIONAL_OR_KEYWORD", False]], "keywords": ["api_version"]}
    return {
        "models": {"Port": {"members": ["name", "size"], "constructors": [[name, size]]}},
        "sync": {
            "groups": {}, "methods": {}, "classes": ["Operations"], "attributes": {"": [], "operations": ["models"]},
            "constructor": client,
        },
        "async": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (lambda ours: ours["models"]["Port"]["constructors"][0].pop(), "Port(size=)"),
        (lambda ours: ours["models"]["Port"]["constructors"][0][1].__setitem__(2, False), "Port(size=): is asked for"),
        (lambda ours: ours["models"]["Port"]["constructors"][0].append(["new", "KEYWORD_ONLY", False]),
         "Port(new=): is asked for"),
        (lambda ours: ours["sync"]["classes"].clear(), "operations.Operations"),
        (lambda ours: ours["sync"]["attributes"]["operations"].clear(), "client.operations.models"),
        (lambda ours: ours["sync"]["constructor"]["parameters"].pop(), "client(api_version=)"),
        (lambda ours: ours["sync"]["constructor"]["parameters"].insert(0, ["url", "POSITIONAL_OR_KEYWORD", False]),
         "client: asks for more"),
    ],
)  # fmt: skip
def test_what_makes_models_and_clients_is_compared_too(change: Any, missing: str) -> None:
    theirs, ours = described(), described()
    ours["sync"]["constructor"]["parameters"].append(["api_version", "KEYWORD_ONLY", True])
    assert tool.compare(deepcopy(ours), theirs) == []

    change(ours)

    assert missing in tool.compare(ours, theirs)


def test_a_mapping_is_compared_too() -> None:
    theirs, ours = described(), described()
    theirs["models"]["Port"]["constructors"].append([["mapping", "POSITIONAL_OR_KEYWORD", False]])
    ours["sync"]["constructor"]["parameters"].append(["api_version", "KEYWORD_ONLY", True])

    assert tool.compare(ours, theirs) == ["Port(mapping)"]
