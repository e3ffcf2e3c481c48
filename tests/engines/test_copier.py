"""The program that copies files: it stays below its root, whatever lies there."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from hythe.engines.containerd import copier

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")


def run(
    root: Path, what: str, path: str, *, limit: int = 1 << 20, given: bytes = b"", owner: int = 0
) -> tuple[str, bytes]:
    """Run it; give the reason why it failed (empty if it did not) and what it wrote."""
    held = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-I", "-S", "-B", copier.__file__),
                *(what, str(held), path, str(limit), str(owner), str(owner)),
            ],
            input=given, capture_output=True, pass_fds=(held,), check=False, timeout=20,
        )  # fmt: skip
    finally:
        os.close(held)
    return (json.loads(done.stderr.splitlines()[-1])["reason"] if done.returncode else ""), done.stdout


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        return members.getnames()


def packed(name: str, content: bytes = b"", **more: object) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for key, value in more.items():
        setattr(member, key, value)
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as out:
        out.addfile(member, io.BytesIO(content))
    return held.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "etc").mkdir(parents=True)
    (made / "etc" / "passwd").write_text("of the container")
    return made


def test_a_path_never_leads_out(root: Path) -> None:
    secret = root.parent / "secret"
    secret.write_text("of the host")
    (root / "up").symlink_to("../../../../../../..")
    (root / "absolute").symlink_to(root.parent)
    for path in (f"{secret}", f"/up{secret}", "/absolute/secret", "/../secret", "/up/../secret"):
        assert run(root, "out", path)[0] == "PathNotFound", path
    reason, said = run(root, "out", "/up/etc/passwd")
    assert reason == "" and b"of the container" in said
    assert run(root, "in", "/up", given=packed("x", b"new"))[0] == ""
    assert (root / "x").read_text() == "new"
    assert sorted(each.name for each in root.parent.iterdir()) == ["root", "secret"]


def test_what_is_neither_file_nor_folder_nor_link_is_passed_over(root: Path) -> None:
    os.mkfifo(root / "etc" / "pipe")
    os.mknod(root / "etc" / "null", 0o666 | 0o020000, os.makedev(1, 3))
    assert names(run(root, "out", "/etc")[1]) == ["etc", "etc/passwd"]


def test_a_planted_file_is_replaced_and_not_written_through(root: Path) -> None:
    os.mkfifo(root / "etc" / "pipe")
    (root / "etc" / "link").symlink_to("passwd")
    for name in ("pipe", "link"):
        assert run(root, "in", "/etc", given=packed(name, b"new", mode=0o4755), owner=1234)[0] == ""
        made = (root / "etc" / name).lstat()
        assert (root / "etc" / name).read_text() == "new"
        assert (made.st_mode, made.st_uid, made.st_gid) == (0o100755, 1234, 1234), "no set-user-id bit comes in"
    assert (root / "etc" / "passwd").read_text() == "of the container"


def test_an_archive_stays_within_its_limit(root: Path) -> None:
    (root / "big").write_bytes(b"x" * 100_000)
    assert run(root, "out", "/big", limit=100_000)[0] == "ArchiveTooLarge"
    assert run(root, "out", "/big", limit=200_000)[0] == ""
    with (root / "sparse").open("wb") as sparse:
        sparse.truncate(1 << 40)
    assert run(root, "out", "/", limit=1 << 20)[0] == "ArchiveTooLarge"


@pytest.mark.parametrize(
    "archive",
    [
        packed("../x"),
        packed("a/../../x"),
        packed("d", type=tarfile.CHRTYPE),
        packed("d", type=tarfile.BLKTYPE),
        packed("d", type=tarfile.FIFOTYPE),
        packed("h", type=tarfile.LNKTYPE, linkname="../../secret"),
        packed("f", b"x" * 5000)[:1500],
        b"",
        b"x" * 2000,
    ],
)
def test_bad_archives_are_refused(root: Path, archive: bytes) -> None:
    assert run(root, "in", "/etc", given=archive)[0] == "InvalidArchive"
    assert not (root.parent / "x").exists()


def test_nothing_of_the_root_is_run(root: Path) -> None:
    """Nothing may be imported, and no name be looked up, once the root is the container's."""
    planted = "raise SystemExit(99)"
    for folder in {*sys.path, "/usr/lib/python3.11"} - {""}:
        where = root / folder.lstrip("/")
        if not where.suffix:
            where.mkdir(parents=True, exist_ok=True)
            for module in ("pwd", "grp", "codecs", "bz2", "lzma", "zlib", "gzip", "random", "stringprep"):
                (where / f"{module}.py").write_text(planted)
    assert run(root, "in", "/", given=packed("é" * 100, b"x", uname="nobody", gname="nogroup"))[0] == ""
    assert run(root, "out", "/" + "é" * 100)[0] == ""
    assert run(root, "in", "/", given=b"\x1f\x8b" + b"x" * 1000)[0] == "InvalidArchive"
