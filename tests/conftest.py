"""Checks that tests which say that they prove an operation have it answered; docs/reference/coverage.md names them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest


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
