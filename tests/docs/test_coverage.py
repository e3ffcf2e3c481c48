"""Tests that the page on the contract's operations is as it is generated, and that its sources can be trusted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import contract_coverage
import pytest

from hythe.service.routes import ROUTES
from tests.conftest import answered
from tests.service.harness import GROUPS, running

from .blocks import ROOT

SWAGGER = ROOT.parent / "shared" / "contract" / "containerInstance-2026-07-01.json"


def test_the_page_is_as_it_is_generated() -> None:
    check = [sys.executable, "tools/contract_coverage.py", "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_all_operations_have_a_route_and_a_proof() -> None:
    known, proved = contract_coverage.operations(), contract_coverage.proofs()

    assert len(known) == len(set(known)) == 42
    assert set(known) <= {route.name for route in ROUTES}
    assert [each for each in known if each not in proved] == []
    assert {each for each in proved if each not in known} <= {route.name for route in ROUTES}


@pytest.mark.skipif(not SWAGGER.exists(), reason="the contract is not beside this checkout")
def test_the_operations_are_those_of_the_contract() -> None:
    paths = json.loads(SWAGGER.read_text())["paths"].values()

    assert contract_coverage.operations() == sorted(each["operationId"] for path in paths for each in path.values())


def test_a_page_is_not_written_without_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract_coverage, "proofs", dict)
    with pytest.raises(LookupError, match="ContainerGroups_Get"):
        contract_coverage.page("2026-01-01", {})


async def test_what_was_answered_badly_proves_nothing() -> None:
    with answered() as seen:
        async with running() as service:
            await service.make_folder()
            assert (await service.ask("GET", f"{GROUPS}/nosuch")).status == 404
            assert (await service.ask("GET", GROUPS)).status == 200

    assert seen == {"ResourceGroups_CreateOrUpdate", "ContainerGroups_ListByResourceGroup"}


@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception, reason="so it should be: nothing was asked")
@pytest.mark.proves("ContainerGroups_Get")
def test_a_mark_without_an_answer_fails() -> None:
    assert contract_coverage.proofs()["ContainerGroups_Get"]


def test_marks_of_tests_that_are_to_fail_count_for_nothing() -> None:
    here = Path(__file__).relative_to(ROOT)
    assert all(path != here for tests in contract_coverage.proofs().values() for path, _ in tests)
