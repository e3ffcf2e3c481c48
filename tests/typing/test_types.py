"""Tests that type checkers understand the library: mypy and basedpyright (which is pyright and more), and that nothing
in its public interface is left to be guessed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PUBLIC = re.compile(r"hythe\.(\w+$|aio|errors|models|client|testing)")
pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]


def wrong_lines() -> set[int]:
    lines = (HERE / "wrong.py").read_text().splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}


@pytest.fixture(scope="module")
def pyright() -> Path:
    """Give the program, in an environment of its own that is made once."""
    finder = "import sys; sys.path.insert(0, 'tools'); from environments import environment; from pathlib import Path; "
    finder += "print(environment(Path('tests/typing/checkers.txt')))"
    found = subprocess.run([sys.executable, "-c", finder], cwd=ROOT, capture_output=True, text=True, check=True)
    return Path(found.stdout.strip()).parent / "basedpyright"


def asked(program: Path, folder: Path, *arguments: str) -> Any:
    """Ask it, with our own Python first on PATH, from where it finds no settings."""
    variables = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [program, "--outputjson", *arguments]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_mypy(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", "--no-error-summary",
               "--config-file=", str(HERE / "uses.py"), str(HERE / "wrong.py")]  # fmt: skip
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    errors = [re.match(r".*?(\w+)\.py:(\d+): error: ", line) for line in said]
    found = {(each[1], int(each[2])) for each in errors if each}
    assert found == {("wrong", number) for number in wrong_lines()}, "\n".join(said)


def test_pyright(pyright: Path, tmp_path: Path) -> None:
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    for name in ("uses.py", "wrong.py"):
        (tmp_path / name).write_bytes((HERE / name).read_bytes())
    said = asked(pyright, tmp_path)["generalDiagnostics"]
    errors = [each for each in said if each["severity"] == "error"]
    found = {(Path(each["file"]).stem, each["range"]["start"]["line"] + 1) for each in errors}
    assert found == {("wrong", number) for number in wrong_lines()}, errors


def test_the_public_types_are_complete(pyright: Path, tmp_path: Path) -> None:
    symbols = asked(pyright, tmp_path, "--verifytypes", "hythe", "--ignoreexternal")["typeCompleteness"]["symbols"]
    public = [each for each in symbols if PUBLIC.match(each["name"])]
    assert len(public) > 1000
    assert [each["name"] for each in public if not each["isTypeKnown"] or each["isTypeAmbiguous"]] == []
