"""Collects the code blocks of README and docs, and runs them as a reader would: in order, page by page.

What a block is, its language says:

- `python` runs in one namespace for the page; with `def test_` in it, under pytest; with Microsoft's packages, in an
  environment that has them.
- `sh` runs in bash and must end well; variables that it exports are there for later blocks.
- `console` has commands after `$ ` and below each what it writes; `...` stands for anything.
- `text` is what the block before it writes, to the same rule.
- `yaml`, `toml` and `json` are read; definitions of groups, compose files, pods and settings by what reads them in use.

A comment just above says more: `<!-- file: NAME -->` lets the blocks below find it under that name,
`<!-- needs: az -->` leaves it to `make test-clients`, and `<!-- not run: why -->` excuses it.  Anything else is an
error, so that nothing is skipped in silence.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from msgspec import Struct

import hythe
from hythe.service import settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = ("python", "sh", "console", "text", "yaml", "toml", "json")
_PATIENCE = 60.0
"""Seconds that a block may take."""
_COMMENT = re.compile(r"<!--\s*(file|needs|not run):\s*(.+?)\s*-->\s*", re.DOTALL)


class Block(Struct, frozen=True, kw_only=True):
    """One fenced block."""

    page: Path
    line: int
    language: str
    text: str
    file: str = ""
    """Name under which the blocks below find it."""
    needs: str = ""
    """A program that not every run of the tests has."""
    excuse: str = ""
    """Why it is not run."""

    @property
    def needs_microsofts(self) -> bool:
        """Tell whether it is a program for Microsoft's packages."""
        return self.language == "python" and bool(re.search(r"^\s*(from|import) azure\b", self.text, re.MULTILINE))

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path, text: str | None = None) -> list[Block]:
    """Collect the blocks of a page.  Raises `ValueError` for one that nobody could run."""
    found: list[Block] = []
    said: dict[str, str] = {}
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text() if text is None else text):
        if token.type == "html_block":
            said = dict(match.groups() for match in _COMMENT.finditer(token.content))
            continue
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            language = token.info.strip()
            at = f"{page.relative_to(ROOT)}:{token.map[0] + 1}"
            if language.startswith("{"):
                continue  # a directive, which Sphinx carries out
            if language not in LANGUAGES:
                raise ValueError(f"{at} is a block of no known language: say one of {', '.join(LANGUAGES)}")
            found.append(
                Block(
                    page=page, line=token.map[0] + 1, language=language, text=token.content,
                    file=said.get("file", ""), needs=said.get("needs", ""), excuse=said.get("not run", ""),
                )
            )  # fmt: skip
        said = {}
    return found


def matches(expected: str, got: str) -> bool:
    """Compare what was written with what a page says, in which `...` stands for anything, also for several lines."""
    parts = [re.escape(part) for part in expected.strip().split("...")]
    lines = "\n".join(line.rstrip() for line in got.strip().splitlines())
    return re.fullmatch(".*?".join(parts), lines, re.DOTALL) is not None


