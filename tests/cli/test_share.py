"""Tests `hythe share` against a service."""

from __future__ import annotations

import json
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
    (found,) = json.loads(ok(service, "ls"))
    assert (found["account"], found["share"], found["quotaGb"]) == ("acc", "data", 1.0)
    assert Path(found["path"], "there").read_text() == "content"
    head, line = ok(service, "ls", "-o", "table").splitlines()
    assert head.split() == ["Name", "Used", "Quota", "Path"] and line.split()[0] == "acc/data"
    assert ok(service, "ls", "--query", "[].share", "-o", "tsv") == "data\n"
    assert json.loads(ok(service, "key", "acc", "-o", "json")) == {"account": "acc", "key": key}
    assert ok(service, "key", "acc", "--renew").strip() != key
    ok(service, "rm", "acc/data")
    assert json.loads(ok(service, "ls")) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("create", "acc/../x"), 2, "names no share"),
        (("create", "A/data"), 1, "lowercase"),
        (("rm", "acc/none"), 3, "there is none"),
        (("key", "none"), 3, "no storage account"),
        (("cp", "a", "b"), 2, "ACCOUNT/SHARE:PATH"),
        (("cp", "acc/none:x", "/tmp/x"), 3, "has no share"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    service: Service, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = service("share", *arguments)

    assert says in done.stderr
    if code == 2:  # click shows how it is written, then what is wrong
        assert done.returncode == code and "Traceback" not in done.stderr
    else:
        assert sentence(done, code).count("cannot") == 1
