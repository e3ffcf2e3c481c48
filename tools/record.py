"""Record the README's first commands in a terminal, as they really go, and draw them as a picture that moves.

Runs the block below "Use it" on a service of its own with real containers (root, as for `make demo`), in a
pseudo-terminal, and writes docs/recording.svg: what each command wrote, when it did.  Nothing in it is made up and
nothing is hastened.  The picture is rich's, with a line of CSS for the moment at which each row appears.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from markdown_it import MarkdownIt
from msgspec import Struct
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "recording.svg"
SIZE = (40, 128)
"""Rows and columns of the terminal."""
_PAUSE = 1.0
"""Seconds before each command, in which a reader can see what has been written."""
_CODES = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")


class Row(Struct):
    """One row of the terminal: what is in it, and when it came there, in seconds."""

    text: str = ""
    at: float = 0.0


class Screen:
    """Knows as much of a terminal as programs use that go on writing downwards: lines, colours, a line that changes."""

    def __init__(self) -> None:
        self.rows = [Row()]
        self._row = 0
        self._fresh = False
        """The next text takes the place of what is in the row."""

    def write(self, text: str, at: float) -> None:
        """Write what a program wrote at a moment."""
        for part in re.split(r"(\r\n|\n|\r|\x1b\[[?\d;]*[A-Za-z])", text):
            code = _CODES.fullmatch(part)
            if part in ("\r\n", "\n"):
                self._row += 1
                self._fresh = False
                if self._row == len(self.rows):
                    self.rows.append(Row(at=at))
            elif part == "\r":
                self._fresh = True
            elif code is None or code[2] == "m":
                self._put(part, at)
            elif code[2] == "A":
                self._row = max(0, self._row - int(code[1] or 1))
            elif code[2] == "K":
                self.rows[self._row] = Row(at=at)

    def _put(self, text: str, at: float) -> None:
        if text:
            row = self.rows[self._row]
            before = "" if self._fresh else row.text
            self.rows[self._row] = Row(text=before + text, at=row.at if before else at)
            self._fresh = False


def commands() -> list[str]:
    """Give the commands of the README's first block below "Use it", without what it remarks on them."""
    text = (ROOT / "README.md").read_text().partition("\n## Use it\n")[2]
    (first, *_) = [each for each in MarkdownIt("commonmark").parse(text) if each.type == "fence"]
    return [line.partition("  #")[0].rstrip() for line in first.content.splitlines()]


def run(command: str, screen: Screen, begun: float, environment: dict[str, str]) -> None:
    """Run a command in a terminal and write down what it shows.  Raises `SystemExit` if it fails."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    process = subprocess.Popen(
        ["bash", "-c", command], stdin=there, stdout=there, stderr=there, env=environment, start_new_session=True
    )
    os.close(there)
    with open(here, "rb", buffering=0) as output, contextlib.suppress(OSError):  # which is how a terminal ends
        while data := output.read(1 << 16):
            screen.write(data.decode(), time.monotonic() - begun)
    if process.wait():
        raise SystemExit(f"cannot record: {command} ended with {process.returncode}\n{screen.rows[-2].text}")


def record(environment: dict[str, str]) -> list[Row]:
    """Run all commands and give the rows that were to be seen."""
    screen, begun = Screen(), time.monotonic()
    for command in commands():
        time.sleep(_PAUSE)
        screen.write(f"\x1b[1;32m$\x1b[0m \x1b[1m{command}\x1b[0m\r\n", time.monotonic() - begun)
        run(command, screen, begun, environment)
    while not screen.rows[-1].text:
        screen.rows.pop()
    return screen.rows


def draw(rows: list[Row]) -> str:
    """Draw the rows: at first none, then each at its moment; it stays still once all are there."""
    console = Console(width=SIZE[1], record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for row in rows:
        console.print(Text.from_ansi(row.text), no_wrap=True, overflow="crop", crop=True, highlight=False)
    picture = console.export_svg(title="hythe", theme=MONOKAI, unique_id="hythe")
    # a picture in a page may ask nobody for a font
    picture = re.sub(r"@font-face \{.*?\}\n?", "", picture, flags=re.DOTALL)
    moments = "".join(
        f'[clip-path="url(#hythe-line-{index})"]{{animation:show 1ms {row.at:.2f}s both}}\n'
        for index, row in enumerate(rows)
    )
    return picture.replace("</style>", f"@keyframes show{{from{{opacity:0}}to{{opacity:1}}}}\n{moments}</style>", 1)


def main() -> int:
    """Record on a service of its own, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="hythe-") as folder:
        environment = os.environ | {
            "HYTHE_HOME": folder, "TERM": "xterm-256color", "COLUMNS": str(SIZE[1]),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        quiet = subprocess.DEVNULL
        try:
            for words in (["up", "--detach"], ["down"]):  # the sample images are made at the very first start only
                subprocess.run(["hythe", *words], env=environment, check=True, stdout=quiet)
            rows = record(environment)
        finally:
            subprocess.run(["hythe", "down", "--purge"], env=environment, check=True, stdout=quiet)
    PICTURE.write_text(draw(rows))
    print(f"wrote {PICTURE.relative_to(ROOT)}: {len(rows)} rows, {rows[-1].at:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
