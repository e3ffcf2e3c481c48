"""Tests that archives from containers write nothing outside of where they belong."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from hythe.client.archives import pack, place, unpack


def archive(*members: tuple[str, bytes, str]) -> io.BytesIO:
    """Write members: name, type, and a link's target or the content."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        for name, kind, text in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, 0o6777
            if kind == tarfile.REGTYPE:
                member.size = len(text)
            else:
                member.linkname = text
            made.addfile(member, io.BytesIO(text.encode()))
    return file


def test_a_folder_gets_the_name_it_is_to_have(tmp_path: Path) -> None:
    made = archive(
        ("b", tarfile.DIRTYPE, ""), ("b/f", tarfile.REGTYPE, "x"), ("b/s", tarfile.SYMTYPE, "f"),
        ("b/h", tarfile.LNKTYPE, "b/f"),
    )  # fmt: skip
    assert unpack(made, "/a/b", tmp_path / "c") == tmp_path / "c"
    assert sorted(os.listdir(tmp_path / "c")) == ["f", "h", "s"]
    assert (tmp_path / "c" / "s").read_text() == (tmp_path / "c" / "h").read_text() == "x"
    assert (tmp_path / "c" / "f").stat().st_mode & 0o7777 == 0o755
    assert unpack(made, "/a/b", tmp_path) == tmp_path / "b"
    assert unpack(made, "/a/b", f"{tmp_path}/new/") == tmp_path / "new" / "b"


@pytest.mark.parametrize(
    "members",
    [
        [("b/../../x", tarfile.REGTYPE, "x")],
        [("/etc/x", tarfile.REGTYPE, "x")],
        [("b", tarfile.DIRTYPE, ""), ("b/s", tarfile.SYMTYPE, "/etc/passwd")],
        [("b", tarfile.DIRTYPE, ""), ("b/s", tarfile.SYMTYPE, "../../up")],
        [("b", tarfile.SYMTYPE, "/tmp"), ("b/x", tarfile.REGTYPE, "x")],
        [("b", tarfile.DIRTYPE, ""), ("b/h", tarfile.LNKTYPE, "../secret")],
        [("b", tarfile.FIFOTYPE, "")],
        [("b", tarfile.CHRTYPE, "")],
    ],
)
def test_nothing_leads_outside(members: list[tuple[str, bytes, str]], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="cannot copy"):
        unpack(archive(*members), "/a/b", tmp_path / "in" / "b")
    assert sorted(os.listdir(tmp_path)) == ["in", "secret"]


def test_a_link_that_was_there_before_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "b").mkdir()
    (tmp_path / "in" / "b" / "s").symlink_to(tmp_path / "out")
    with pytest.raises(ValueError, match="outside"):
        unpack(archive(("b/s/x", tarfile.REGTYPE, "x")), "/b", tmp_path / "in")
    assert os.listdir(tmp_path / "out") == []


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot copy '/b'"):
        unpack(io.BytesIO(b"x" * 600), "/b", tmp_path)


def test_where_a_copy_goes(tmp_path: Path) -> None:
    assert place("/a/b", "x/y") == ("/a", "b")
    assert place("/a/", tmp_path) == ("/a", tmp_path.name)
    assert place("/", tmp_path) == ("/", tmp_path.name)
    with pytest.raises(ValueError, match="absolute"):
        place("a", "x")
    (tmp_path / "f").write_text("x")
    with pack(tmp_path, "n") as made, tarfile.open(fileobj=made) as read:
        assert read.getnames() == ["n", "n/f"]
