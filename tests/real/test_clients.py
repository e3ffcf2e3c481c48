"""Clients as they are on PyPI, unmodified, do the six steps on real containers, each in an environment of its own."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from .conftest import HYTHE, Running

HERE = Path(__file__).parent / "clients"
ROOT = Path(__file__).parents[2]
ENDED_WELL = "all six steps are as they should be"
OUR_VARIABLES = ("HYTHE_URL", "AZURE_AUTH_LOCATION", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def environment(pins: Path) -> Path:
    """Give the Python of an environment with these packages; it is kept for the next time."""
    name = f"{pins.stem}-{hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]}"
    folder = ROOT / ".cache" / "clients" / name
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True, symlinks=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", pins], check=True, timeout=300)
        ready.touch()
    return python


def plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OUR_VARIABLES}


def run(command: list[str | Path], variables: dict[str, str]) -> str:
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.clients
@pytest.mark.containers
@pytest.mark.timeout(400)
@pytest.mark.parametrize("program", ["old", "current", "current_aio"])
def test_programs_that_name_azures_own_hosts_run_unchanged(program: str, real: Running) -> None:
    python = environment(HERE / ("old.txt" if program == "old" else "current.txt"))

    asked = ["env", "-u", "HYTHE_URL", python, HERE / f"{program}.py", f"with-{program.replace('_', '-')}"]

    said = run([*HYTHE, "run-with", "--data-dir", str(real.data_dir), "--", *asked], plain())

    assert ENDED_WELL in said


@pytest.mark.clients
@pytest.mark.containers
@pytest.mark.timeout(400)
@pytest.mark.parametrize("program", ["current", "current_aio"])
def test_microsofts_current_clients_need_no_more_than_an_address(program: str, real: Running) -> None:
    facts = real.facts
    variables = plain() | {
        "HYTHE_URL": facts["HYTHE_URL"],
        "REQUESTS_CA_BUNDLE": facts["REQUESTS_CA_BUNDLE"],
        "SSL_CERT_FILE": facts["SSL_CERT_FILE"],
        "AZURE_TENANT_ID": facts["tenant"],
        "AZURE_CLIENT_ID": facts["client_id"],
        "AZURE_CLIENT_SECRET": facts["client_secret"],
        "AZURE_SUBSCRIPTION_ID": facts["subscription"],
    }

    said = run([environment(HERE / "current.txt"), HERE / f"{program}.py", program.replace("_", "-")], variables)

    assert ENDED_WELL in said


@pytest.mark.containers
def test_our_own_six_steps(real: Running) -> None:
    variables = plain() | {"AZURE_AUTH_LOCATION": str(real.data_dir / "my.azureauth")}

    said = run([sys.executable, ROOT / "examples" / "six_steps.py"], variables)

    assert "Done" in said


@pytest.mark.containers
def test_the_program_in_the_readme(real: Running) -> None:
    (program, *_) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    said = run([sys.executable, "-c", program], plain() | {"AZURE_AUTH_LOCATION": str(real.data_dir / "my.azureauth")})

    assert re.fullmatch(r"http://10\.[0-9.]+/\nlistening on port 80\n\n", said)


@pytest.mark.containers
def test_every_example_in_order(real: Running) -> None:
    variables = plain() | {"AZURE_AUTH_LOCATION": str(real.data_dir / "my.azureauth")}
    said = {path.stem: run([sys.executable, path], variables) for path in sorted(ROOT.glob("examples/0*.py"))}

    assert "<h1>" in said["02_single_container"]
    assert "HTTP/1.1 200 OK" in said["03_sidecar"]
    assert said["04_task"].count("FOO BAR") == 2 and "('" in said["04_task"]
    assert "pair: Running" in said["05_list_and_get"]
    assert "'single'" not in said["06_delete"]
