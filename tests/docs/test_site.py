"""Tests that the documentation is built without a warning, and that what README and sources name is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .blocks import ROOT

DOCS = ROOT / "docs"


@pytest.mark.timeout(180)
def test_it_is_built_without_a_warning(tmp_path: Path) -> None:
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--doctree-dir", tmp_path / "trees"]
    build = [sys.executable, "-m", "sphinx", *options, DOCS, tmp_path / "site"]
    done = subprocess.run(build, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    pages = {path.relative_to(tmp_path / "site").with_suffix("") for path in (tmp_path / "site").rglob("*.html")}
    assert {path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md")} <= pages
    library = tmp_path / "site" / "reference" / "api"
    for page, name in (
        ("operations", "begin_create_or_update"),
        ("hythe", "get_client_from_auth_file"),
        ("aio", "ContainerInstanceManagementClient"),
        ("models", "provisioning_timeout_in_seconds"),
        ("errors", "QuotaExceeded"),
        ("testing", "running_service"),
    ):
        assert f">{name}<" in (library / f"{page}.html").read_text(), f"{page} does not show {name}"


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text()
    links = [each for each in re.findall(r"\]\(([^)]+)\)", text) if "://" not in each]

    assert len(links) > 10
    assert [each for each in links if not (ROOT / each.partition("#")[0]).is_file()] == []
    anchors = [each.partition("#")[::2] for each in links if "#" in each]
    assert [(page, anchor) for page, anchor in anchors if anchor not in _anchors(ROOT / page)] == []


def _anchors(page: Path) -> set[str]:
    """Give the names of the headings of a page, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_that_sources_name_are_there() -> None:
    folders = ("src", "tests", "tools", "scripts", "examples", "bench")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")] + [ROOT / "ARCHITECTURE.md"]
    named = {
        (path.relative_to(ROOT), page)
        for path in files
        for page in re.findall(r"\bdocs/[\w./-]+\.md", path.read_text())
        if "nosuch" not in page
    }

    assert named
    assert [each for each in sorted(named) if not (ROOT / each[1]).is_file()] == []


def test_pages_that_pages_name_are_there() -> None:
    """Files of the checkout, in code type: tests and tools that prove or make what a page says."""
    files = re.compile(r"\b(?:tests|tools|src|examples|scripts)/[\w./-]+\.(?:py|json|toml)\b")
    named = {(page, name) for page in DOCS.rglob("*.md") for name in files.findall(page.read_text())}

    assert named
    assert [each for each in sorted(named) if not (ROOT / each[1]).is_file()] == []
