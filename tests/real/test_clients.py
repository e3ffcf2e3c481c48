"""Clients as they are on PyPI and npm, unmodified, on real containers, each in an environment of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from environments import environment, modules, node, pinned

from .conftest import HYTHE, Proved, Running

HERE = Path(__file__).parent / "clients"
ROOT = Path(__file__).parents[2]
ENDED_WELL = "all six steps are as they should be"
OUR_VARIABLES = ("HYTHE_URL", "AZURE_AUTH_LOCATION", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
PYTHON = "azure-mgmt-containerinstance"
JAVASCRIPT = "@azure/arm-containerinstance"


def plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OUR_VARIABLES}


def signed_in(real: Running) -> dict[str, str]:
    """Give the environment of a program that is told of nothing but an address, an account and whom to trust."""
    facts = real.facts
    return plain() | {
        "HYTHE_URL": facts["HYTHE_URL"],
        "REQUESTS_CA_BUNDLE": facts["REQUESTS_CA_BUNDLE"],
        "SSL_CERT_FILE": facts["SSL_CERT_FILE"],
        "NODE_EXTRA_CA_CERTS": facts["NODE_EXTRA_CA_CERTS"],
        "AZURE_TENANT_ID": facts["tenant"],
        "AZURE_CLIENT_ID": facts["client_id"],
        "AZURE_CLIENT_SECRET": facts["client_secret"],
        "AZURE_SUBSCRIPTION_ID": facts["subscription"],
    }


def operations(said: str) -> list[str]:
    """Give the operations that a program has proved."""
    return re.findall(r"^proved: (\S+)$", said, re.MULTILINE)


def run(command: list[str | Path], variables: dict[str, str]) -> str:
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.clients
@pytest.mark.containers
@pytest.mark.timeout(400)
@pytest.mark.parametrize("program", ["old", "current", "current_aio"])
def test_programs_that_name_azures_own_hosts_run_unchanged(program: str, real: Running, proved: Proved) -> None:
    python = environment(HERE / ("old.txt" if program == "old" else "current.txt"))

    asked = ["env", "-u", "HYTHE_URL", python, HERE / f"{program}.py", f"with-{program.replace('_', '-')}"]

    said = run([*HYTHE, "run-with", "--data-dir", str(real.data_dir), "--", *asked], plain())

    assert ENDED_WELL in said
    for operation in operations(said):
        proved(PYTHON, pinned(HERE / "old.txt", PYTHON), operation)


@pytest.mark.clients
@pytest.mark.containers
@pytest.mark.timeout(400)
@pytest.mark.parametrize("program", ["current", "current_aio"])
def test_microsofts_current_clients_need_no_more_than_an_address(program: str, real: Running) -> None:
    python = environment(HERE / "current.txt")

    said = run([python, HERE / f"{program}.py", program.replace("_", "-")], signed_in(real))

    assert ENDED_WELL in said


@pytest.mark.clients
@pytest.mark.containers
@pytest.mark.timeout(400)
@pytest.mark.parametrize("pins", ["7.0.0.txt", "9.2.0.txt", "current.txt", "10.2.0b2.txt"])
def test_every_operation_of_a_package_for_python(pins: str, real: Running, proved: Proved) -> None:
    python = environment(HERE / pins)
    version = pinned(HERE / pins, PYTHON)
    name = f"every-{version.replace('.', '-')}"

    with ThreadPoolExecutor() as both:
        plainly = both.submit(run, [python, HERE / "every.py", name], signed_in(real))
        awaited = both.submit(run, [python, HERE / "every.py", f"{name}-aio", "aio"], signed_in(real))

    assert operations(plainly.result()) == operations(awaited.result())
    assert "Operations_List" in operations(plainly.result())
    for operation in operations(plainly.result()):
        proved(PYTHON, version, operation)


@pytest.mark.clients
@pytest.mark.containers
@pytest.mark.timeout(400)
def test_every_operation_of_the_package_for_javascript(real: Running, proved: Proved) -> None:
    program = modules(HERE / "js") / "every.mjs"
    shutil.copy(HERE / "js" / "every.mjs", program)  # packages are looked for beside a program

    said = run([*node()[0], program, "every-js"], signed_in(real))

    assert len(operations(said)) == 17
    for operation in operations(said):
        proved(JAVASCRIPT, pinned(HERE / "js", JAVASCRIPT), operation)


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
