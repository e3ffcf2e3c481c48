"""Tests that HYTHE_TEST_AZURE=1 leads the conformance tests to Azure's own address; `hythe run-with` answers there."""

from __future__ import annotations

import sys
from pathlib import Path

from .conftest import Service

ROOT = Path(__file__).parents[2]
SOME = ("what_is_not_there", "what_is_refused", "what_a_region_has", "a_request_of_ones_own", "files_and_ports")
"""Tests for which a service need run nothing."""


def test_the_conformance_tests_go_to_azure_if_they_are_told_to(service: Service) -> None:
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
    tests = [str(ROOT / "tests" / "conformance"), "-k", " or ".join(SOME)]
    done = service.run_with(*pytest, *tests, HYTHE_TEST_AZURE="1", HYTHE_TEST_REGION="westus")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed, 1 skipped" in done.stdout
    assert "only Hythe can: Azure has no way to copy files" in done.stdout
    assert "hythe-conformance" in service.python(_FOLDERS)  # what the tests asked for came here, by Azure's name


_FOLDERS = """
import hythe
client = hythe.connect("azure")
from hythe.client.transport import Request
path = f"/subscriptions/{client._session.subscription_id}/resourceGroups?api-version=2021-04-01"
print(client.send_request(Request(method="GET", url=path, headers={})).body)
"""
