"""Tests that HYTHE_TEST_AZURE=1 leads the conformance tests to Azure's own address; `hythe run-with` answers there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .conftest import HYTHE, Service

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


def test_the_verbs_of_every_day_go_to_azure_by_its_name(service: Service) -> None:
    def azure(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = service.run_with(*HYTHE, *words, "--cloud", "azure", HYTHE_RESOURCE_GROUP="on-azure")
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done

    assert "give --location" in azure("container", "create", "web", "--image", "nginx", code=2).stderr
    made = azure("container", "create", "web", "--image", "nginx", "-l", "westus", "--query", "location", "-o", "tsv")
    assert made.stdout == "westus\n"
    assert azure("ls", "-g", "on-azure").stdout.split()[:4] == ["Name", "ResourceGroup", "Status", "Image"]
    assert azure("why", "web").stdout == "Group 'web' is Running; nothing is wrong with it.\n"
    azure("wait", "web", "--for", "Running")
    azure("logs", "web")
    assert "Azure gives that of the newest only" in azure("logs", "-p", "web", code=1).stderr
    azure("stop", "web")
    azure("start", "web")
    azure("restart", "web")
    assert "name: web" in azure("container", "export", "web").stdout
    assert "Started" in azure("events", "web").stdout
    assert "USD" in azure("cost", "web", "--region", "eastus").stdout
    for words in (("cp", "web:/etc/hostname", "."), ("forward", "web", "80")):
        assert "Azure has no way" in azure(*words, code=1).stderr
    azure("rm", "-y", "web")


_FOLDERS = """
import hythe
client = hythe.connect("azure")
from hythe.client.transport import Request
path = f"/subscriptions/{client._session.subscription_id}/resourceGroups?api-version=2021-04-01"
print(client.send_request(Request(method="GET", url=path, headers={})).body)
"""
