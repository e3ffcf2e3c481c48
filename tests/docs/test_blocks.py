"""Tests that every code block of README and docs does what the page says."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from environments import environment

from hythe.testing import RunningService, running_service

from .blocks import PAGES, ROOT, Block, Reader, blocks, matches, read
from .scenes import REAL, SCENES, Scene

EVERY = [block for page in PAGES for block in blocks(page)]
EXCUSED = [block for block in EVERY if block.excuse or block.needs]
WITH_BLOCKS = {block.where.partition(":")[0] for block in EVERY if not (block.excuse or block.needs)} - {*REAL}

NOT_RUN = {
    "README.md": 2,
    "docs/explanation/how-a-put-becomes-a-container.md": 2,
    "docs/how-to/come-from-az.md": 1,
    "docs/how-to/test-your-aci-code.md": 1,
    "docs/reference/metrics.md": 1,
    "docs/reference/resource-manager.md": 2,
    "docs/tutorial/first-group.md": 1,
}
"""How many blocks of each page are not run by `make test`, each with its reason above it in the page."""


def _needs_microsofts(page: str) -> bool:
    return any(block.needs_microsofts for block in blocks(ROOT / page))


@pytest.mark.clients
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", sorted(page for page in WITH_BLOCKS if _needs_microsofts(page)))
def test_page_with_microsofts_packages(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _read(page, tmp_path, monkeypatch, microsofts=environment(ROOT / "tests/real/clients/current.txt"))


@pytest.mark.parametrize("page", sorted(page for page in WITH_BLOCKS if not _needs_microsofts(page)))
def test_page(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _read(page, tmp_path, monkeypatch)


def _read(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch, microsofts: Path | None = None) -> None:
    scene = SCENES.get(page, Scene())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    for name, text in scene.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with running_service(scene.outcomes) as service, service.in_environment():
        os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
        scene.prepare(service)
        reader = Reader(folder, microsofts=microsofts)
        try:
            read(ROOT / page, reader, before=lambda block: _goes_on(scene, service, block))
        finally:
            reader.close()


def _goes_on(scene: Scene, service: RunningService, block: Block) -> None:
    """Let happen what happens meanwhile in a scene."""
    if scene.ends and scene.ends in block.text:
        service.end("web")


@pytest.mark.parametrize("block", EXCUSED, ids=[block.where for block in EXCUSED])
def test_not_run(block: Block) -> None:
    """Shows each block that is not run among the skipped tests, with its reason."""
    pytest.skip(block.excuse or f"needs {block.needs}: make test-clients runs it")


def test_what_is_not_run_is_counted() -> None:
    assert Counter(block.where.partition(":")[0] for block in EXCUSED) == NOT_RUN


def test_there_is_something_to_run() -> None:
    assert {"docs/how-to/test-your-aci-code.md", "docs/how-to/come-from-az.md"} <= WITH_BLOCKS
    assert len(EVERY) - len(EXCUSED) > 50


def test_a_block_of_no_language_or_with_a_wrong_output_is_an_error(tmp_path: Path) -> None:
    page = ROOT / "docs" / "nosuch.md"
    with pytest.raises(ValueError, match=r"docs/nosuch.md:1 is a block of no known language"):
        blocks(page, "```\nx\n```\n")
    wrong = blocks(page, "```python\nprint(1)\n```\nprints\n```text\n2\n```\n")
    reader = Reader(tmp_path)
    reader.run(wrong[0])
    with pytest.raises(AssertionError, match="what was written is\n1"):
        reader.run(wrong[1])
    for said in ("false", "unknown-command-of-nobody"):
        with pytest.raises(AssertionError):
            reader.run(blocks(page, f"```sh\n{said}\n```\n")[0])


def test_three_dots_stand_for_anything() -> None:
    assert matches("a ... c\n", "a b\nb c \n")
    assert not matches("a ... c\n", "a b\nb d\n")
    assert not matches("a\n", "a\nb\n")
