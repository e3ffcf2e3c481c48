"""Checks that tests which say that they prove an operation have it answered; docs/reference/coverage.md names them.

And notes which public callables of the library are called in a run, for test_completeness.py, which comes last.
"""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .exercised import Exercised

HERE = Path(__file__).parent
LAST = HERE / "test_completeness.py"
PLAYERS = ("client", "conformance", "testing")
"""Folders whose tests play all of the library, without containers."""

_exercised = Exercised()
_incomplete: list[str] = []

@contextmanager
def answered() -> Iterator[set[str]]:
    """Note the operations that services of this process answer well until the block ends."""
    from hythe.service.answers import Answer
    from hythe.service.call import Call
    from hythe.service.gate import Gate
    from hythe.service.routes import Found

    seen: set[str] = set()
    handled = Gate._handled

    async def noted(gate: Gate, found: Found, call: Call) -> Answer:
        answer = await handled(gate, found, call)
        if answer.status < 400:
            seen.add(found.route.name)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gate, "_handled", noted)
        yield seen


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    named = {name for mark in item.iter_markers("proves") for name in mark.args}
    if not named:
        return (yield)
    with answered() as seen:
        result = yield
    if missing := sorted(named - seen):
        pytest.fail(f"it says that it proves {', '.join(missing)}, but no service of this process answered that well")
    return result


def pytest_configure(config: pytest.Config) -> None:
    _exercised.watch()
    # Who runs this in the background of a script has it ignored, and so would the commands that are interrupted here.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the check behind all other tests, and see whether the tests that it relies on are there."""
    items.sort(key=lambda item: item.path == LAST)
    there = {item.path for item in items}
    expected = {path for folder in PLAYERS for path in (HERE / folder).rglob("test_*.py")}
    if expected - there:
        _incomplete.append(f"{len(expected - there)} files of tests are left out")


def pytest_deselected(items: list[pytest.Item]) -> None:
    if items:
        _incomplete.append("tests are deselected")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed and not _incomplete:
        _incomplete.append("a test failed")


@pytest.fixture(scope="session")
def exercised() -> Exercised:
    """Give what was called, if all was played that should be."""
    if _incomplete:
        pytest.skip(f"can't tell what is exercised: {_incomplete[0]}")
    return _exercised
