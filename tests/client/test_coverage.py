"""Tests that nothing of Microsoft's packages is missing, by importing theirs and ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.clients
@pytest.mark.timeout(600)
def test_every_name_and_parameter_of_microsofts_packages_is_there_and_the_page_says_so() -> None:
    tool = [sys.executable, ROOT / "tools" / "compare_with_microsofts.py", "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