class Reader:
    """Reads one page in a folder of its own, and does what it says."""

    def __init__(
        self,
        folder: Path,
        *,
        microsofts: Path | None = None,
        shown: dict[str, str] | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        """Take what pages call otherwise than it is called here (``shown``), a port for instance."""
        self.folder = folder
        self.known: dict[str, Any] = {"__name__": "__main__"}
        self.written = ""
        """By the block before."""
        self._microsofts = microsofts
        self._shown = shown or {}
        self._patience = patience

    def close(self) -> None:
        """Close what a page has opened and left open."""
        for each in reversed(list(self.known.values())):
            if isinstance(each, hythe.ContainerInstanceManagementClient | hythe.ResourceManagementClient):
                each.close()

    def run(self, block: Block) -> None:
        """Run a block.  Raises `AssertionError` or what it raises itself."""
        if block.file:
            (self.folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / block.file).write_text(block.text)
        getattr(self, f"_{block.language}")(block)

    # --- programs ---

    def _python(self, block: Block) -> None:
        theirs = block.needs_microsofts
        if re.search(r"^(async )?def test_", block.text, re.MULTILINE):
            (self.folder / "test_block.py").write_text(block.text)
            self._program("import pytest; raise SystemExit(pytest.main(['-q', '-p', 'no:cacheprovider', "
                          "'-p', 'no:randomly', '-c', '/dev/null', 'test_block.py']))", theirs=theirs)  # fmt: skip
        elif theirs:
            self._program(block.text, theirs=True)
        else:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                # lines as they are in the page, for tracebacks
                exec(compile("\n" * block.line + block.text, block.page, "exec"), self.known)  # noqa: S102 - our own
            self.written = out.getvalue()

    def _program(self, text: str, *, theirs: bool) -> None:
        python = sys.executable
        variables = dict(os.environ)
        if theirs:
            assert self._microsofts is not None, "no environment with Microsoft's packages"
            python = str(self._microsofts)
            # their environment first, then what Hythe needs
            text = f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n{text}"
            variables["PYTHONPATH"] = str(ROOT / "src")
        self._ran([python, "-c", text], variables)

    def _sh(self, block: Block) -> None:
        self._bash(block.text)

    def _console(self, block: Block) -> None:
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, said = _parted(part)
            self._bash(command)
            assert matches(said, self.written), f"{command} wrote\n{self.written}\nand not\n{said}"

    def _bash(self, script: str) -> None:
        kept = self.folder / ".variables"
        script = f"{script}\n__code=$?; env -0 > {kept}; exit $__code"
        self._ran(["bash", "-euo", "pipefail", "-c", script], dict(os.environ))
        for each in kept.read_bytes().decode().split("\0"):
            name, _, value = each.partition("=")
            if name and name not in ("_", "SHLVL", "PWD", "OLDPWD") and os.environ.get(name) != value:
                os.environ[name] = value
        kept.unlink()

    def _ran(self, command: list[str], variables: dict[str, str]) -> None:
        # not a pipe: what a command leaves running may hold it open
        with (self.folder / ".out").open("w+") as out, (self.folder / ".err").open("w+") as err:
            process = subprocess.Popen(
                command, cwd=self.folder, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True,
            )  # fmt: skip
            try:
                code = process.wait(self._patience)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            self.written = (self.folder / ".out").read_text()
            for here, there in self._shown.items():
                self.written = self.written.replace(here, there)
            assert code == 0, self.written + (self.folder / ".err").read_text()

    # --- documents ---

    def _text(self, block: Block) -> None:
        assert matches(block.text, self.written), f"what was written is\n{self.written}"

    def _json(self, block: Block) -> None:
        json.loads(block.text)

    def _toml(self, block: Block) -> None:
        folder = self.folder / ".settings"
        folder.mkdir(exist_ok=True)
        (folder / "hythe.toml").write_text(block.text)
        settings.load(folder)

    def _yaml(self, block: Block) -> None:
        read = yaml.safe_load(block.text)
        assert isinstance(read, dict)
        if read.keys() & {"services", "kind", "properties"}:
            file = self.folder / (block.file or "definition.yaml")
            file.write_text(block.text)
            hythe.read_definition(file)


def _parted(part: str) -> tuple[str, str]:
    """Part a command, which goes on after a backslash, from what it writes."""
    lines = part.splitlines()
    end = next(index for index, line in enumerate(lines) if not line.endswith("\\")) + 1
    return "\n".join(lines[:end]), "\n".join(lines[end:])


def read(page: Path, reader: Reader, *, before: Callable[[Block], None] = lambda block: None) -> None:
    """Do what a page says, from its first block to its last.  Raises `AssertionError` that says where it went wrong."""
    for block in blocks(page):
        if block.excuse or block.needs:
            continue
        before(block)
        try:
            reader.run(block)
        except Exception as error:
            raise AssertionError(f"{block.where}: {type(error).__name__}: {error}") from error
