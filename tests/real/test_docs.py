"""Tests that README and tutorial, which begin with `hythe up`, do what they say on real containers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Reader, read
from tests.docs.scenes import REAL

from .conftest import Running, hythe

pytestmark = [pytest.mark.containers, pytest.mark.timeout(240)]


@pytest.mark.parametrize("page", REAL)
def test_page(page: str, fresh: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fresh.data_dir / "hythe.toml").write_text(
        f"[engine]\npool = 0\ngrace_seconds = 3\n[service]\nport = {fresh.port}\n[gateway]\nport = 0\n"
    )
    before = dict(os.environ)
    monkeypatch.setenv("HYTHE_HOME", str(fresh.data_dir))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path, shown={f":{fresh.port}": ":8443"})
    try:
        read(ROOT / page, reader)
    finally:
        reader.close()
        os.environ.clear()  # what blocks exported
        os.environ.update(before)
        if (fresh.data_dir / "service.json").exists():
            hythe("down", "--purge", data_dir=fresh.data_dir)
