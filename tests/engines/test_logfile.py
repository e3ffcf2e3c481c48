"""Reading CRI's log files: parts of lines, rotated files, the last lines."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hythe.engines.base import Refused
from hythe.engines.containerd import follow as following
from hythe.engines.containerd import rotation
from hythe.engines.containerd.follow import Follower, follow
from hythe.engines.containerd.inotify import Watcher
from hythe.engines.containerd.logfile import Decoder, files, is_complete, read, run, runs
from hythe.engines.containerd.rotation import surplus

T = "2026-11-25T06:53:06.62303184Z"


def line(text: str, tag: str = "F", stream: str = "stdout") -> str:
    return f"{T} {stream} {tag} {text}\n"


@pytest.mark.parametrize("cut", range(1, 7))
@pytest.mark.parametrize("timestamps", [False, True])
def test_parts_of_a_line_are_joined_wherever_the_blocks_end(cut: int, timestamps: bool) -> None:
    heads = [
        line("one"), line("", stream="stderr"), line("a", "P"), line("b", "P"), line("c"),
        line(f"{T} stdout F like a head"), line("end", "P"),
    ]  # fmt: skip
    decoder = Decoder(timestamps=timestamps)
    said = decoder.decode("".join(heads[:cut]).encode()) + decoder.decode("".join(heads[cut:]).encode())
    stamp = f"{T} " if timestamps else ""
    lines = ["one", "", "abc", f"{T} stdout F like a head", "end"]
    assert said.decode() == "\n".join(stamp + each for each in lines)


def write(folder: Path, **parts: str) -> Path:
    for name, text in parts.items():
        (folder / name.replace("_", "-", 1).replace("_", ".")).write_text(text)
    return folder


def test_files_of_a_run_are_read_as_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{"0_0_log": line("old"), "0_1_log_2": line("b") + line("c", "P"), "0_1_log_10": line("d")},
        **{"0_1_log": line("e"), "0_1_log_1": line("a"), "other": "x"},
    )
    assert [each.path.name for each in files(tmp_path)] == [
        "0-0.log", "0-1.log.1", "0-1.log.2", "0-1.log.10", "0-1.log",
    ]  # fmt: skip

    def said(tail: int | None = None, limit: int = 1000, previous: bool = False) -> str | None:
        return read(tmp_path, tail=tail, timestamps=False, limit=limit, previous=previous)

    assert said() == "a\nb\ncd\ne\n"
    assert [said(tail=each) for each in (0, 1, 2, 3, 9)] == ["", "e\n", "cd\ne\n", "b\ncd\ne\n", "a\nb\ncd\ne\n"]
    assert said(limit=4) == "d\ne\n"
    assert said(previous=True) == "old\n"
    assert read(tmp_path / "no", tail=None, timestamps=False, limit=9, previous=False) is None


def test_the_last_lines_of_a_long_log(tmp_path: Path) -> None:
    write(tmp_path, **{"0_0_log": "".join(line(str(each)) for each in range(100_000))})
    last = read(tmp_path, tail=50_000, timestamps=False, limit=1 << 22, previous=False)
    assert last is not None and last.split() == [str(each) for each in range(50_000, 100_000)]
    limited = read(tmp_path, tail=50_000, timestamps=False, limit=1000, previous=False)
    assert limited == last[-1000:]
    whole = read(tmp_path, tail=None, timestamps=False, limit=300_000, previous=False)
    assert whole is not None and len(whole) == 300_000, "short lines too are given up to the limit"


def test_what_is_too_much_goes_and_the_newest_two_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "KEPT_BYTES", 30)
    monkeypatch.setattr(rotation, "KEPT_FILES", 4)
    write(tmp_path, **{f"0_0_log_{each}": "x" * 10 for each in (1, 2, 3)}, **{"0_1_log": "x" * 10})
    assert [each.path.name for each in surplus(files(tmp_path))] == ["0-0.log.1"]
    write(tmp_path, **{"0_0_log_3": "x" * 100, "0_1_log": "x" * 100})
    assert [each.path.name for each in surplus(files(tmp_path))] == ["0-0.log.1", "0-0.log.2"]
    write(tmp_path, **{f"0_{each}_log": "" for each in range(9)})
    assert len(files(tmp_path)) - len(surplus(files(tmp_path))) == 4


async def test_what_comes_late_is_not_lost(tmp_path: Path) -> None:
    """Into a file that was renamed, and into the last one after the container has ended; errors first."""
    (tmp_path / "0-0.log").write_text(line("a"))
    old = (tmp_path / "0-0.log").open("a")
    (tmp_path / "0-0.log").rename(tmp_path / "0-0.log.1")
    new = (tmp_path / "0-0.log").open("a")
    watcher = Watcher()

    async def over(_: tuple[int, int]) -> bool:
        return False

    async def write_late() -> None:
        for file, text in ((new, "c"), (old, "b"), (new, "d"), (new, "e")):
            await asyncio.sleep(0.05)
            file.write(line(text))
            file.flush()
            if text == "b":
                old.close()
        new.close()

    writing = asyncio.create_task(write_late())
    said = [text async for text in follow(tmp_path, watcher, over, tail=None, timestamps=False, run=None, limit=None)]
    await writing
    watcher.close()
    assert b"".join(said) == b"a\nb\nc\nd\ne\n"


@pytest.mark.parametrize("ended", [True, False])
async def test_a_file_that_is_never_closed_keeps_the_next_one_back_for_a_while(
    ended: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.05)
    write(tmp_path, **{"0_0_log_1": line("a"), "0_0_log": line("b")})
    watcher = Watcher()

    async def goes_on(_: tuple[int, int]) -> bool:
        return not ended

    lines = following.follow(tmp_path, watcher, goes_on, tail=None, timestamps=False, run=None, limit=None)
    with (tmp_path / "0-0.log.1").open("a"), (tmp_path / "0-0.log").open("a"):
        async with asyncio.timeout(5):
            assert [await anext(lines), await anext(lines)] == [b"a\n", b"b\n"]
            if ended:
                assert [text async for text in lines] == []
    await lines.aclose()
    watcher.close()


def test_a_file_is_complete_when_nobody_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "0-0.log"
    assert is_complete(str(path))
    with path.open("a"), path.open():
        assert not is_complete(str(path))
    with path.open():
        assert is_complete(str(path))


def test_a_gap_is_told_and_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path, **{"0_0_log_1": line("a"), "0_0_log_2": line("b"), "0_0_log": line("c")})
    follower = Follower(tmp_path)
    follower.begin(tail=None, timestamps=False, limit=None)
    (tmp_path / "0-0.log.2").rename(tmp_path / "gone")
    (tmp_path / "0-0.log").rename(tmp_path / "0-0.log.3")
    (tmp_path / "0-0.log").write_text("")
    with pytest.raises(Exception, match="too slowly"):
        follower.next_file()
    follower.close()


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    write(tmp_path, **{"0_0_log": line("a") + line("b")[:20]})
    follower = Follower(tmp_path)
    text = follower.begin(tail=5, timestamps=False, limit=None)
    assert text == b"a\n" and follower.read() == b""
    with (tmp_path / "0-0.log").open("a") as more:
        more.write(line("b")[20:])
    assert follower.read() == line("b").encode()
    follower.close()
    assert [each.written for each in run(tmp_path)] == [True]


async def test_following_ends_soon_after_the_run_though_the_books_follow_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_LOOK_SECONDS", 60)  # what it must not wait for
    write(tmp_path, **{"0_0_log": line("a")})
    answers = [*[True] * 7, False]
    watcher = Watcher()

    async def goes_on(_: tuple[int, int]) -> bool:
        return answers.pop(0)

    said = b""
    with (tmp_path / "0-0.log").open("a") as written:
        async with asyncio.timeout(30):
            async for text in follow(tmp_path, watcher, goes_on, tail=None, timestamps=False, run=None, limit=None):
                said += text
                if text == b"a\n":
                    written.write(line("b"))
                    written.close()
    watcher.close()
    assert said == b"a\nb\n"


async def test_each_run_that_is_kept_can_be_followed(tmp_path: Path) -> None:
    write(tmp_path, **{"0_0_log_1": line("a"), "0_1_log": line("b"), "1_0_log": line("c") + line("d", "P")})
    watcher = Watcher()

    async def over(_: tuple[int, int]) -> bool:
        return False

    async def said(run: tuple[int, int] | None) -> bytes:
        lines = follow(tmp_path, watcher, over, tail=None, timestamps=False, run=run, limit=None)
        return b"".join([text async for text in lines])

    assert runs(tmp_path) == [(0, 0), (0, 1), (1, 0)]
    assert [await said(each) for each in (*runs(tmp_path), None)] == [b"a\n", b"b\n", b"c\nd", b"c\nd"]
    with pytest.raises(Refused, match="has not started"):
        await said((0, 2))
    watcher.close()
