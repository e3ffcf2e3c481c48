"""Tests `hythe share` against a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Service, sentence


def ok(service: Service, *arguments: str) -> str:
    done = service("share", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_create_fill_list_and_remove(service: Service, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    key = ok(service, "create", "acc/data", "--quota-gb", "1").strip()

    assert len(key) == 88
    assert ok(service, "key", "acc").strip() == key
    assert ok(service, "cp", str(tmp_path / "file"), "acc/data:there") == "1 files, 7 bytes\n"
    assert ok(service, "cp", "acc/data:there", str(tmp_path / "back")) == "1 files, 7 bytes\n"
    assert (tmp_path / "back").read_text() == "content"
    (line,) = ok(service, "ls").splitlines()
    assert line.split()[0] == "acc/data" and "of 1 GB" in line
    assert Path(line.split()[-1], "there").read_text() == "content"
    assert ok(service, "key", "acc", "--renew").strip() != key
    ok(service, "rm", "acc/data")
    assert ok(service, "ls") == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "acc/../x"), "names no share"),
        (("create", "A/data"), "lowercase"),
        (("rm", "acc/none"), "there is none"),
        (("key", "none"), "no storage account"),
        (("cp", "a", "b"), "ACCOUNT/SHARE:PATH"),
        (("cp", "acc/none:x", "/tmp/x"), "has no share"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(service: Service, arguments: tuple[str, ...], says: str) -> None:
    done = service("share", *arguments)

    assert says in done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode != 2:  # click's code for a command that was written wrong
        sentence(done)
