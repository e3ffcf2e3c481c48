"""Tests that the tests call each public function and method of the library; it comes last, and only in a whole run."""

from __future__ import annotations

from .exercised import Exercised


def test_each_public_callable_is_exercised(exercised: Exercised) -> None:
    assert len(exercised.known) > 200
    assert not exercised.missing, "\n".join(exercised.missing)
