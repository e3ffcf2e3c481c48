"""Tests that the picture of a terminal shows what README says, and that what was to be seen is what is drawn."""

from __future__ import annotations

import html
import re

from record import PICTURE, Row, Screen, commands, draw


def rows(picture: str) -> list[str]:
    """Read the rows of a picture."""
    found: dict[int, str] = {}
    for row, text in re.findall(r'line-(\d+)\)">(.*?)</text>', picture):
        found[int(row)] = found.get(int(row), "") + html.unescape(text).replace("\xa0", " ")
    return [text.rstrip() for _, text in sorted(found.items())]


def test_the_picture_shows_the_readmes_commands() -> None:
    shown = [row.removeprefix("$").strip() for row in rows(PICTURE.read_text()) if row.startswith("$")]

    assert shown == commands()
    assert shown[0] == "hythe up --detach"


def test_the_picture_asks_nobody_for_anything() -> None:
    picture = re.sub(r"<!--.*?-->|<text.*?</text>", "", PICTURE.read_text(), flags=re.DOTALL)

    assert set(re.findall(r"https?://[^\s\"<]+", picture)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in picture.replace("url(#", "")


def test_a_screen_knows_lines_that_change() -> None:
    screen = Screen()
    screen.write("one\r\n", 1.0)
    screen.write("\x1b[?25l\x1b[32mwait\x1b[0m ...\r\n\x1b[?25h\r\x1b[1A\x1b[2K", 2.0)
    screen.write("10 %\r20 %", 3.0)
    screen.write("\r\ntwo", 4.0)

    assert [(row.text, row.at) for row in screen.rows] == [("one", 0 + 1.0), ("20 %", 3.0), ("two", 4.0)]


def test_each_row_appears_at_its_moment() -> None:
    picture = draw([Row(text="\x1b[1m$ a\x1b[0m", at=0.5), Row(text="b <c>", at=1.25)])

    assert rows(picture) == ["$ a", "b <c>"]
    assert 'line-0)"]{animation:show 1ms 0.50s both}' in picture
    assert 'line-1)"]{animation:show 1ms 1.25s both}' in picture
    assert "font-face" not in picture
