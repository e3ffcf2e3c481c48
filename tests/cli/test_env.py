"""Tests `hythe env` and what every command says where there is no service."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hythe import __version__
from hythe.cli import main
from hythe.service.identity.authfile import sdk_auth, write_auth_file

from .conftest import sentence

EXPORTED = {
    "AZURE_AUTH_LOCATION", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "WEBSOCKET_CLIENT_CA_BUNDLE",
    "HYTHE_URL",
}  # fmt: skip
URL = "https://localhost:8443"


def described(data_dir: Path) -> Path:
    """Write what a service writes about itself."""
    data_dir.mkdir(parents=True, exist_ok=True)
    about = {"url": URL, "pid": 1, "tenant": "ten", "subscription": "sub", "installation": "i", "engine": "sim"}
    (data_dir / "service.json").write_text(json.dumps(about))
    write_auth_file(data_dir, sdk_auth(client_id="id", client_secret="hush", subscription="sub", tenant="ten", url=URL))
    return data_dir


def test_a_shell_reads_the_exports_whatever_the_folder_is_called(cli: Callable, tmp_path: Path) -> None:
    data_dir = described(tmp_path / 'it\'s a "$HOME" `x` \\folder')
    printed = cli("env", "--data-dir", str(data_dir)).output
    assert "hush" not in printed, "a secret has no place in a terminal"
    show = 'eval "$1"; for name in $2; do printenv "$name"; done'
    done = subprocess.run(
        ["sh", "-c", show, "sh", printed, " ".join(sorted(EXPORTED))], capture_output=True, text=True, check=True
    )
    bundle = str(data_dir / "ca-bundle.pem")
    assert dict(zip(sorted(EXPORTED), done.stdout.splitlines(), strict=True)) == dict.fromkeys(EXPORTED, bundle) | {
        "AZURE_AUTH_LOCATION": str(data_dir / "my.azureauth"),
        "HYTHE_URL": URL,
    }


def test_json_has_the_exports_and_the_facts(cli: Callable, tmp_path: Path) -> None:
    data_dir = described(tmp_path)
    said = json.loads(cli("env", "--json", "--data-dir", str(data_dir)).output)
    facts = {
        "url": URL, "authority": URL, "tenant": "ten", "subscription": "sub", "client_id": "id",
        "client_secret": "hush", "ca": str(tmp_path / "ca.pem"), "auth_file": str(tmp_path / "my.azureauth"),
    }  # fmt: skip
    assert said.keys() == EXPORTED | facts.keys()
    assert {name: said[name] for name in facts} == facts


def test_the_environment_names_the_data_dir_unless_an_option_does(cli: Callable, tmp_path: Path) -> None:
    one, other = described(tmp_path / "one"), described(tmp_path / "other")
    assert str(one) in cli("env", env={"HYTHE_HOME": str(one)}).output
    assert str(one) not in cli("env", "--data-dir", str(other), env={"HYTHE_HOME": str(one)}).output
    assert str(tmp_path / "one") in cli("env", env={"HYTHE_HOME": "~/one", "HOME": str(tmp_path)}).output


def test_a_damaged_description_is_a_sentence(cli: Callable, tmp_path: Path) -> None:
    data_dir = described(tmp_path)
    (data_dir / "service.json").write_text("{")
    said = sentence(cli("env", "--data-dir", str(data_dir)), code=4)
    assert said.endswith("Start the service again with `hythe up`.")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"clientId": ""}'])
@pytest.mark.parametrize("command", ["env --json", "sp create", "run-with true"])
def test_a_damaged_auth_file_is_a_sentence(cli: Callable, tmp_path: Path, command: str, text: str) -> None:
    (described(tmp_path) / "my.azureauth").write_text(text)
    said = sentence(cli(*command.split(), env={"HYTHE_HOME": str(tmp_path)}), code=4)
    assert "cannot use the auth file" in said
    assert said.endswith("Write a new one with `hythe sp create --sdk-auth`.")


def test_a_description_that_can_not_be_read_is_a_sentence(cli: Callable, tmp_path: Path) -> None:
    (tmp_path / "service.json").mkdir()
    said = sentence(cli("env", "--data-dir", str(tmp_path)), code=4)
    assert said.startswith(f"cannot read {tmp_path / 'service.json'}: ")
    assert said.endswith("Run this as the user that the service runs as.")


# --- where there is no service ---


@pytest.mark.parametrize("command", [["env"], ["env", "--json"], ["sp", "create"], ["run-with"]], ids=" ".join)
def test_without_a_service_a_command_says_how_to_get_one(cli: Callable, tmp_path: Path, command: list[str]) -> None:
    last = ["--", "true"] if command == ["run-with"] else []
    said = sentence(cli(*command, "--data-dir", str(tmp_path / "none"), *last), code=4)
    assert f"cannot find a service in {tmp_path / 'none'}: none runs there." in said
    assert "Start one with `hythe up`" in said


@pytest.mark.parametrize("command", [["down"], ["down", "--purge"]], ids=" ".join)
def test_down_without_a_service_touches_nothing(cli: Callable, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "hythe.db").write_text("somebody's")
    said = sentence(cli(*command, "--data-dir", str(tmp_path)))
    assert said == f"cannot stop anything: there is no service in {tmp_path}. Name it with --data-dir."
    assert (tmp_path / "hythe.db").read_text() == "somebody's"


# --- the group of commands ---


def test_help_names_every_command_and_each_has_help_of_its_own(cli: Callable) -> None:
    listed = cli("--help").output
    for name in main.list_commands(None):  # type: ignore[attr-defined]
        assert f"\n  {name} " in listed
        assert cli(name, "-h").output.startswith(f"Usage: main {name} ")


def test_an_unknown_command_is_a_usage_error(cli: Callable) -> None:
    result = cli("fly")
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.stderr


def test_the_version(cli: Callable) -> None:
    assert cli("--version").output == f"hythe, version {__version__}\n"
