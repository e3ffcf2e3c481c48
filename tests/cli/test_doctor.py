"""Tests `hythe doctor` and the advice that it gives, on machines that are made up."""

from __future__ import annotations

import fcntl
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import Result

from hythe import machine
from hythe.cli import doctor as module
from hythe.machine import Check, Lack, mend
from hythe.service import app

APT = "apt-get update && apt-get install -y --no-install-recommends"
ROOT = Lack("root", "only root may start containers", "sudo -s")
CRUN = Lack("crun", "it starts containers", f"{APT} crun", "crun")
RUNC = Lack("runc", "it starts containers too", f"{APT} runc", "runc")
CGROUPS = Lack("cgroups", "they limit memory", "mount -t cgroup2 cgroup2 /sys/fs/cgroup")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    """Give the list of what the machine is found to be like."""
    checks: list[Check] = []
    monkeypatch.setattr(machine, "checks", lambda port=None: iter(checks))
    return checks


@pytest.fixture
def doctor(cli: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    return lambda *options: cli("doctor", "--data-dir", str(tmp_path), *options)


def test_a_machine_that_lacks_nothing(doctor: Callable, found: list[Check]) -> None:
    found += [Check("root", "yes"), Check("crun", "/usr/bin/crun")]
    result = doctor()
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "ok       hythe[service]  installed",
        "ok       root            yes",
        "ok       crun            /usr/bin/crun",
        "",
        "Nothing is missing. Start the service: hythe up",
    ]


def test_what_lacks_is_named_with_its_reason_and_one_command_for_all(doctor: Callable, found: list[Check]) -> None:
    found += [Check("root", "yes"), Check("runc", "", RUNC), Check("crun", "", CRUN), Check("cgroups", "", CGROUPS)]
    result = doctor()
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert "missing  crun            it starts containers" in lines
    assert lines[-2:] == ["This mends it:", f"  {APT} crun runc && mount -t cgroup2 cgroup2 /sys/fs/cgroup"]


def test_packages_of_the_service_that_lack_are_told_too(
    doctor: Callable, found: list[Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SERVICE_MODULES", ("json", "no_such_module_here"))
    result = doctor()
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].endswith(" -m pip install 'hythe[service]'")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def test_a_port_that_is_taken_lacks(doctor: Callable, taken: int) -> None:
    result = doctor("--port", str(taken))
    assert result.exit_code == 1
    (line,) = [line for line in result.output.splitlines() if f"port {taken}" in line]
    assert line.startswith("missing")
    assert "Address already in use" in line
    assert f"hythe up --port {taken + 1}" in result.output


def test_the_port_of_a_service_that_runs_is_not_looked_at(doctor: Callable, taken: int, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert f"port {taken}" not in doctor("--port", str(taken)).output
    assert f"port {taken}" in doctor("--port", str(taken)).output, "nobody holds the lock any more"


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_a_port_that_is_none_is_a_usage_error(doctor: Callable, port: str) -> None:
    assert doctor("--port", port).exit_code == 2


@pytest.mark.parametrize(
    ("lacks", "command"),
    [
        ([], ""),
        ([ROOT], "sudo -s"),
        ([RUNC, CRUN, CRUN], f"{APT} crun runc"),
        ([CGROUPS], CGROUPS.mend),
        ([ROOT, CRUN], f"sudo sh -c '{APT} crun'"),
        ([CRUN, CGROUPS, ROOT], f"sudo sh -c '{APT} crun && {CGROUPS.mend}'"),
    ],
)
def test_one_command_mends_it_all(lacks: Sequence[Lack], command: str) -> None:
    assert mend(lacks) == command


def test_packages_are_looked_for_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(machine, "_SYSTEM_PATH", str(tmp_path / "sbin"))
    monkeypatch.setattr(machine, "_CNI", tmp_path / "cni")
    assert {check.lack.package for check in machine.packages() if check.lack} == set(machine.DEBIAN_PACKAGES)
    (tmp_path / "cni").mkdir()
    for name in ("busybox", "catatonit", "containerd", "crun", "ip", "iptables", "mmdebstrap", "runc",
                 "cni/host-local", "cni/loopback", "cni/ptp"):  # fmt: skip
        (tmp_path / name).touch(mode=0o755)
    assert [check.what for check in machine.packages() if check.lack] == []


def test_only_what_no_group_can_do_without_keeps_a_service_from_starting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(machine, "_SYSTEM_PATH", str(tmp_path))
    for name in ("ip", "runc"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setattr(machine, "_CNI", tmp_path / "cni")
    with pytest.raises(app.CannotStart) as refused:
        app._check_machine()
    assert str(refused.value) == (
        "cannot run containers: this machine lacks containerd, CNI plugins and iptables. "
        f"Run: {APT} containerd containernetworking-plugins iptables"
    )
    (tmp_path / "cni").mkdir()
    for name in ("containerd", "iptables", "cni/host-local", "cni/loopback", "cni/ptp"):
        (tmp_path / name).touch(mode=0o755)
    app._check_machine()


def test_a_busybox_that_needs_libraries_does_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "busybox").write_bytes(b"\x7fELF\0/lib64/ld-linux-x86-64.so.2\0")
    (tmp_path / "busybox").chmod(0o755)
    assert "busybox-static" in {check.lack.package for check in machine.packages() if check.lack}


def test_the_standard_library_is_enough_to_tell_the_packages_that_lack() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", machine.__file__], capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(check.lack.package for check in machine.packages() if check.lack)
