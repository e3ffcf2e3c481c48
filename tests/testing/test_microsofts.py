"""Tests that Microsoft's own clients, as they are on PyPI, work on the service of `hythe.testing`."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.clients
@pytest.mark.timeout(600)
def test_microsofts_clients_find_it_by_arguments_and_by_the_environment() -> None:
    finder = "import sys; sys.path.insert(0, 'tools'); from environments import environment; from pathlib import Path; "
    finder += "print(environment(Path('tests/real/clients/current.txt')))"
    found = subprocess.run([sys.executable, "-c", finder], cwd=ROOT, capture_output=True, text=True, check=True)
    python = found.stdout.strip()
    # their environment first, then what Hythe needs
    program = (
        f"import runpy, sys; sys.path.append({sysconfig.get_path('purelib')!r}); "
        f"runpy.run_path({str(HERE / 'microsofts.py')!r})"
    )
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([python, "-c", program], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "ended well" in done.stdout, done.stdout + done.stderr
