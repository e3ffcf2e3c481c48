"""Tests `hythe context` and the choice of a service."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from .conftest import Service, sentence

Hythe = Callable[..., Result]


@pytest.fixture
def alone(cli: Hythe, tmp_path: Path) -> Hythe:
    """Run the command line where no service is."""

    def invoke(*arguments: str) -> Result:
        return cli(*arguments, env={"HYTHE_HOME": str(tmp_path / "none"), "XDG_CONFIG_HOME": str(tmp_path / "config")})

    return invoke


def test_a_context_is_named_used_and_forgotten(alone: Hythe, service: Service) -> None:
    assert alone("context", "add", "mine", "local", "--data-dir", str(service.data_dir), "-g", "of-mine").exit_code == 0
    assert alone("ls").exit_code == 4

    assert alone("ls", "--context", "mine").exit_code == 0
    assert alone("context", "use", "mine").stdout == "Commands ask 'mine' from now on.\n"
    assert str(service.data_dir) in alone("context", "show").stdout
    name = alone("run", "-d", "nginx").stdout.strip()
    assert json.loads(alone("container", "show", name).stdout)["resourceGroup"] == "of-mine"
    listed = json.loads(alone("context", "list", "-o", "json").stdout)
    assert [each["name"] for each in listed if each["current"]] == ["mine"]
    assert {each["name"] for each in listed} == {"azure", "local", "mine"}

    assert alone("context", "remove", "mine").exit_code == 0
    assert alone("ls").exit_code == 4


def test_an_auth_file_is_a_context(alone: Hythe, service: Service, tmp_path: Path) -> None:
    found = service("sp", "create", "--sdk-auth").stdout
    (tmp_path / "other.json").write_text(found)
    (tmp_path / "ca.pem").write_bytes((service.data_dir / "ca.pem").read_bytes())

    assert alone("context", "add", "other", str(tmp_path / "other.json")).exit_code == 0
    kept = (tmp_path / "config" / "hythe" / "contexts.json").read_text()

    assert json.loads(found)["clientSecret"] not in kept
    assert alone("ls", "--context", "other").exit_code == 0, alone("ls", "--context", "other").stderr


def test_a_cloud_is_found_by_its_address_and_signed_in_to_by_the_environment(cli: Hythe, service: Service) -> None:
    facts = service.facts
    place = {
        "HYTHE_HOME": "/nowhere", "SSL_CERT_FILE": facts["ca"], "AZURE_TENANT_ID": facts["tenant"],
        "AZURE_CLIENT_ID": facts["client_id"], "AZURE_CLIENT_SECRET": facts["client_secret"],
        "AZURE_SUBSCRIPTION_ID": facts["subscription"],
    }  # fmt: skip
    cloud = ["--cloud", facts["url"]]

    begun = cli("run", "-d", *cloud, "nginx", env=place)
    assert begun.exit_code == 0, begun.stderr
    name = begun.stdout.strip()

    assert json.loads(cli("container", "show", name, *cloud, env=place).stdout)["name"] == name
    assert cli("rm", "-y", name, *cloud, env=place).exit_code == 0


def test_azure_without_a_login_says_how_to_sign_in(alone: Hythe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert "az login" in sentence(alone("ls", "--cloud", "azure"), code=4)


def test_what_cannot_be_done(alone: Hythe, tmp_path: Path) -> None:
    assert "no context 'x'" in sentence(alone("context", "use", "x"), code=3)
    assert "always there" in sentence(alone("context", "remove", "azure"))
    assert alone("context", "add", "x", "azure", "--data-dir", "/x").exit_code == 2
    os.makedirs(tmp_path / "config" / "hythe")
    (tmp_path / "config" / "hythe" / "contexts.json").write_text("{")
    assert "Mend it" in sentence(alone("ls"))
