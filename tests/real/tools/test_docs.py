"""Tests the blocks of the docs that need az itself, with the sample image of Microsoft's tutorial."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from environments import environment

from tests.docs.blocks import ROOT, Block, Reader, blocks

from ..conftest import Running
from .test_az import PINS

pytestmark = [pytest.mark.clients, pytest.mark.containers, pytest.mark.timeout(900)]

NEEDING_AZ = [block for page in (ROOT / "docs").rglob("*.md") for block in blocks(page) if block.needs == "az"]


@pytest.mark.parametrize("block", NEEDING_AZ, ids=[block.where for block in NEEDING_AZ])
def test_block(block: Block, real: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    az = tmp_path / "bin" / "az"
    az.parent.mkdir()
    az.write_text(f'#!/bin/sh\nexec {environment(PINS)} -m azure.cli "$@"\n')
    az.chmod(0o755)
    before = dict(os.environ)
    for name, value in {
        "PATH": f"{az.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HYTHE_HOME": str(real.data_dir),
        "AZURE_CONFIG_DIR": str(tmp_path / "config"),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
    }.items():
        monkeypatch.setenv(name, value)
    reader = Reader(tmp_path, patience=300)
    try:
        reader.run(block)
    finally:
        os.environ.clear()  # what the block exported
        os.environ.update(before)
    assert "web" in reader.written and "Running" in reader.written
