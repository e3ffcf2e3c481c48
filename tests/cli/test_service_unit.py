"""Tests `hythe service install`: the unit that it writes, and how words are quoted in it."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hythe.cli import service_unit

from .conftest import sentence


@pytest.fixture(autouse=True)
def reloads(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Let this be root, and keep what systemd would be told."""
    calls: list[list[str]] = []
    monkeypatch.setattr(service_unit.os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: calls.append(command))
    return calls


def command_line(unit: Path) -> list[str]:
    """Read ExecStart as systemd does: quotes and backslashes, then %% and $$."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', parser["Service"]["ExecStart"])
    plain = [re.sub(r"\\(.)", r"\1", quoted or bare) for quoted, bare in words]
    assert not any(re.search(r"(?<!%)%(?:%%)*(?!%)|(?<!\$)\$(?:\$\$)*(?!\$)", word) for word in plain)
    return [word.replace("%%", "%").replace("$$", "$") for word in plain]


@pytest.mark.parametrize("name", ["data", "with space", 'a "quote"', "50%", "%h and $HOME", "${X}", "back\\slash", "ü"])
def test_the_unit_runs_this_hythe_on_that_folder(cli: Callable, tmp_path: Path, name: str) -> None:
    unit = tmp_path / "units" / "hythe.service"
    result = cli("service", "install", "--path", str(unit), "--data-dir", str(tmp_path / name))
    assert result.exit_code == 0, result.output
    program, *rest = command_line(unit)
    assert rest == ["up", "--data-dir", str(tmp_path / name)]
    assert Path(program).is_absolute() and Path(program).name == "hythe"
    assert result.output.startswith(f"Wrote {unit}.\n")
    assert "systemctl enable --now hythe.service" in result.output


def test_containers_go_on_when_systemd_ends_the_service(cli: Callable, tmp_path: Path) -> None:
    cli("service", "install", "--path", str(tmp_path / "h.service"), "--data-dir", str(tmp_path))
    lines = (tmp_path / "h.service").read_text().splitlines()
    assert {"KillMode=process", "Delegate=yes", "Restart=on-failure", "WantedBy=multi-user.target"} <= set(lines)


def test_a_relative_folder_is_written_whole(cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cli("service", "install", "--path", "h.service", "--data-dir", "data")
    assert command_line(tmp_path / "h.service")[-1] == str(tmp_path / "data")


@pytest.mark.parametrize("runs", [True, False])
def test_systemd_is_told_only_where_it_runs(
    cli: Callable, tmp_path: Path, reloads: list[list[str]], monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    really = Path.is_dir
    monkeypatch.setattr(Path, "is_dir", lambda path: runs if str(path) == "/run/systemd/system" else really(path))
    cli("service", "install", "--path", str(tmp_path / "h.service"), "--data-dir", str(tmp_path))
    assert reloads == ([["systemctl", "daemon-reload"]] if runs else [])


def test_installing_needs_root(cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_unit.os, "geteuid", lambda: 1000)
    said = sentence(cli("service", "install", "--path", str(tmp_path / "h.service")))
    assert said == "cannot install the service: that needs root. Run it with sudo."
    assert not (tmp_path / "h.service").exists()


def test_a_place_that_can_not_be_written_is_a_sentence(cli: Callable, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = sentence(cli("service", "install", "--path", str(tmp_path / "file" / "h.service")))
    assert said.startswith(f"cannot write {tmp_path / 'file' / 'h.service'}: ")
    assert said.endswith("Choose another place with --path.")


def test_without_the_program_there_is_nothing_to_install(
    cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    said = sentence(cli("service", "install", "--path", str(tmp_path / "h.service")))
    assert said.startswith("cannot find the program `hythe`. Install the package: ")
