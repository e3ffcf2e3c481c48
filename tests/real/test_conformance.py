"""Runs the conformance tests as on Azure, on real containers: `hythe run-with` answers under Azure's names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ..conformance.conftest import IMAGE
from .conftest import HYTHE, Running, hythe

pytestmark = [pytest.mark.containers, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]


def test_all_of_it_by_azures_names(real: Running) -> None:
    named = hythe("image", "alias", IMAGE, "hythe.local/samples/wordcount:1", data_dir=real.data_dir)
    assert named.returncode == 0, named.stderr
    command = [
        *HYTHE, "run-with", "--", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}",
        str(ROOT / "tests" / "conformance"),
    ]  # fmt: skip
    variables = {name: text for name, text in os.environ.items() if not name.startswith("AZURE_")}
    variables |= {"HYTHE_HOME": str(real.data_dir), "HYTHE_TEST_AZURE": "1"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=380, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    real.folders.append("hythe-conformance")
    counted = re.search(r"(\d+) passed, 1 skipped", said)
    assert counted is not None and int(counted[1]) > 20, said
